"""The part of `TensorBoard` that makes curves of logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascb.callbacks import _curves as curves
from kerascb.callbacks._event_callback import (
    TRAIN,
    VALIDATION,
    EventCallback,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kerascb.callbacks._fit_progress import FitProgress
    from kerascb.runtime import LearningRate, Logs


class CurveEvents(EventCallback):
    """Writes points of curves.

    Attributes:
        write_learning_rate: `"auto"`, `"epoch"` or `"batch"`.
        write_steps_per_second: Whether there are curves of the speed.
    """

    write_learning_rate: str
    write_steps_per_second: bool
    _progress: FitProgress
    _batch_begin_s: float = 0.0

    def _write_batch(self, step: int, ended: int, logs: Logs | None) -> None:
        values = curves.unread(logs)
        if self.write_learning_rate == "batch":
            values.update(self._unread_rates())
        if self.write_steps_per_second:
            values["steps_per_second"] = curves.per_second(
                ended, self._batch_begin_s
            )
        if values:
            tags = [f"batch_{name}" for name in values]
            self._journal.point(TRAIN, step, tags, self._read_of(values))

    def _read_of(self, values: dict[str, Any]) -> Callable[[], list[Any]]:
        """What returns the values, when they have come."""
        given = list(values.values())
        if all(type(value) is float for value in given):
            return lambda: given
        return self._runtime.begin_read(given).result

    def _log_epoch_metrics(self, epoch: int, logs: Logs | None) -> None:
        """Writes the curves of an epoch; subclasses add theirs here."""
        if not logs:
            return
        training, validation = curves.by_run(self._numbers(logs))
        training = self._numbers(self._collect_learning_rate(training))
        iterations = self._runtime.iterations(self.model)
        training.update(self._progress.speed(iterations))
        self._write(TRAIN, epoch, curves.tagged(training, "epoch_"))
        self._write(VALIDATION, epoch, curves.tagged(validation, "epoch_"))

    def _collect_learning_rate(self, logs: Logs) -> Logs:
        """Adds the learning rate to an epoch's logs, where it belongs."""
        logs.update(
            self._runtime.inspection.scheduled_rates(self.model)
            if self.write_learning_rate == "auto"
            else self._learning_rates()
        )
        return logs

    def _write_evaluation(self, logs: Logs | None) -> None:
        """Writes the result of an evaluation, if there are steps to count."""
        iterations = self._runtime.iterations(self.model)
        values = self._numbers(logs)
        if iterations is not None:
            values = curves.tagged(values, "evaluation_", "_vs_iterations")
            self._write(VALIDATION, iterations, values)

    def _write(self, run: str, step: int, values: dict[str, float]) -> None:
        if values:
            self._journal.write(curves.points(run, step, values))

    def _numbers(self, logs: Mapping[str, Any] | None) -> dict[str, float]:
        return curves.numbers(logs, self._runtime.scalar)

    def _learning_rates(self) -> dict[str, float]:
        return {name: rate.read() for name, rate in self._rates()}

    def _unread_rates(self) -> dict[str, Any]:
        """The learning rates as they lie on the device, within an epoch."""
        with self._runtime.within_epoch(self._model):
            return {name: rate.hold() for name, rate in self._rates()}

    def _rates(self) -> Iterator[tuple[str, LearningRate]]:
        optimizer = getattr(self._model, "optimizer", None)
        for rate in self._runtime.learning_rates(optimizer):
            yield f"learning_rate_{rate.optimizer_name}".rstrip("_"), rate
