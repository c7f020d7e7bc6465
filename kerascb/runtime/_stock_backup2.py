"""Backups that Keras 2's BackupAndRestore has left, taken up."""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf

from kerascb.errors import UnreadableBackup
from kerascb.runtime._stock_backup import Position

_FOLDER = "chief"
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


def read_checkpoint(
    model: Any, directory: str, *, by_batch: bool, steps: int | None
) -> Position | None:
    """Restores a model from a backup of Keras 2's.

    Args:
        model: The model.
        directory: Where the folder `chief` lies.
        by_batch: Whether the run that is to go on makes backups by batches,
            too: Keras 2 reads its own according to that.
        steps: Batches of an epoch; `None` if unknown.

    Returns:
        Where to go on; `None` if there is no backup, or if it does not say.

    Raises:
        UnreadableBackup: If there are backups and none can be read.
    """
    folder = os.path.join(directory, _FOLDER)
    state = tf.train.get_checkpoint_state(folder)
    if state is None:
        return None
    epoch, batch = _counter("ckpt_saved_epoch"), _counter("ckpt_saved_batch")
    checkpoint = tf.train.Checkpoint(
        model=model,
        ckpt_saved_epoch=epoch,
        ckpt_saved_batch=batch,
        train_counter=model._train_counter,
    )
    failures = []
    for path in reversed(state.all_model_checkpoint_paths):
        try:
            # An unbuilt model takes its part when its variables appear.
            checkpoint.restore(path).expect_partial()
        except _UNREADABLE as error:
            failures.append(error)
            continue
        return position_of(
            int(epoch.numpy()),
            int(batch.numpy()),
            by_batch=by_batch,
            steps=steps,
        )
    if not failures:
        return None
    raise UnreadableBackup(directory, failures[0]) from failures[0]


def position_of(
    epoch: int, batch: int, *, by_batch: bool, steps: int | None
) -> Position | None:
    """Where Keras 2 would go on, given what it has stored.

    Args:
        epoch: Its `ckpt_saved_epoch`; negative if never set.
        batch: Its `ckpt_saved_batch`; negative if never set.
        by_batch: As for `read_checkpoint`.
        steps: As for `read_checkpoint`.
    """
    if not by_batch:
        return None if epoch < 0 else Position(epoch + 1)
    if batch < 0:
        return None
    if steps is not None and batch >= steps - 1:
        return Position(epoch + 1)
    return Position(epoch, batch + 1)


def _counter(name: str) -> Any:
    # A GPU registers only int64 for such variables.
    return tf.Variable(_UNSET, dtype=tf.int64, name=name)
