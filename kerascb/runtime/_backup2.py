"""The backups of Keras 2: a TensorFlow checkpoint that is numbered anew."""

from __future__ import annotations

import os
import re
from typing import Any

import tensorflow as tf

from kerascb.errors import UnreadableBackup
from kerascb.runtime._backup import BackupPlan, Position

_OWN_FILE = re.compile(r"checkpoint(\.tmp.*)?|ckpt-\d+.*")
_UNSET = -1
_UNREADABLE = (tf.errors.OpError, IndexError)
"""What TensorFlow raises for damaged files; `IndexError` for short ones."""


def require_eager() -> None:
    """Refuses graph mode, in Keras 2's words.

    Raises:
        ValueError: If TensorFlow does not execute eagerly here.
    """
    if tf.executing_eagerly():
        return
    if tf.inside_function():
        raise ValueError(
            "This Callback's method contains Python state and should be "
            "called outside of `tf.function`s."
        )
    raise ValueError(
        "BackupAndRestore only supports eager mode. In graph mode, consider "
        "using ModelCheckpoint to manually save and restore weights with "
        "`model.load_weights()` and by providing `initial_epoch` in "
        "`model.fit()` for fault tolerance."
    )


def require_supported(strategy: Any) -> None:
    """Refuses strategies whose state a checkpoint does not hold.

    Raises:
        NotImplementedError: If it is one of those.
    """
    supported = (
        tf.distribute.MirroredStrategy,
        tf.distribute.MultiWorkerMirroredStrategy,
        tf.distribute.TPUStrategy,
        tf.distribute.experimental.TPUStrategy,
        tf.distribute.experimental.ParameterServerStrategy,
    )
    if strategy is not None and not isinstance(strategy, supported):
        raise NotImplementedError(
            f"{type(strategy)} is not supported yet. Currently "
            "BackupAndRestore callback only supports empty strategy, "
            "MirroredStrategy, MultiWorkerMirroredStrategy and TPUStrategy."
        )


class CheckpointBackups:
    """Backups as Keras 2 lays them out, in the subfolder `chief`.

    They can be read by Keras 2, and its own are read.

    Args:
        model: The model.
        plan: The run.
        distributed_files: Keras 2's module for the files of many workers.
    """

    def __init__(
        self, model: Any, plan: BackupPlan, distributed_files: Any
    ) -> None:
        self._model = model
        self._plan = plan
        self._distributed_files = distributed_files
        self._strategy = model.distribute_strategy
        self._epoch = _counter("ckpt_saved_epoch")
        self._batch = _counter("ckpt_saved_batch")
        # Keras 2's own two leave open whether the epoch had been completed.
        self._next_batch = _counter("kerascb_next_batch")
        self._checkpoint = tf.train.Checkpoint(
            model=model,
            ckpt_saved_epoch=self._epoch,
            ckpt_saved_batch=self._batch,
            kerascb_next_batch=self._next_batch,
            train_counter=model._train_counter,
        )
        self._reader = self._manager(os.path.join(plan.directory, "chief"))
        folder = distributed_files.write_dirpath(plan.directory, self._strategy)
        self._is_chief = self._strategy.extended.should_checkpoint
        self._writer = self._reader if self._is_chief else self._manager(folder)
        self._preemption = self._watch_preemption()

    def _manager(self, folder: str) -> Any:
        return tf.train.CheckpointManager(
            self._checkpoint,
            directory=folder,
            max_to_keep=2 if self._plan.keep_previous else 1,
        )

    @property
    def hears_preemption(self) -> bool:
        """Whether a notice of preemption will reach this process."""
        return self._preemption is not None

    def _watch_preemption(self) -> Any:
        if not self._plan.before_preemption or not (
            self._distributed_files.support_on_demand_checkpoint_callback(
                self._strategy
            )
        ):
            return None
        # Making it restores the latest checkpoint.
        handler = tf.distribute.experimental.PreemptionCheckpointHandler(
            self._strategy.cluster_resolver, self._writer
        )
        handler._read_checkpoint_manager = self._reader
        self._model._preemption_handler = handler
        return handler

    def restore(self) -> Position | None:
        """Takes the previous backup where the latest cannot be read."""
        if self._preemption is not None:
            return self._position()
        failures = []
        for path in reversed(self._reader.checkpoints):
            failure = self._failure_to_read(path)
            if failure is None:
                return self._position()
            failures.append(failure)
        if not failures:
            return None
        raise UnreadableBackup(self._plan.directory, failures[0]) from failures[
            0
        ]

    def _failure_to_read(self, path: str) -> Exception | None:
        try:
            # An unbuilt model takes its part when its variables appear.
            self._checkpoint.restore(path).expect_partial()
        except _UNREADABLE as error:
            return error
        return None

    def _position(self) -> Position | None:
        epoch, next_batch = (
            int(self._epoch.numpy()),
            int(self._next_batch.numpy()),
        )
        if next_batch == _UNSET:
            return position_of_keras2(
                epoch, int(self._batch.numpy()), self._plan
            )
        if next_batch == 0:
            return Position(epoch + 1)
        return Position(epoch, next_batch)

    def save(self, position: Position) -> None:
        """Writes under a new number, then points to it."""
        self._note(position)
        if self._writer.save():
            self._distributed_files.remove_temp_dirpath(
                self._writer.directory, self._strategy
            )

    def save_if_preempted(self, position: Position) -> None:
        """Lets TensorFlow ask all workers, and save if one is to go."""
        if self._preemption is None:
            return
        self._note(position)
        self._preemption._run_counter += 1
        self._preemption._check_preemption_and_maybe_checkpoint()

    def _note(self, position: Position) -> None:
        is_epoch_complete = position.batch == 0
        self._epoch.assign(position.epoch - is_epoch_complete)
        self._batch.assign(position.batch - 1)
        self._next_batch.assign(position.batch)

    def delete(self) -> None:
        """Removes `chief` as well if nothing else is in it."""
        folder = self._reader.directory
        if not self._is_chief or not tf.io.gfile.isdir(folder):
            return
        names = [name.rstrip("/") for name in tf.io.gfile.listdir(folder)]
        own = [name for name in names if _OWN_FILE.fullmatch(name)]
        if len(own) == len(names):
            tf.io.gfile.rmtree(folder)
            return
        for name in own:
            path = os.path.join(folder, name)
            if tf.io.gfile.isdir(path):
                tf.io.gfile.rmtree(path)
            else:
                tf.io.gfile.remove(path)


def position_of_keras2(
    epoch: int, batch: int, plan: BackupPlan
) -> Position | None:
    """Where Keras 2 would go on, given what it has stored.

    Args:
        epoch: Its `ckpt_saved_epoch`; negative if never set.
        batch: Its `ckpt_saved_batch`; negative if never set.
        plan: The run.
    """
    if not plan.by_batch:
        return None if epoch < 0 else Position(epoch + 1)
    if batch < 0:
        return None
    if plan.steps is not None and batch >= plan.steps - 1:
        return Position(epoch + 1)
    return Position(epoch, batch + 1)


def _counter(name: str) -> Any:
    # A GPU registers only int64 for such variables.
    return tf.Variable(_UNSET, dtype=tf.int64, name=name)
