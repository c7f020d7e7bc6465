"""Take up a run that was interrupted where its last backup left it."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any

from kerascb import runtime
from kerascb.callbacks._backup_arguments import (
    BackupArguments,
    flags_by_name,
    hears_batches,
)
from kerascb.callbacks._backup_session import BackupSession
from kerascb.callbacks._callback_states import flat
from kerascb.callbacks._preemption import USUAL_SIGNALS
from kerascb.callbacks.callback import Callback, batch_hook
from kerascb.checkpoint.backups import BackupFolder
from kerascb.frequency import within_epoch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kerascb.runtime import Logs


class BackupAndRestore(Callback):
    """Backs up a run, and goes on from the backup if it is started again.

    Start the same script again after a crash, a kill or a power cut: `fit`
    goes on as if nothing had happened. Back come the weights, the optimizer,
    the metrics of an epoch that was begun, the states of random generators,
    the `History`, what the other callbacks remember (see
    `Callback.get_state`), and the position in the data: batches that were
    trained are passed over. `docs/resume.md` says for which sources of data
    the resumed run equals an uninterrupted one to the bit. When training has
    ended the backup is removed; after an exception, Ctrl-C or a loss that is
    NaN it stays.

    A backup is complete or not there at all, whenever the process is killed,
    and the one before it is kept, in case a disk damages the newest. It is
    written in the background; while that takes, the next one waits. Only files
    of a backup are ever removed. A second run cannot use the same folder at
    the same time.

    It makes no difference where in the list of callbacks it stands. There may
    be several in one list, each with a folder of its own: often on a disk at
    hand, say, and seldom far away. The run goes on from the backup that is
    farthest.

    Args:
        backup_dir: The folder for the backups. It is made when needed, and
            belongs to this run alone.
        save_freq: `"epoch"` for a backup after each epoch; a number of batches
            (≥ 1), counted over the borders of epochs; `"auto"` for as often
            as `overhead` allows, at most a few times a minute; or `False` if
            `every_n_seconds` or `save_before_preemption` says when.
        *flags: The flags below by position, as the Keras in force orders them:
            `delete_checkpoint, save_before_preemption` with Keras 2,
            `double_checkpoint, delete_checkpoint` with Keras 3.
        double_checkpoint: Accepted; the backup before the latest one is kept
            in any case.
        delete_checkpoint: Remove the backups when training has ended.
        save_before_preemption: Back up when the machine is about to be taken
            away, and end `fit` with `kerascb.errors.Preempted`; a script then
            ends with status 143. The batch that is being trained is finished
            first.
        background: Write while training goes on; else training waits.
        every_n_seconds: Back up at the end of the first batch after so many
            seconds (> 0); goes with `save_freq=False`.
        overhead: How much of the time of the run backups may take with
            `save_freq="auto"` (between 0 and 1).
        mid_epoch: `"exact"`: a run that is restored within an epoch goes on
            with the next batch. `"restart"`: it goes through the whole epoch
            again, with the weights restored, as Keras 3 does.
        preemption_signals: What announces a preemption, as numbers or names
            of signals.
        preemption_file: Or the path of a file that announces it by being
            there; looked for once a second.
        preemption_budget_s: Seconds that a preemption may take at most, from
            the end of the batch on: until what is being written and the last
            backup are on disk (> 0).

    Raises:
        InvalidArgument: If an argument is none of the above.
        UnwritablePath: When training begins, if `backup_dir` cannot be written
            to.
        BackupInUse: When training begins, if another run is using it.
        UnreadableBackup: When training begins, if there are backups and none
            of them can be read.
        BackupOfOtherModel: When training begins, if the backup is one of
            another model. Nothing is deleted.
        ValueError: When training begins, if there is a backup, and the model
            is not built and cannot be.
        Preempted: In the middle of training; see `save_before_preemption`.

    Attributes:
        backup_dir: As given.
        save_freq: As given.
        double_checkpoint: As given.
        delete_checkpoint: As given.
        save_before_preemption: As given.

    Example:
        >>> import os, tempfile
        >>> from kerascb.testing import drive
        >>> folder = os.path.join(tempfile.mkdtemp(), "backup")
        >>> _ = drive([BackupAndRestore(folder)], losses=[0.5, 0.25])
        >>> os.path.exists(folder)  # training has ended
        False
    """

    _supports_tf_logs = True
    _chief_worker_only = False
    _session: BackupSession | None = None

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: Any = "epoch",
        *flags: bool,
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
        save_before_preemption: bool = False,
        background: bool = True,
        every_n_seconds: float | None = None,
        overhead: float = 0.03,
        mid_epoch: str = "exact",
        preemption_signals: Sequence[int | str] = USUAL_SIGNALS,
        preemption_file: str | os.PathLike[str] | None = None,
        preemption_budget_s: float = 25.0,
    ) -> None:
        super().__init__()
        self._runtime.require_backups()
        self.backup_dir = backup_dir
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self.save_before_preemption = save_before_preemption
        self.background = background
        self.every_n_seconds = every_n_seconds
        self.overhead = overhead
        self.mid_epoch = mid_epoch
        self.preemption_signals = preemption_signals
        self.preemption_file = preemption_file
        self.preemption_budget_s = preemption_budget_s
        for name, value in flags_by_name(self._runtime.name, flags).items():
            setattr(self, name, value)
        self._arguments().validate()
        # What Keras's own tests, and scripts, ask for.
        folder = BackupFolder(os.fspath(backup_dir))
        self._weights_path = self._training_metadata_path = folder.latest
        self._prev_weights_path = folder.previous
        self._prev_training_metadata_path = folder.previous
        self._current_epoch = self._last_batch_seen = 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Restores the model from the latest backup, if there is one.

        Args:
            logs: Not used.
        """
        del logs
        if self._session is not None:
            self._session.end()  # of a fit whose failure was not noticed
        self._session = BackupSession(
            self._arguments(),
            model=self._model,
            runtime=self._runtime,
            params=self.params or {},
            warn=self._warn,
            others=list(self._sessions_before()),
        )
        self._session.begin(self)
        self._current_epoch = self._session.position.epoch

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Goes to where a restored run was in its data.

        Args:
            epoch: Zero-based index of the epoch.
            logs: Not used.
        """
        del logs
        self._current_epoch = epoch
        if self._session is not None and self._session.is_alone:
            self._session.after_epoch_begin(epoch)

    @batch_hook(hears_batches)
    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Backs up if that is due, or before a preemption.

        Args:
            batch: Zero-based index of the batch within its epoch.
            logs: Only the loss is looked at, and only when a backup is due.
        """
        self._last_batch_seen = within_epoch(batch, self._steps_in_epoch)
        if self._session is not None and self._session.is_alone:
            self._session.after_train_batch(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Backs up if that is due.

        Args:
            epoch: Zero-based index of the epoch.
            logs: Only the loss is looked at.
        """
        self._current_epoch, self._last_batch_seen = epoch + 1, 0
        if self._session is not None and self._session.is_alone:
            self._session.after_epoch(epoch, logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Removes the backups, unless the loss has become NaN or infinite.

        Args:
            logs: Only the loss is looked at.
        """
        if self._session is not None and self._session.is_alone:
            self._session.after_train(logs)

    def wait(self) -> None:
        """Returns when the backups that have been made are on disk.

        Raises:
            Exception: What went wrong with one of them.
        """
        if self._session is not None:
            self._session.wait()

    def _sessions_before(self) -> Iterator[BackupSession]:
        """What others of its kind, which stand before it, have begun."""
        for one in flat(runtime.siblings_of(self) or ()):
            if one is self:
                return
            session = getattr(one, "_session", None)
            if isinstance(one, BackupAndRestore) and session is not None:
                yield session

    def _arguments(self) -> BackupArguments:
        return BackupArguments(
            **{
                field.name: getattr(self, field.name)
                for field in dataclasses.fields(BackupArguments)
            }
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_session": None}
