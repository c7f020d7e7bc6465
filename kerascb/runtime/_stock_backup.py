"""Backups that Keras's own BackupAndRestore has left, taken up.

This module reads Keras 3's: a file of weights beside a JSON file.
`kerascb.runtime._stock_backup2` reads Keras 2's.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kerascb.errors import UnreadableBackup
from kerascb.runtime._files import files_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from kerascb.runtime._files import Files

_WEIGHTS_NAME = "latest.weights.h5"
_METADATA_NAME = "training_metadata.json"
_PREVIOUS_SUFFIX = ".bkp"
_UNREADABLE = (OSError, KeyError, json.JSONDecodeError, UnicodeDecodeError)


@dataclass(frozen=True, order=True)
class Position:
    """Where a run goes on; the greater, the farther it is.

    Attributes:
        epoch: The epoch to go on in (zero-based).
        batch: The first batch of it that has not been trained; 0 for all of
            the epoch.
    """

    epoch: int
    batch: int = 0


def read_weights(
    model: Any, directory: str, build: Callable[[], object]
) -> Position | None:
    """Restores a model from a backup of Keras 3's.

    Takes the previous backup where the latest cannot be read. The epoch is
    gone through from its first batch: nothing tells how far it was.

    Args:
        model: The model.
        directory: Where the backups lie.
        build: Builds the model and its optimizer, which Keras needs to read
            weights; called if there are any.

    Returns:
        Where to go on; `None` if there is no backup, or if it does not say.

    Raises:
        UnreadableBackup: If there are backups and none can be read.
    """
    files = files_of(directory)
    failure: Exception | None = None
    for suffix in ("", _PREVIOUS_SUFFIX):
        weights = os.path.join(directory, _WEIGHTS_NAME + suffix)
        if not files.exists(weights):
            continue
        build()
        metadata = os.path.join(directory, _METADATA_NAME + suffix)
        try:
            position = _position_in(files, metadata)
            with files.reading(weights, name=_WEIGHTS_NAME) as path:
                model.load_weights(path)
        except _UNREADABLE as error:
            failure = failure or error
        else:
            return position
    if failure is None:
        return None
    raise UnreadableBackup(directory, failure) from failure


def _position_in(files: Files, metadata: str) -> Position | None:
    if not files.exists(metadata):
        return None
    with (
        files.reading(metadata, name=_METADATA_NAME) as path,
        open(path, encoding="utf-8") as file,
    ):
        content = json.load(file)
    if not isinstance(content, dict) or "epoch" not in content:
        raise OSError(f"no epoch in the metadata {content!r}")
    return Position(content["epoch"])
