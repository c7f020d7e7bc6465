"""What the path of a checkpoint means, and whether it can be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascb import runtime
from kerascb.callbacks._foreseen_logs import foresee
from kerascb.checkpoint import formats, path_template, places
from kerascb.checkpoint.formats import Target
from kerascb.errors import InvalidArgument
from kerascb.runtime import Format

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


def target_of(filepath: str | None, weights_only: bool, model: Any) -> Target:
    """What a path means to a model and its Keras.

    Args:
        filepath: A path or a template of one.
        weights_only: Save weights only, not the whole model.
        model: The model. Only its class is looked at, so that on JAX its
            state need not be fetched.

    Raises:
        InvalidArgument: If nothing like it can be written here.
    """
    path = filepath or ""
    if runtime.has_own_saver(model, weights_only):
        own = Format.OWN_WEIGHTS if weights_only else Format.OWN
        return Target(path, own)
    return formats.target_of(path, weights_only, runtime.of(model))


def note_of(target: Target, options: Any, keras: str) -> str:
    """What the user is to know of a path, and of options for it.

    Args:
        target: Where the model goes.
        options: What TensorFlow takes as options of a save, or `None`.
        keras: The Keras that writes, `"keras2"` or `"keras3"`.

    Returns:
        The text; empty if there is nothing to tell.
    """
    if options is None or target.form.takes_options(keras):
        return target.note
    unused = f"options have no effect on {target.form.value} here."
    return f"{target.note} {unused}".strip()


def check(
    target: Target, model: Any, own_names: AbstractSet[str], owner: str
) -> None:
    """Refuses before training what could never be written.

    Args:
        target: Where the model goes; its path may be a template.
        model: The model that begins to train.
        own_names: Placeholders that the callback fills itself.
        owner: The class that writes, for the message.

    Raises:
        InvalidArgument: If there is no path, or it cannot be filled.
        UnwritablePath: If it lies where nothing can be written.
    """
    if not target.path:
        raise InvalidArgument(
            f"{owner} needs a path to save to; got filepath={target.path!r}."
        )
    foreseen = foresee(model)
    path_template.check(
        target.path,
        lambda name: (
            name in own_names or (name != "batch" and foreseen.may_have(name))
        ),
        sorted(own_names | foreseen.names),
    )
    places.check_writable(target.path, target.form, owner)
