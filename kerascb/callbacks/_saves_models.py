"""How a callback saves its model: what, where, and what it says of it."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.callbacks import _checkpoint_path as paths
from kerascb.callbacks import _checkpoint_verdict as verdict
from kerascb.callbacks._faults import FaultWatch
from kerascb.callbacks.monitor_callback import MonitorCallback
from kerascb.checkpoint import latest, notes, path_template
from kerascb.checkpoint.loading import load_weights
from kerascb.checkpoint.request import Policy, Request
from kerascb.checkpoint.store import CheckpointStore
from kerascb.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kerascb.callbacks._save_schedule import SaveSchedule
    from kerascb.checkpoint.formats import Target
    from kerascb.runtime import Logs


class SavesModels(MonitorCallback):
    """Saves the model if it deserves it; when to is for the subclass to say.

    Attributes:
        filepath: The path or template.
        verbose: 1 to print what is saved and why.
        save_best_only: Save only when `monitor` became better.
        save_weights_only: Save the weights only.
    """

    filepath: str | None
    verbose: int
    save_best_only: bool
    save_weights_only: bool
    save_freq: str | int
    resume_best: bool | str
    _schedule: SaveSchedule
    _options: Any
    _policy: Policy
    _current_epoch: int = 0
    _saved_step: int | None = None
    _saved_best: float | None = None
    _store_in_use: CheckpointStore | None = None
    _faults: FaultWatch | None = None
    _is_told_of_path: bool = False
    _is_told_of_wait: bool = False
    _is_told_of_name: bool = False

    @property
    def _store(self) -> CheckpointStore:
        if self._store_in_use is None:
            self._store_in_use = CheckpointStore(
                self._policy, self._warn, type(self).__name__
            )
        return self._store_in_use

    def get_state(self) -> dict[str, Any]:
        """The best value, that of what is saved, and what has been told."""
        return {
            **super().get_state(),
            "saved_best": self._saved_best,
            "is_told_of_wait": self._is_told_of_wait,
            "is_told_of_name": self._is_told_of_name,
            "time": time.time(),
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on with the best value, which a checkpoint may know better.

        Args:
            state: What `get_state` has answered.
        """
        super().set_state(state)
        self._is_told_of_wait |= state.get("is_told_of_wait", False)
        self._is_told_of_name |= state.get("is_told_of_name", False)

    def _prepare(self) -> None:
        """Finds out what is wrong before anything is spent on it."""
        self._is_told_of_wait = self._is_told_of_name = False
        self._faults = FaultWatch(self)
        target = self._target()
        own = {"epoch", "batch"} if self._schedule.is_by_batch else {"epoch"}
        paths.check(target, self._model, own, type(self).__name__)
        note = paths.note_of(target, self._options, self._runtime.name)
        if note and not self._is_told_of_path:
            self._is_told_of_path = True
            self._warn(f"{type(self).__name__}: {note}")
        if self.save_best_only or self._policy.keep_best:
            self._begin_monitoring()
        self._store.begin(target.path)
        self._take_stock()

    def _target(self) -> Target:
        return paths.target_of(
            self.filepath, self.save_weights_only, self._model
        )

    def _save_model(
        self, epoch: int, batch: int | None, logs: Logs | None
    ) -> None:
        """Saves the model, if it deserves it.

        Args:
            epoch: Zero-based index of the epoch.
            batch: Zero-based index of the batch; `None` at an epoch's end.
            logs: Metric name to value.
        """
        if self._faults is not None and self._faults.forbids(logs):
            return
        logs = self._runtime.to_python(logs)
        path, missing = self._fill(epoch, batch, logs)
        if self._should_save_model(epoch, batch, logs, path):
            self._tell_of_name(missing, path, logs)
            try:
                self._write(self.model, path, epoch, batch, logs)
            finally:
                self._take_stock()

    def _should_save_model(
        self, epoch: int, batch: int | None, logs: Logs, filepath: str
    ) -> bool:
        del batch
        result = self._judge(logs, filepath)
        if result.warning:
            self._warn(result.warning)
        if result.line:
            self._tell(epoch, result.line)
        if result.best is not None:
            self.best = result.best
        return result.is_to_save

    def _judge(self, logs: Logs, path: str) -> verdict.Verdict:
        if not self.save_best_only:
            return verdict.unjudged(path)
        value = self._monitored(logs)
        if value is None:
            if self._is_awaited:
                return verdict.Verdict(is_to_save=False)
            if self._is_worth_telling():
                self._tell_missing(logs)
            has_best = self._runtime.name != "keras3" or self.best is not None
            return verdict.Verdict(is_to_save=not has_best)
        if np.ndim(value) == 0:
            value = self._as_number(value)
        return verdict.judge(
            self.monitor, value, self.best, self._is_improvement, path
        )

    def _write(
        self, model: Any, path: str, epoch: int, batch: int | None, logs: Logs
    ) -> None:
        request = self._request(model, path, epoch, batch, logs)
        self._saved_step = request.note["step"]
        self._store.save(model, request, self._runtime)

    def _request(
        self, model: Any, path: str, epoch: int, batch: int | None, logs: Logs
    ) -> Request:
        """What the store is asked for."""
        target, runtime = self._target(), self._runtime
        return Request(
            path,
            target.form,
            self._options,
            self._note(model, epoch, batch, logs),
            target.path,
            is_chief=runtime.is_chief(model),
            when_done=lambda place: runtime.discard_write_path(place, model),
        )

    def _note(
        self, model: Any, epoch: int, batch: int | None, logs: Logs
    ) -> dict[str, Any]:
        """What is remembered of a checkpoint, inside it and in the manifest."""
        note: dict[str, Any] = {
            "epoch": epoch + 1,
            "batch": None if batch is None else batch + 1,
            "step": self._runtime.iterations(model),
            "time": time.time(),
            "metrics": _numbers_in(logs),
            "monitor": self.monitor,
        }
        if self._policy.keep_best:
            self._set_monitor_op()
        direction = self._settled_direction()
        if direction is not None:
            note["mode"] = direction.value
        if self.save_best_only and self._best is not None:
            note["best"] = self._best
        return note

    def _read_best(self) -> None:
        """Takes the best value of the run that goes on, if it is better."""
        newest = latest.newest(self._target().path)
        if newest is None:
            return
        best = self._best_in(notes.read(newest) or {})
        if best is None:
            self._warn(
                f"{type(self).__name__}: {newest!r} does not tell the best "
                f"`{self.monitor}` of the run that goes on; the first value "
                "will be taken for an improvement. Pass "
                "initial_value_threshold to keep a better model."
            )
        elif self._is_improvement(best, self._best):
            self.best = best

    def _resume_monitoring(self, state: Mapping[str, Any]) -> None:
        if self.save_best_only and self._settled_direction() is not None:
            state = {**state, "best": self._best_to_beat(state)}
        super()._resume_monitoring(state)
        self._saved_best = self._best

    def _best_to_beat(self, state: Mapping[str, Any]) -> float | None:
        """The best value of a resumed run, as far as the model is on disk.

        Before it was killed, the run may have saved a better one than the
        backup knows of; or it may not have come to save the one it knows of.
        """
        best: float | None = state.get("best")
        saved: float | None = state.get("saved_best")
        newest = latest.newest(self._target().path)
        note = (newest and notes.read(newest)) or {}
        on_disk = self._best_in(note)
        if on_disk is None:
            return saved
        is_later = note.get("time", 0.0) > state.get("time", math.inf)
        if (
            is_later
            and self.resume_best
            and self._is_improvement(on_disk, best)
        ):
            return on_disk
        is_lost = best is not None and self._is_improvement(best, on_disk)
        return saved if is_lost else best

    def _best_in(self, note: dict[str, Any]) -> float | None:
        """The best value a checkpoint tells of, or else its own."""
        own: float | None = note.get("metrics", {}).get(self.monitor)
        if note.get("monitor") != self.monitor:
            return own
        best: float | None = note.get("best", own)
        return best

    def _fill(
        self, epoch: int, batch: int | None, logs: Logs
    ) -> tuple[str, list[str]]:
        """The path for this worker, and the placeholders without a value."""
        values = {**logs, "epoch": epoch + 1}
        if batch is not None:
            values.setdefault("batch", batch + 1)
        path, missing = path_template.fill(self._target().path, values)
        return self._runtime.write_path(path, self._model), missing

    def _get_most_recently_modified_file_matching_pattern(
        self, pattern: str
    ) -> str | None:
        return latest.newest(pattern)

    def _load_newest(self) -> None:
        path = latest.newest(self._target().path)
        if path is None:
            return
        try:
            load_weights(self.model, path)
        except (OSError, ValueError) as error:
            raise InvalidArgument(
                f"Error loading file from {path}. Reason: {error}"
            ) from error

    def _tell(self, epoch: int, message: str) -> None:
        if self.verbose > 0:
            self._say(f"\nEpoch {epoch + 1}: {message}")

    def _hear(self) -> None:
        """Learns what has become of the saves that were asked for.

        Raises:
            Exception: What went wrong, with `on_error="raise"`.
        """
        try:
            self._store.tell_of_failures()
        finally:
            self._take_stock()

    def _take_stock(self) -> None:
        """Prints what Keras 3 prints after a save; forgets what failed."""
        for request in self._store.finished():
            self._saved_best = request.note.get("best", self._saved_best)
            if self.verbose > 0 and self._runtime.name == "keras3":
                self._say(
                    f"\nEpoch {request.note['epoch']}: finished saving model "
                    f"to {request.path}"
                )
        for _ in self._store.failed():
            self._saved_step = None
            if self.save_best_only:
                self._best = self._saved_best

    def _tell_of_name(self, missing: list[str], path: str, logs: Logs) -> None:
        if not missing or self._is_told_of_name:
            return
        self._is_told_of_name = True
        self._warn(
            f"{type(self).__name__}: the logs have no value for "
            f"{', '.join(map(repr, missing))} in filepath="
            f"{self.filepath!r}; the name stands in its place: {path!r}. "
            f"Available are: {', '.join(logs)}."
        )

    def _tell_of_wait(self) -> None:
        if self._is_told_of_wait:
            return
        self._is_told_of_wait = True
        self._warn(
            f"{type(self).__name__}: only the end of an epoch can bring "
            f"`{self.monitor}`. What save_freq={self.save_freq} makes due "
            "within an epoch is judged and saved at its end."
        )

    def _missing_text(self, available: str) -> str:
        del available
        end = "." if self._runtime.name == "keras3" else ", skipping."
        return f"Can save best model only with {self.monitor} available{end}"

    def __getstate__(self) -> dict[str, Any]:
        return {
            **super().__getstate__(),
            "_store_in_use": None,
            "_faults": None,
        }


def _numbers_in(logs: Logs) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in logs.items()
        if isinstance(value, (int, float, np.number))
    }
