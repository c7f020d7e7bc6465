"""A fit from its beginning to its end, as BackupAndRestore goes along."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kerascb.callbacks._backed_run import BackedRun
from kerascb.callbacks._backup_arguments import (
    BackupArguments,
    hears_batches,
)
from kerascb.callbacks._backup_schedule import BackupSchedule
from kerascb.callbacks._faults import fault_in
from kerascb.callbacks._last_word import LastWord
from kerascb.callbacks._pending_checks import is_finite
from kerascb.callbacks._preemption import PreemptionNotice, as_signals
from kerascb.callbacks._shared_fit import SharedFit
from kerascb.checkpoint.places import obstacle_found_in
from kerascb.frequency import within_epoch
from kerascb.paths import refuse_unwritable
from kerascb.runtime import Position

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kerascb.callbacks.callback import Callback
    from kerascb.runtime import Logs, Runtime, Watch

_LOOK_S = 0.1
"""How often who waits for the disk looks whether the machine is to go."""


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
        others: The same fit, as it is backed up in other folders; they have
            begun before.

    Attributes:
        is_alone: No list calls the callback, but the user's own code; the
            callback has to pass the events on by itself.
        position: Where the fit is: the next batch to train.
        fit: What is shared with the others.
    """

    def __init__(
        self,
        asked: BackupArguments,
        *,
        model: Any,
        runtime: Runtime,
        params: dict[str, Any],
        warn: Callable[[str], None],
        others: Sequence[BackupSession] = (),
    ) -> None:
        self.is_alone = True
        self.position = Position(0)
        self._asked = asked
        self._model = model
        self._runtime = runtime
        self._params = params
        self._warn = warn
        self.fit: SharedFit = (
            others[0].fit if others else SharedFit(runtime.data_position(model))
        )
        self._run = BackedRun(
            model, runtime, asked.directory, params, warn, self.fit
        )
        self._schedule = self._new_schedule()
        self._last_word = LastWord(self, model, params)
        self._siblings: list[Any] = []
        self._notice: PreemptionNotice | None = None
        self._watch: Watch | None = None
        self._is_start_set = False
        self._deadline: float | None = None

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
        refuse_unwritable(
            self._asked.directory, "backup_dir", obstacle_found_in
        )
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
        self._run.close(self._time_left())

    # -- what the last word tells --------------------------------------------

    def after_train_begin(self) -> None:
        """Gives the other callbacks back what they remembered."""
        try:
            # Others of the list may have said otherwise since.
            self.position = self.fit.start
            self._set_start()
            self._run.restore_callbacks(self._siblings)
        except BaseException:
            self.end()
            raise

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
            self._wait_for_disk()
            self._obey_notice(logs)
            is_done = self._asked.delete_checkpoint and self._is_sound(logs)
            self._run.warn_of_failures(
                "Training has ended; nothing is lost by that."
                if is_done
                else "The one before it stays, if there is one."
            )
            if is_done:
                self._run.delete()
            elif not self._is_sound(logs):
                self._tell_of_loss(logs)
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
        if position is not None:
            if self._asked.mid_epoch == "restart":
                position = Position(position.epoch)
            self.fit.start = position
            self._is_start_set = True
            self._set_start()
        self.position = self.fit.start

    def _set_start(self) -> None:
        """Tells `fit` where to begin, if that is known here."""
        if self._is_start_set:
            start = self.fit.start
            self._runtime.start_fit_at(self._model, start.epoch, start.batch)

    def _go_on(self, logs: Logs | None, *, is_due: bool) -> None:
        self._obey_notice(logs)
        if is_due and self._is_sound(logs):
            start = time.monotonic()
            self._back_up(logs)
            if not self._asked.background:
                self._wait_for_disk()
                self._obey_notice(logs)
                self._run.tell_of_failures()
            self._schedule.saved(
                time.monotonic() - start, is_written=not self._asked.background
            )
        for seconds in self._run.written():
            self._schedule.written(seconds)
        warning = self._schedule.pop_warning()
        if warning is not None:
            self._warn(f"BackupAndRestore: {warning}")

    def _back_up(self, logs: Logs | None) -> None:
        self._run.back_up(self.position, logs, is_stopped=self._is_stopped)

    @property
    def _has_notice(self) -> bool:
        return self._notice is not None and self._notice.is_given

    def _wait_for_disk(self) -> None:
        """Returns when what was backed up is written, or at a notice."""
        while not (self._run.has_written(_LOOK_S) or self._has_notice):
            pass

    def _obey_notice(self, logs: Logs | None) -> None:
        """Backs up and ends the fit, if the machine is about to go."""
        if self._notice is None or not self._notice.is_given:
            return
        budget_s = self._asked.preemption_budget_s
        self._deadline = time.monotonic() + budget_s
        obstacle: str | None = None
        cause: Exception | None = None
        try:
            if not self._is_sound(logs):
                obstacle = "its loss is NaN or infinite"
            elif not self._is_backed_up_in_time(logs):
                obstacle = f"that was not done after {budget_s:g} s"
        except Exception as failure:  # noqa: BLE001 - the cause of what follows
            obstacle, cause = str(failure) or repr(failure), failure
        self._run.close(self._time_left())
        error = self._notice.error(
            self._asked.directory,
            is_saved=obstacle is None,
            obstacle=obstacle,
        )
        raise error from (cause or error.__cause__)

    def _is_backed_up_in_time(self, logs: Logs | None) -> bool:
        if not self._run.has_written(self._time_left()):
            return False
        self._run.warn_of_failures("The state is backed up anew.")
        self._back_up(logs)
        return self._run.wait(self._time_left())

    def _time_left(self) -> float | None:
        """Seconds until the machine may be gone; `None` if it stays."""
        if self._deadline is None:
            return None
        return max(0.0, self._deadline - time.monotonic())

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

    def _is_sound(self, logs: Logs | None) -> bool:
        if fault_in(self._siblings, logs) is not None:
            return False
        if not logs or "loss" not in logs:
            return True
        loss = self._runtime.to_python({"loss": logs["loss"]}).get("loss")
        return is_finite(loss)

    def _tell_of_loss(self, logs: Logs | None) -> None:
        if not self._run.has_backup():
            return
        fault = fault_in(self._siblings, logs)
        what = f"values ({fault}) that are" if fault else "a loss that is"
        self._warn(
            f"BackupAndRestore: training ended with {what} NaN or infinite; "
            "the last backup before that stays in "
            f"{self._asked.directory!r}, and the next fit goes on from it. "
            "Remove the directory to train from the beginning."
        )
