"""The notes that kerascb leaves inside checkpoints, and what they restore."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.layouts import notes
from kerascb.layouts.tensor_bundle import NOTE_KEY
from kerascb.paths import is_remote
from kerascb.runtime._files import files_of
from kerascb.runtime._tensorflow_checkpoints import string_in

if TYPE_CHECKING:
    from collections.abc import Sequence

_IN_DIRECTORY = os.path.join("variables", "variables")
"""The TensorFlow checkpoint that a SavedModel directory has."""


def read_note(path: str) -> dict[str, Any] | None:
    """The note of a checkpoint.

    Only that is read, but a single file far away, which is fetched whole. The
    note of a TensorFlow checkpoint is read by TensorFlow.

    Args:
        path: A file, a directory, or the prefix of a TensorFlow checkpoint.

    Returns:
        The note; `None` if there is none, as in what stock Keras wrote, or if
        the checkpoint is damaged or not there.
    """
    files = files_of(path)
    for prefix in (path, os.path.join(path, _IN_DIRECTORY)):
        if files.exists(f"{prefix}.index"):
            return notes.decode(string_in(prefix, NOTE_KEY) or b"")
    if not files.exists(path) or (not is_remote(path) and os.path.isdir(path)):
        return None
    with files.reading(path, name=os.path.basename(path)) as local:
        return notes.in_file(local)


def restore_seeds(variables: Sequence[Any], path: str) -> None:
    """Puts back the states of random generators that a note has.

    Nothing is put back into a model that has other generators.

    Args:
        variables: The states, in the order of the model.
        path: The checkpoint, as for `read_note`.
    """
    if not variables:
        return
    saved = (read_note(path) or {}).get("seeds", ())
    shapes = [tuple(variable.shape) for variable in variables]
    if shapes == [np.shape(seed) for seed in saved]:
        for variable, seed in zip(variables, saved, strict=True):
            # Of 32 bits with a sign on torch, without one elsewhere.
            variable.assign(np.asarray(seed).astype(_name_of(variable.dtype)))


def _name_of(dtype: Any) -> str:
    # A name in Keras 3, TensorFlow's object in Keras 2.
    return str(getattr(dtype, "name", dtype))
