"""Whose model a SavedModel directory holds beside its graph.

Each Keras has a file of its own for that, and whoever saves into a directory
removes the other's: a file left there would be taken for the model.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kerascb.runtime._files import files_of

if TYPE_CHECKING:
    from collections.abc import Collection

KERAS2_FILE = "keras_metadata.pb"
"""What Keras 2 reads a model from."""

KERAS3_FILE = os.path.join("assets.extra", "kerascb.keras")
"""The archive that kerascb writes; TensorFlow ignores that folder."""


def owner_of(names: Collection[str]) -> str:
    """The major version of the Keras whose model is in a directory.

    Args:
        names: What a SavedModel directory has in it.

    Returns:
        `"2"` or `"3"`; `"3"` also for a graph that comes without a model.
    """
    return "2" if KERAS2_FILE in names else "3"


def remove(folder: str, name: str) -> None:
    """Removes the model of one Keras, if it is there.

    Args:
        folder: A SavedModel directory.
        name: `KERAS2_FILE` or `KERAS3_FILE`.
    """
    files_of(folder).remove(os.path.join(folder, name))
