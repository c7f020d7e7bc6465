"""The bar of a running epoch, and the line it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascb.callbacks.callback import Callback, batch_hook
from kerascb.errors import InvalidArgument
from kerascb.frequency import within_epoch
from kerascb.runtime import StockProgbarLogger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kerascb.runtime import Logs, Progbar

_COUNT_MODES = ("samples", "steps")


class ProgbarLogger(Callback, StockProgbarLogger):
    """Prints how far an epoch, an evaluation or a prediction is.

    `fit`, `evaluate` and `predict` bring one of their own unless they are told
    `verbose=0`; one that is passed stands in its place.

    On a terminal and in a notebook the bar of the model's Keras is drawn, and
    the values are those that `History` gets. (Keras 2 averages over the steps
    what is no metric of the model.) Where nothing can be drawn over, in a log
    file say, each bar leaves one line, without control characters.

    Nothing is done in batches that nobody will see: batch hooks are there only
    while a bar is drawn, or while the number of steps has to be counted.

    Args:
        count_mode: `"steps"` or `"samples"`, as older code has it. Steps are
            counted either way: Keras no longer tells the samples.
        stateful_metrics: With Keras 2, names of values to be shown as they
            come and not averaged, besides the metrics of the model.

    Attributes:
        seen: Steps seen of what is running, or ran last.
        target: Steps expected; `None` until an epoch of unknown length ends.
        progbar: The bar of what is running, or ran last.
        verbose: 0 for silence, 1 for a bar, 2 for a line at the end.
        epochs: Epochs planned.
        use_steps: Whether `count_mode` is `"steps"`.
        stateful_metrics: Names of what is shown as it comes.

    Raises:
        InvalidArgument: If `count_mode` is none of the two.

    Example:
        >>> from kerascb import ProgbarLogger
        >>> from kerascb.testing import drive
        >>> logs = [{"loss": 0.5}, {"loss": 0.25}]
        >>> _ = drive(
        ...     [ProgbarLogger()], epochs=logs, verbose=2
        ... )  # doctest: +ELLIPSIS
        Epoch 1/2
        1/1 - 0s -...loss: 0.5...
        Epoch 2/2
        1/1 - 0s -...loss: 0.25...
    """

    _supports_tf_logs = True

    def __init__(
        self,
        count_mode: str = "samples",
        stateful_metrics: Iterable[str] | None = None,
    ) -> None:
        super().__init__()
        if count_mode not in _COUNT_MODES:
            raise InvalidArgument(
                f"Unknown `count_mode`: {count_mode}. "
                'Expected values are ["samples", "steps"]'
            )
        self.use_steps = count_mode == "steps"
        self.stateful_metrics = set(stateful_metrics or ())
        self.seen = 0
        self.target: int | None = None
        self.progbar: Progbar | None = None
        self.verbose = 1
        self.epochs = 1
        self._called_in_fit = False
        self._counter_at_start: int | None = None
        self._resumed_counter: int | None = None
        self._needs_batches = True

    def set_params(self, params: dict[str, Any]) -> None:
        """Takes over what `fit`, `evaluate` or `predict` was told.

        Only their beginning brings params; what the list of a fit hands on to
        its validation brings none. So a fit that failed is forgotten here.

        Args:
            params: `verbose` (`"auto"` is a bar), `epochs` and `steps`.
        """
        super().set_params(params)
        self._called_in_fit = False
        verbose = params.get("verbose", 1)
        self.verbose = 1 if verbose == "auto" else verbose
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")
        self._decide_on_batches()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """From here on validation is silent.

        Args:
            logs: Not used.
        """
        del logs
        self._called_in_fit = True
        self._resumed_counter = None

    def on_train_end(self, logs: Logs | None = None) -> None:
        """An evaluation that comes now is one of its own.

        Args:
            logs: Not used.
        """
        del logs
        self._called_in_fit = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Names the epoch and begins its bar.

        Args:
            epoch: Zero-based number of the epoch.
            logs: Not used.
        """
        self._begin_bar("train")
        if self.verbose and self.epochs > 1 and not self._is_doubled():
            self._say(f"Epoch {epoch + 1}/{self.epochs}")

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Begins the bar of an evaluation.

        Args:
            logs: Not used.
        """
        del logs
        if not self._called_in_fit:
            self._begin_bar("test")

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Begins the bar of a prediction.

        Args:
            logs: Not used.
        """
        del logs
        self._begin_bar("predict")

    @batch_hook(lambda self: self._needs_batches)
    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Moves the bar.

        Args:
            batch: Zero-based index of the latest batch done.
            logs: Metric name to value, over the epoch so far.
        """
        self._move_bar("train", batch, logs)

    @batch_hook(lambda self: self._needs_batches and not self._called_in_fit)
    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Moves the bar; in the validation of a fit there is none.

        Args:
            batch: Zero-based index of the latest batch done.
            logs: Metric name to value, over the evaluation so far.
        """
        self._move_bar("test", batch, logs)

    @batch_hook(lambda self: self._needs_batches)
    def on_predict_batch_end(
        self, batch: int, logs: Logs | None = None
    ) -> None:
        """Moves the bar; what was predicted is not shown.

        Args:
            batch: Zero-based index of the latest batch done.
            logs: Not used.
        """
        self._move_bar("predict", batch, None)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Ends the bar with what the epoch logged.

        Args:
            epoch: Not used.
            logs: Metric name to value.
        """
        self._end_bar("train", logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Ends the bar of an evaluation.

        Args:
            logs: Metric name to value.
        """
        if not self._called_in_fit:
            self._end_bar("test", logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Ends the bar of a prediction."""
        self._end_bar("predict", None)

    def get_state(self) -> dict[str, Any]:
        """How long an epoch is, and where the running one began.

        What the bar shows comes with the next batch, and is not remembered.
        """
        return {"target": self.target, "counter": self._counter_at_start}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on with the first bar as with one of a later epoch.

        Args:
            state: What `get_state` returned.
        """
        if self.target is None:
            self.target = state.get("target")
            self._decide_on_batches()
        self._resumed_counter = state.get("counter")

    def _begin_bar(self, mode: str) -> Progbar:
        self.seen = 0
        self._counter_at_start = self._resumed_counter
        self._resumed_counter = None
        if self._counter_at_start is None:
            self._counter_at_start = self._counted(mode)
        self._learn_metrics()
        self._decide_on_batches()
        self.progbar = self._runtime.progbar(
            self.target,
            0 if self._is_doubled() else self.verbose,
            self.stateful_metrics,
        )
        return self.progbar

    def _move_bar(self, mode: str, batch: int, logs: Logs | None) -> None:
        bar = self.progbar or self._begin_bar(mode)
        if self.seen == 0:
            # Keras 2 knows its metrics only after the first step.
            self._learn_metrics()
        steps = self._steps_in_epoch
        self.seen = within_epoch(batch, steps) + 1
        if self.verbose == 1:
            bar.update(self.seen, self._shown(logs), finalize=False)

    def _end_bar(self, mode: str, logs: Logs | None) -> None:
        bar = self.progbar or self._begin_bar(mode)
        if self.seen == 0:
            self._learn_metrics()
            self.seen = self._steps_unseen(mode)
        if self.target is None and self.seen:
            self.target = bar.target = self.seen
        if self.target:
            bar.update(self.target, self._shown(logs), finalize=True)
        self._counter_at_start = None

    def _shown(self, logs: Logs | None) -> list[tuple[str, Any]]:
        # Once a batch: the usual case, floats under ASCII names, comes cheap.
        logs = logs or {}
        if set(map(type, logs.values())) - {float}:
            logs = {**logs, **self._runtime.to_python(logs)}
        if "".join(logs).isascii():
            return list(logs.items())
        printable = self._runtime.printable
        return [(printable(name), value) for name, value in logs.items()]

    def _learn_metrics(self) -> None:
        if self._runtime.name == "keras2":
            metrics = getattr(self._model, "metrics", ())
            names = {metric.name for metric in metrics} | self.stateful_metrics
            self.stateful_metrics.update(
                names, map(self._runtime.printable, names)
            )

    def _decide_on_batches(self) -> None:
        # Asked at every batch, hence decided beforehand.
        draws = self.verbose == 1 and self._runtime.can_redraw()
        counts = self.target is None and self._counted("train") is None
        self._needs_batches = (draws or counts) and not self._is_doubled()

    def _is_doubled(self) -> bool:
        """Whether the model's Keras, not knowing this class, draws as well."""
        stock = self._runtime.stock("ProgbarLogger")
        return stock is not None and not isinstance(self, stock)

    def _steps_unseen(self, mode: str) -> int:
        """Steps of a bar that was not moved."""
        counter = self._counted(mode)
        if counter is None or self._counter_at_start is None:
            return self.target or 0
        return max(counter - self._counter_at_start, 0)

    def _counted(self, mode: str) -> int | None:
        """Steps that the model itself has counted; only Keras 2's do."""
        counter = getattr(self._model, f"_{mode}_counter", None)
        if counter is None or self._runtime.name != "keras2":
            return None
        return int(self._runtime.scalar(counter))
