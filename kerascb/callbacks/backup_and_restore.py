"""Take up a run that was interrupted where its last backup left it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.callbacks.callback import Callback, batch_hook
from kerascb.errors import InvalidArgument
from kerascb.frequency import (
    BatchCounter,
    validate_save_freq,
    within_epoch,
)
from kerascb.paths import refuse_unwritable
from kerascb.runtime import (
    BackupFiles,
    BackupPlan,
    BackupStore,
    Logs,
    Position,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_FLAGS = {
    "keras2": ("delete_checkpoint", "save_before_preemption"),
    "keras3": ("double_checkpoint", "delete_checkpoint"),
}


class BackupAndRestore(Callback):
    """Backs up a run, and goes on from the backup if it is started again.

    Start the same script again after a crash: `fit` puts back the weights and
    the optimizer, and goes on with the epoch that was not completed. When
    training ends the backup is removed.

    A backup is complete or not there at all, whenever the process is killed:
    the one before is replaced only by a complete one. A state whose loss is
    not finite is never backed up; if training ends with such a loss, the
    backup before it stays. Only files of a backup are ever removed.

    With Keras 3 a run that is restored within an epoch goes through the whole
    epoch again; Keras 2 goes on with the next batch's number, but with the
    data's first batch.

    Args:
        backup_dir: The folder for the backups. It is made when needed, and
            belongs to this run alone.
        save_freq: `"epoch"` for a backup after each epoch, a number of batches
            (≥ 1), counted over the borders of epochs, or `False` together with
            `save_before_preemption=True`.
        *flags: The flags below by position, as the Keras in force orders them:
            `delete_checkpoint, save_before_preemption` with Keras 2,
            `double_checkpoint, delete_checkpoint` with Keras 3.
        double_checkpoint: Keep the backup before the latest one too, and take
            it if the latest cannot be read.
        delete_checkpoint: Remove the backups when training has ended.
        save_before_preemption: Back up when the machine is about to be taken
            away, where TensorFlow hears of that: Keras 2 under a
            `MultiWorkerMirroredStrategy` on Google Cloud.

    Raises:
        InvalidArgument: If `backup_dir` is empty, `save_freq` is none of the
            above, or neither `save_freq` nor `save_before_preemption` is set.
        UnwritablePath: When training begins, if `backup_dir` cannot be written
            to.
        UnsupportedRuntime: When training begins, if `save_before_preemption`
            is asked of Keras 3.
        UnreadableBackup: When training begins, if there is a backup that
            cannot be read, and no other.
        ValueError: When training begins, if a Keras 3 model is not built.

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
    _store: BackupStore | None = None
    _counter: BatchCounter | None = None

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: Any = "epoch",
        *flags: bool,
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
        save_before_preemption: bool = False,
    ) -> None:
        super().__init__()
        self._runtime.require_backups()
        self.backup_dir = backup_dir
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self.save_before_preemption = save_before_preemption
        names = _FLAGS[self._runtime.name]
        for name, value in _by_name(names, flags).items():
            setattr(self, name, value)
        _validate(backup_dir, save_freq, self.save_before_preemption)
        files = BackupFiles.latest_in(os.fspath(backup_dir))
        self._weights_path = files.weights
        self._training_metadata_path = files.metadata
        self._prev_weights_path = files.previous.weights
        self._prev_training_metadata_path = files.previous.metadata
        self._current_epoch = 0
        self._last_batch_seen = 0
        self._resumed_batch = 0
        self._has_set_start = False

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Restores the latest backup, if there is one.

        Args:
            logs: Not used.
        """
        del logs
        folder = os.fspath(self.backup_dir)
        refuse_unwritable(folder, "backup_dir")
        self._forget_start()
        self._counter = self._new_counter()
        self._store = self._runtime.backup_store(
            self._model,
            BackupPlan(
                folder,
                keep_previous=self.double_checkpoint,
                by_batch=self.save_freq != "epoch",
                steps=self._steps_in_epoch,
                before_preemption=self.save_before_preemption,
            ),
        )
        position = self._store.restore()
        if position is None:
            self._current_epoch = self._resumed_batch = 0
            return
        self._current_epoch = position.epoch
        self._resumed_batch = position.batch
        self._runtime.start_fit_at(self._model, position.epoch, position.batch)
        self._has_set_start = True

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Notes the epoch; the next `fit` shall begin as it is told.

        Args:
            epoch: Zero-based index of the epoch.
            logs: Not used.
        """
        del logs
        # `fit` has read where to start by now. Taking it back at the end
        # would leave it to the next `fit` if this one is interrupted.
        self._forget_start()
        self._current_epoch = epoch
        if self._counter is not None:
            self._counter.begin_epoch(first=self._resumed_batch)
        self._resumed_batch = 0

    @batch_hook(
        lambda self: self.save_freq != "epoch" or self.save_before_preemption
    )
    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Backs up every `save_freq` batches, or before a preemption.

        Args:
            batch: Zero-based index of the batch within its epoch.
            logs: Only the loss is looked at, and only when a backup is due.
        """
        batch = within_epoch(batch, self._steps_in_epoch)
        self._last_batch_seen = batch
        position = _position_after(
            self._current_epoch, batch, self._steps_in_epoch
        )
        if self.save_before_preemption and self._store is not None:
            self._store.save_if_preempted(position)
        if self._counter is not None and self._counter.is_due_after(batch):
            self._save(position, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Backs up, unless that is done by batches.

        Args:
            epoch: Zero-based index of the epoch.
            logs: Only the loss is looked at.
        """
        self._current_epoch = epoch + 1
        self._last_batch_seen = 0
        if self.save_freq == "epoch":
            self._save(Position(epoch + 1), logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Removes the backups, unless the loss has become NaN or infinite.

        Args:
            logs: Only the loss is looked at.
        """
        self._forget_start()
        if self._store is None or not self.delete_checkpoint:
            return
        if self._is_sound(logs):
            self._store.delete()
        else:
            self._warn(
                "BackupAndRestore: training ended with a loss that is NaN or "
                "infinite; the last backup before that stays in "
                f"{os.fspath(self.backup_dir)!r}, and the next fit goes on "
                "from it. Remove the directory to train from the beginning."
            )

    def _save(self, position: Position, logs: Logs | None) -> None:
        if self._store is not None and self._is_sound(logs):
            self._store.save(position)

    def _is_sound(self, logs: Mapping[str, Any] | None) -> bool:
        if not logs or "loss" not in logs:
            return True
        loss = self._runtime.to_python({"loss": logs["loss"]}).get("loss")
        return _is_finite(loss)

    def _forget_start(self) -> None:
        if self._has_set_start:
            self._runtime.forget_start(self._model)
            self._has_set_start = False

    def _new_counter(self) -> BatchCounter | None:
        if self.save_freq == "epoch" or not self.save_freq:
            return None
        if self._runtime.has_remote_steps():
            self._warn(
                f"BackupAndRestore: save_freq={self.save_freq} has no effect "
                "under a ParameterServerStrategy, whose batches end in no "
                "order; nothing is backed up. Pass save_freq='epoch'."
            )
            return None
        return BatchCounter(self.save_freq)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_store": None}


def _by_name(
    names: tuple[str, ...], values: tuple[bool, ...]
) -> dict[str, bool]:
    """What was given by position, under the names of the Keras in force."""
    if len(values) > len(names):
        raise TypeError(
            f"BackupAndRestore takes at most {2 + len(names)} positional "
            f"arguments, the last of them {' and '.join(names)}; got "
            f"{2 + len(values)}. Pass the others by name."
        )
    return dict(zip(names, values, strict=False))


def _validate(
    backup_dir: Any, save_freq: Any, save_before_preemption: bool
) -> None:
    if not backup_dir:
        raise InvalidArgument(
            "Empty `backup_dir` argument passed; got "
            f"backup_dir={backup_dir!r}. Pass the path of a folder."
        )
    if save_freq is None or save_freq is False:
        if not save_before_preemption:
            raise InvalidArgument(
                "Either `save_freq` or `save_before_preemption` must be set. "
                f"Received: save_freq={save_freq}. Pass save_freq='epoch' or "
                "a number of batches."
            )
        return
    validate_save_freq(
        save_freq,
        "Invalid value for argument `save_freq`. Received: "
        f"save_freq={save_freq}. Expected either 'epoch' or an integer value.",
    )


def _is_finite(loss: Any) -> bool:
    """Whether all of a loss is finite; what is no number may be anything."""
    numbers = np.asarray(loss)
    return not np.issubdtype(numbers.dtype, np.number) or bool(
        np.isfinite(numbers).all()
    )


def _position_after(epoch: int, batch: int, steps: int | None) -> Position:
    """Where to go on after a batch; after the last one, in the next epoch."""
    if steps is not None and batch >= steps - 1:
        return Position(epoch + 1)
    return Position(epoch, batch + 1)
