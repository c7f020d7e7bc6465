"""What kerascb remembers of a checkpoint, read back from it.

A note is a dict of JSON values: `epoch` and `batch` (counted from 1), `step`,
`time` (seconds since 1970), `metrics`, `seeds`, `monitor`, `mode`, `best`; see
`kerascb.layouts.notes`.
"""

from __future__ import annotations

from typing import Any

from kerascb.checkpoint.files.filesystem import filesystem_of
from kerascb.checkpoint.files.remote import at_hand, lent
from kerascb.layouts.notes import encode
from kerascb.paths import is_remote
from kerascb.runtime import read_note

__all__ = ["encode", "read"]

_VARIABLES = "variables/variables"
"""The TensorFlow checkpoint that a SavedModel directory has."""


def read(path: str) -> dict[str, Any] | None:
    """The note of a checkpoint, here or far away.

    A file that is far away is fetched whole; so is a TensorFlow checkpoint
    that TensorFlow does not reach.

    Args:
        path: A file, a directory, or the prefix of a TensorFlow checkpoint.

    Returns:
        The note; `None` if there is none, as in what stock Keras wrote, or if
        the checkpoint is damaged or not there.

    Raises:
        OSError: If what is far away cannot be reached.
    """
    if not is_remote(path):
        return read_note(path)
    try:
        return _read_from_afar(path)
    except FileNotFoundError:  # removed a moment ago
        return None


def _read_from_afar(path: str) -> dict[str, Any] | None:
    files = filesystem_of(path)
    for prefix in (path, f"{path}/{_VARIABLES}"):
        if files.kind(f"{prefix}.index") == "file":
            with lent(prefix) as readable:
                return read_note(readable)
    if files.kind(path) != "file":
        return None
    with at_hand(path) as local:
        return read_note(local)
