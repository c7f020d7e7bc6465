"""A fit from its beginning to its end, as BackupAndRestore goes along."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.callbacks._backed_run import BackedRun
from kerascb.callbacks._backup_arguments import (
    BackupArguments,
    hears_batches,
)
from kerascb.callbacks._backup_schedule import BackupSchedule
from kerascb.callbacks._last_word import LastWord
from kerascb.callbacks._preemption import PreemptionNotice, as_signals
from kerascb.frequency import within_epoch
from kerascb.paths import refuse_unwritable
from kerascb.runtime import Position

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kerascb.callbacks.callback import Callback
    from kerascb.runtime import Logs, Runtime, Watch


class BackupSession:
    """Restores one fit at its beginning and backs it up as it goes.

    Everything but the restoring of the model is done when all callbacks of the
    list have had the event: what is backed up is then the state that an
    uninterrupted run has at that instant, wherever the callback stands.

    Args:
        asked: What the user wants.
        model: The model that is trained.
        runtime: Its Keras.
        params: What `fit` has told the callbacks.
        warn: Tells the user something.

    Attributes:
        is_alone: No list calls the callback, but the user's own code; the
            callback has to pass the events on by itself.
        position: Where the fit is: the next batch to train.
    """

    def __init__(
        self,
        asked: BackupArguments,
        *,
        model: Any,
        runtime: Runtime,
        params: dict[str, Any],
        warn: Callable[[str], None],
    ) -> None:
        self.is_alone = True
        self.position = Position(0)
        self._asked = asked
        self._model = model
        self._runtime = runtime
        self._params = params
        self._warn = warn
        self._run = BackedRun(model, runtime, asked.directory, params, warn)
        self._schedule = self._new_schedule()
        self._last_word = LastWord(self, model, params)
        self._siblings: list[Any] = []
        self._notice: PreemptionNotice | None = None
        self._watch: Watch | None = None
        self._is_start_set = False

    @property
    def hears_batches(self) -> bool:
        """Whether anything can be due at the end of a batch."""
        return hears_batches(self._asked)

    def begin(self, callback: Callback) -> None:
        """Restores the model, and takes the last place in the list.

        Args:
            callback: Whose `on_train_begin` is running.

        Raises:
            Exception: See `BackupAndRestore`.
        """
        self._runtime.require_backups(self._model)
        refuse_unwritable(self._asked.directory, "backup_dir")
        self._run.open()
        self._watch = self._runtime.watch_fit(
            self._model, lambda error: self.end()
        )
        try:
            self._restore()
        except BaseException:
            self.end()
            raise
        self._siblings = self._last_word.join(callback) or [callback]
        self.is_alone = self._last_word not in self._siblings
        if self.is_alone:
            self.after_train_begin()

    def wait(self) -> None:
        """Returns when what was backed up is on disk."""
        self._run.wait()

    def end(self) -> None:
        """Ends what was begun; a second time does nothing."""
        self._forget_start()
        self._last_word.leave()
        if self._notice is not None:
            self._notice.close()
        if self._watch is not None:
            self._watch.close()
        self._notice = self._watch = None
        self._run.close()

    # -- what the last word tells --------------------------------------------

    def after_train_begin(self) -> None:
        """Gives the other callbacks back what they remembered."""
        self._run.restore_callbacks(self._siblings)

    def after_epoch_begin(self, epoch: int) -> None:
        """Goes to where the restored fit was in its data."""
        # `fit` has read where to start by now. Taking it back at the end
        # would leave it to the next `fit` if this one is interrupted.
        self._forget_start()
        self._listen()
        is_next = epoch == self.position.epoch
        first = self.position.batch if is_next else 0
        self.position = Position(epoch, first)
        self._run.begin_epoch(epoch, first)
        self._schedule.begin_epoch(first)

    def after_train_batch(self, batch: int, logs: Logs | None) -> None:
        """Backs up if it is time, or if the machine is about to go."""
        batch = within_epoch(batch, self._params.get("steps"))
        self.position = Position(self.position.epoch, batch + 1)
        is_due = self._schedule.is_due_after_batch(
            batch, is_writing=self._run.is_writing
        )
        if not self._is_stopped:
            self._go_on(logs, is_due=is_due)
        elif is_due:
            # An epoch that is being stopped is backed up at its end: it has
            # no next batch.
            self._schedule.postpone()

    def after_epoch(self, epoch: int, logs: Logs | None) -> None:
        """Backs up likewise."""
        self.position = Position(epoch + 1)
        is_due = self._schedule.is_due_after_epoch(
            is_writing=self._run.is_writing
        )
        self._go_on(logs, is_due=is_due)

    def after_train(self, logs: Logs | None) -> None:
        """Removes the backups, unless training has gone wrong."""
        try:
            if not self._asked.delete_checkpoint:
                self._run.wait()
            elif self._is_sound(logs):
                self._run.warn_of_failures()
                self._run.delete()
            else:
                self._run.wait()
                self._tell_of_loss()
        finally:
            self.end()

    def _listen(self) -> None:
        """Waits for a notice, if asked to.

        From the first epoch on: a fit that fails before is not noticed, and
        nothing would be lost with it.
        """
        if self._notice is None and self._asked.save_before_preemption:
            self._notice = PreemptionNotice(
                as_signals(self._asked.preemption_signals),
                self._asked.preemption_file,
                self._warn,
            )
            self._notice.install()

    # -- how -----------------------------------------------------------------

    def _restore(self) -> None:
        position = self._run.restore_model(by_batch=self.hears_batches)
        if position is None:
            return
        if self._asked.mid_epoch == "restart":
            position = Position(position.epoch)
        self.position = position
        self._runtime.start_fit_at(self._model, position.epoch, position.batch)
        self._is_start_set = True

    def _go_on(self, logs: Logs | None, *, is_due: bool) -> None:
        if self._notice is not None and self._notice.is_given:
            self._leave(self._notice, logs)
        elif is_due and self._is_sound(logs):
            start = time.monotonic()
            is_in_background = self._asked.background
            self._back_up(logs, background=is_in_background)
            self._schedule.saved(
                time.monotonic() - start, is_written=not is_in_background
            )
        for seconds in self._run.written():
            self._schedule.written(seconds)
        warning = self._schedule.pop_warning()
        if warning is not None:
            self._warn(f"BackupAndRestore: {warning}")

    def _back_up(self, logs: Logs | None, *, background: bool) -> None:
        self._run.back_up(
            self.position,
            logs,
            background=background,
            is_stopped=self._is_stopped,
        )

    def _leave(self, notice: PreemptionNotice, logs: Logs | None) -> None:
        """Backs up and ends the fit."""
        is_saved = False
        try:
            if self._is_sound(logs):
                self._run.warn_of_failures()
                self._back_up(logs, background=True)
                is_saved = self._run.wait(self._asked.preemption_budget_s)
        except Exception as failure:
            error = notice.error(self._asked.directory, is_saved=False)
            raise error from failure
        raise notice.error(self._asked.directory, is_saved=is_saved)

    @property
    def _is_stopped(self) -> bool:
        model = self._runtime.bare(self._model)
        return bool(getattr(model, "stop_training", False))

    def _forget_start(self) -> None:
        if self._is_start_set:
            self._runtime.forget_start(self._model)
            self._is_start_set = False

    def _new_schedule(self) -> BackupSchedule:
        save_freq = self._asked.save_freq
        if self.hears_batches and self._runtime.has_remote_steps():
            self._warn(
                f"BackupAndRestore: save_freq={save_freq} has no effect "
                "under a ParameterServerStrategy, whose batches end in no "
                "order; nothing is backed up. Pass save_freq='epoch'."
            )
            save_freq = False
        return BackupSchedule(
            save_freq, self._asked.every_n_seconds, self._asked.overhead
        )

    def _is_sound(self, logs: Mapping[str, Any] | None) -> bool:
        if not logs or "loss" not in logs:
            return True
        loss = self._runtime.to_python({"loss": logs["loss"]}).get("loss")
        return _is_finite(loss)

    def _tell_of_loss(self) -> None:
        self._warn(
            "BackupAndRestore: training ended with a loss that is NaN or "
            "infinite; the last backup before that stays in "
            f"{self._asked.directory!r}, and the next fit goes on from it. "
            "Remove the directory to train from the beginning."
        )


def _is_finite(loss: Any) -> bool:
    """Whether all of a loss is finite; what is no number may be anything."""
    numbers = np.asarray(loss)
    return not np.issubdtype(numbers.dtype, np.number) or bool(
        np.isfinite(numbers).all()
    )
