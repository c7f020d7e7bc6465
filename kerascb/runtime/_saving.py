"""What saving is to every Keras."""

from __future__ import annotations

import importlib.util
import inspect
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerascb.paths import is_remote
from kerascb.runtime._remote import gfile

if TYPE_CHECKING:
    from collections.abc import Callable

_KERAS_PACKAGES = frozenset({"keras", "tf_keras"})


def has_own_saver(model: Any, weights_only: bool) -> bool:
    """Whether a model's class brings a `save` or `save_weights` of its own.

    Such a model decides itself what a path means.

    Args:
        model: A Keras model, torch's wrapper of one, or something that stands
            in for one.
        weights_only: Look at `save_weights` instead of `save`.
    """
    name = "save_weights" if weights_only else "save"
    if not hasattr(model, name):
        model = getattr(model, "module", model)
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
