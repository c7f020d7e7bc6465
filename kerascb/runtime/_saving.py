"""What saving is to every Keras."""

from __future__ import annotations

import importlib.util
import inspect
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerascb.errors import InvalidArgument
from kerascb.paths import is_remote
from kerascb.runtime._remote import gfile

if TYPE_CHECKING:
    from collections.abc import Callable

_KERAS_PACKAGES = frozenset({"keras", "tf_keras"})


def has_own_saver(model: Any, weights_only: bool) -> bool:
    """Whether a model's class brings a `save` or `save_weights` of its own.

    Such a model decides itself what a path means.

    Args:
        model: A Keras model, or something that stands in for one.
        weights_only: Look at `save_weights` instead of `save`.
    """
    name = "save_weights" if weights_only else "save"
    home = getattr(getattr(model, name, None), "__module__", None)
    return (home or "").partition(".")[0] not in _KERAS_PACKAGES


def call_with_accepted(
    function: Callable[..., Any], *args: Any, **wanted: Any
) -> Any:
    """Calls a function with those keywords only that it takes.

    Users override `save(self, filepath)`; a release of Keras adds an argument.

    Args:
        function: What to call.
        *args: Passed on.
        **wanted: Passed on as far as the signature allows.
    """
    parameters = inspect.signature(function).parameters
    if any(
        parameter.kind is inspect.Parameter.VAR_KEYWORD
        for parameter in parameters.values()
    ):
        return function(*args, **wanted)
    accepted = {key: wanted[key] for key in wanted if key in parameters}
    return function(*args, **accepted)


def make_parents(path: str) -> None:
    """Creates the folder a path lies in, unless it is there.

    Args:
        path: Of what is about to be written. An object store (`gs://…`) has
            no folders to create.
    """
    folder = os.path.dirname(path)
    if not folder or folder.startswith("gs://"):
        return
    if is_remote(folder):
        gfile().makedirs(folder)
    else:
        Path(folder).mkdir(parents=True, exist_ok=True)


def options_type(weights_only: bool) -> type | None:
    """The class of what TensorFlow takes as options of a save.

    Args:
        weights_only: For a checkpoint; else for a SavedModel.

    Returns:
        The class; `None` where there is no TensorFlow to have made one.
    """
    if importlib.util.find_spec("tensorflow") is None:
        return None
    import tensorflow as tf

    kind: type = (
        tf.train.CheckpointOptions
        if weights_only
        else tf.saved_model.SaveOptions
    )
    return kind


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


def read_checkpoint(trackable: Any, prefix: str) -> None:
    """Restores everything that a model has from a TensorFlow checkpoint.

    Args:
        trackable: The model; variables it does not have yet are restored
            when they are made.
        prefix: As given to `write_checkpoint`.

    Raises:
        InvalidArgument: If the model has something the checkpoint lacks.
    """
    import tensorflow as tf

    require_match(tf.train.Checkpoint(trackable).read(prefix), prefix)


def require_match(status: Any, prefix: str) -> None:
    """Refuses a checkpoint that lacks something the model has.

    Args:
        status: What reading the checkpoint returned.
        prefix: The checkpoint.

    Raises:
        InvalidArgument: If so.
    """
    try:
        status.assert_existing_objects_matched()
    except AssertionError as error:
        raise InvalidArgument(
            f"{prefix!r} was saved from another model or optimizer: {error} "
            "Compile the model with the same optimizer, or load the weights "
            "before it is compiled."
        ) from error
    # What the checkpoint has beyond the model is nothing to warn of.
    status.expect_partial()
