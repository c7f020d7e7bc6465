"""Which format a path means, to the Keras of the model.

Every dialect's paths are taken on every Keras. What a Keras does not write
itself is written in the form nearest to what the path asks for, and a note
tells the user so.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from kerascb.errors import InvalidArgument
from kerascb.runtime import Format, Runtime

_HDF5 = (".h5", ".hdf5")


@dataclass(frozen=True)
class Target:
    """Where a model goes, and as what.

    Attributes:
        path: The path or template, where need be with another suffix.
        form: What is written there.
        note: What was decided for the user; empty if nothing had to be.
    """

    path: str
    form: Format
    note: str = ""


def target_of(path: str, weights_only: bool, runtime: Runtime) -> Target:
    """What a path means.

    Args:
        path: A path or a template of one; only its end matters.
        weights_only: Save weights only, not the whole model.
        runtime: The Keras of the model.

    Raises:
        InvalidArgument: If nothing like it can be written here.

    Example:
        >>> from kerascb import runtime
        >>> target_of("model.keras", False, runtime.in_force()).form
        <Format.KERAS: 'a .keras archive'>
    """
    if runtime.name == "keras2":
        target = Target(path, _keras2_format(path, weights_only))
    elif weights_only:
        target = _keras3_weights(path, runtime)
    else:
        target = _keras3_model(path, runtime)
    return _with_hint(target, path)


def _with_hint(target: Target, path: str) -> Target:
    """A word more where a capital letter makes a path mean another format."""
    end = os.path.splitext(path)[1]
    if end == end.lower() or end.lower() not in {".keras", *_HDF5}:
        return target
    hint = (
        f"{path!r} becomes {target.form.value}: Keras tells formats by "
        f"{end.lower()!r}, not by {end!r}."
    )
    return replace(target, note=f"{target.note} {hint}".strip())


def _keras2_format(path: str, weights_only: bool) -> Format:
    if not weights_only:
        return _of_model(path)
    if path.endswith(".weights.h5"):
        return Format.WEIGHTS
    if path.endswith((*_HDF5, ".keras")):
        return Format.HDF5_WEIGHTS
    return Format.TF_CHECKPOINT


def _of_model(path: str) -> Format:
    if path.endswith(".keras"):
        return Format.KERAS
    return Format.HDF5 if path.endswith(_HDF5) else Format.SAVED_MODEL


def _keras3_model(path: str, runtime: Runtime) -> Target:
    form = _of_model(path)
    if form is not Format.SAVED_MODEL:
        return Target(path, form)
    if not runtime.can_write(form):
        raise InvalidArgument(
            "The filepath provided must end in `.keras` (Keras model format). "
            f"Received: filepath={path}. A directory becomes a SavedModel, "
            "for which Keras needs TensorFlow, and with the torch backend "
            f"torch_xla as well; this is the {runtime.backend} backend."
        )
    return Target(
        path,
        form,
        f"Keras 3 itself saves a model as `.keras` or `.h5`. {path!r} becomes "
        "a SavedModel directory: TensorFlow Serving loads it, and "
        "kerascb.load_model() restores the model from it, its optimizer "
        "included.",
    )


def _keras3_weights(path: str, runtime: Runtime) -> Target:
    if path.endswith(".weights.h5"):
        return Target(path, Format.WEIGHTS)
    reason = "Keras 3 itself saves weights as `.weights.h5` only."
    if path.endswith(".keras"):
        return Target(
            path,
            Format.KERAS,
            f"{reason} {path!r} becomes an archive of the whole model, which "
            "model.load_weights() reads as well.",
        )
    if path.endswith(_HDF5):
        return Target(
            path,
            Format.HDF5_WEIGHTS,
            f"{reason} {path!r} is written as Keras 2 does, which "
            "model.load_weights() reads as well; the optimizer's state is "
            "not in it.",
        )
    if runtime.can_write(Format.TF_CHECKPOINT):
        return Target(
            path,
            Format.TF_CHECKPOINT,
            f"{reason} {path!r} becomes a TensorFlow checkpoint, optimizer "
            "included; kerascb.load_weights() reads it.",
        )
    longer = f"{path}.weights.h5"
    return Target(
        longer,
        Format.WEIGHTS,
        f"{reason} {path!r} becomes {longer!r}: there are no TensorFlow "
        f"checkpoints with the {runtime.backend} backend.",
    )
