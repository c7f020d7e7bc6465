"""How a callback saves the state in which training ends, well or not."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.callbacks._saves_models import SavesModels

if TYPE_CHECKING:
    from kerascb.callbacks._epoch_under_way import EpochUnderWay
    from kerascb.runtime import Logs

_IN_PATHS = (int, float, str, np.generic, np.ndarray)


class SavesLastState(SavesModels):
    """Saves the last state, where that was asked for and is not done already.

    Attributes:
        save_on_train_end: Save it when training ends.
        save_on_exception: Save it when an error or Ctrl-C ends `fit`.
    """

    save_on_train_end: bool
    save_on_exception: bool
    _epoch: EpochUnderWay
    _last_logs: Logs | None = None
    _step_at_epoch: int | None = None
    _watch: Any = None

    def get_state(self) -> dict[str, Any]:
        """What has been counted, and what the last epoch has logged."""
        logs = self._runtime.to_python(self._last_logs)
        return {
            **super().get_state(),
            "epoch": self._current_epoch,
            "schedule": self._schedule.state(),
            "last_logs": {
                name: copy.copy(value)
                for name, value in logs.items()
                if isinstance(value, _IN_PATHS)
            },
            "step_at_epoch": self._step_at_epoch,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on counting, and takes the last epoch for this fit's own.

        Args:
            state: What `get_state` has answered.
        """
        super().set_state(state)
        self._current_epoch = state.get("epoch", 0)
        self._epoch.restore(self._current_epoch)
        self._schedule.restore(state.get("schedule") or {})
        self._last_logs = dict(state.get("last_logs", {})) or None
        self._step_at_epoch = state.get("step_at_epoch")

    def _begin_watch(self) -> None:
        """Waits for an error to end the `fit` that begins."""
        self._end_watch()
        if self.save_on_exception:
            self._watch = self._runtime.watch_fit(
                self._model, self._save_after_failure
            )

    def _end_watch(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.close()

    def _save_after_failure(self, error: BaseException) -> None:
        """Saves what there is when `fit` ends with an error."""
        self._watch = None
        failure = self._try_to_save_last()
        if failure is None:
            return
        reason = ", for the same reason"
        if not _say_the_same(failure, error):
            reason = f": {failure}"
        self._warn(
            f"{type(self).__name__}: the state in which `fit` ended could not "
            f"be saved{reason}"
        )

    def _try_to_save_last(self) -> object:
        """Saves the last state; returns what went wrong, if something did."""
        if self._runtime.is_state_lost(self._model):
            return "the step that was interrupted took it along"
        try:
            self._store.warn_of_failures()
            self._save_last(self._last_logs)
            self._store.close()
        except Exception as failure:  # noqa: BLE001 - another one is raised
            return failure
        finally:
            self._take_stock()
        return None

    def _save_last(self, logs: Logs | None) -> None:
        """Saves the state of now, unless it is what was saved last."""
        step = self._runtime.iterations(self.model)
        is_end_of_epoch = bool(logs) and not self._schedule.is_by_batch
        batch = None if is_end_of_epoch else self._last_batch(step)
        where = self._current_epoch, batch, logs
        # Without a step a model can have been given other weights all the same.
        if (
            step is None
            or step != self._saved_step
            or not self._is_saved(*where)
        ):
            self._save_model(*where)

    def _is_saved(
        self, epoch: int, batch: int | None, logs: Logs | None
    ) -> bool:
        """Whether the newest checkpoint is what would be written now."""
        model, logs = self.model, self._runtime.to_python(logs)
        path, _ = self._fill(epoch, batch, logs)
        request = self._request(model, path, epoch, batch, logs)
        try:
            return self._store.is_written(model, request, self._runtime)
        finally:
            request.when_done(request.place)

    def _last_batch(self, step: int | None) -> int | None:
        """The batch that was trained last, where an epoch was not ended."""
        if self._schedule.is_by_batch:
            return self._schedule.batches.last_index
        if step is None or self._step_at_epoch is None:
            return None
        return max(step - self._step_at_epoch - 1, 0)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_watch": None}


def _say_the_same(failure: object, error: BaseException) -> bool:
    """Whether who has read the one learns nothing from the other."""
    if isinstance(failure, OSError) and isinstance(error, OSError):
        return failure.errno is not None and failure.errno == error.errno
    return type(failure) is type(error) and str(failure) == str(error)
