"""TensorFlow checkpoints of models, written and read."""

from __future__ import annotations

import importlib.util
import os
from typing import Any

from kerascb.errors import InvalidArgument
from kerascb.runtime._checkpoint_graph import CheckpointGraph
from kerascb.runtime._optimizers import warn_of_fresh


def latest_checkpoint(folder: str) -> str | None:
    """The prefix of the newest TensorFlow checkpoint that a folder notes.

    Args:
        folder: Where to look.

    Returns:
        The prefix; `None` if the folder notes none, or without TensorFlow.
    """
    if importlib.util.find_spec("tensorflow") is None:
        return None
    import tensorflow as tf

    prefix: str | None = tf.train.latest_checkpoint(folder)
    return prefix


def write_checkpoint(trackable: Any, prefix: str, options: Any = None) -> None:
    """Writes a TensorFlow checkpoint and notes it as its folder's newest.

    Args:
        trackable: What to write: a model and all it refers to.
        prefix: Path that `.index` and `.data-…` are appended to.
        options: `tf.train.CheckpointOptions`, or `None`.
    """
    import tensorflow as tf

    tf.train.Checkpoint(trackable).write(prefix, options=options)
    tf.__internal__.train.update_checkpoint_state(
        save_dir=os.path.dirname(prefix),
        model_checkpoint_path=prefix,
        save_relative_paths=True,
        all_model_checkpoint_paths=[prefix],
    )


def read_checkpoint(model: Any, prefix: str) -> None:
    """Restores a model from a TensorFlow checkpoint.

    The state of another optimizer than the model's is left out, and a line of
    the log says so. Variables that the model does not have yet are restored
    when they are made.

    Args:
        model: The model; the variables of its optimizer are made.
        prefix: As given to `write_checkpoint`.

    Raises:
        InvalidArgument: If the checkpoint lacks a weight of the model, or has
            it in another shape.
    """
    import tensorflow as tf

    weights, optimizer = _parts_of(model)
    graph = CheckpointGraph(prefix)
    _require(graph.misfits(weights), prefix)
    if optimizer is not None and not _fits(graph, optimizer):
        warn_of_fresh(optimizer, prefix)
        model = weights
    status = tf.train.Checkpoint(model).read(prefix).expect_partial()
    try:
        status.assert_existing_objects_matched()
    except AssertionError as error:  # a table, or another that is no variable
        _require([str(error)], prefix)


def read_what_is_there(model: Any, prefix: str) -> None:
    """Restores what both a model and a checkpoint of it have.

    Args:
        model: The model.
        prefix: As given to `write_checkpoint`.
    """
    import tensorflow as tf

    tf.train.Checkpoint(model).read(prefix).expect_partial()


def string_in(prefix: str, key: str) -> bytes | None:
    """A string that a TensorFlow checkpoint holds beside its tensors.

    Args:
        prefix: As given to `write_checkpoint`.
        key: Its key.

    Returns:
        The string; `None` if there is none, if the checkpoint is damaged, or
        without TensorFlow.
    """
    if importlib.util.find_spec("tensorflow") is None:
        return None
    import tensorflow as tf

    try:
        reader = tf.train.load_checkpoint(prefix)
        if not reader.has_tensor(key):
            return None
        found = reader.get_tensor(key)
    except (tf.errors.OpError, ValueError, RuntimeError):
        return None
    return found if isinstance(found, bytes) else None


def damage_in(prefix: str) -> str | None:
    """What is wrong with a TensorFlow checkpoint, by its own checksums.

    Args:
        prefix: As given to `write_checkpoint`.

    Returns:
        What TensorFlow says; `None` if nothing is wrong, or without
        TensorFlow.
    """
    if importlib.util.find_spec("tensorflow") is None:
        return None
    import tensorflow as tf

    try:
        reader = tf.train.load_checkpoint(prefix)
        for key in reader.get_variable_to_shape_map():
            reader.get_tensor(key)
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        return str(error)
    return None


def _parts_of(model: Any) -> tuple[Any, Any]:
    """All of a model but its optimizer, as one object; and its optimizer."""
    import tensorflow as tf

    children = dict(tf.train.TrackableView(model).children(model))
    optimizer = children.pop("optimizer", None)
    if optimizer is None:
        return model, None
    rest = tf.__internal__.tracking.AutoTrackable()
    for name, child in children.items():
        setattr(rest, name, child)
    return rest, optimizer


def _fits(graph: CheckpointGraph, optimizer: Any) -> bool:
    # The variables that an optimizer of Keras 2's `optimizers.legacy` has for
    # each weight are no children of it.
    slots = set(getattr(optimizer, "get_slot_names", list)())
    return slots <= graph.slot_names("optimizer") and not graph.misfits(
        optimizer, "optimizer"
    )


def _require(misfits: list[str], prefix: str) -> None:
    if misfits:
        raise InvalidArgument(
            f"{prefix!r} was saved from another model: {'; '.join(misfits)}."
        )
