"""What kerascb remembers of a checkpoint, read back from it.

A note is a dict of JSON values: `epoch` and `batch` (counted from 1), `step`,
`time` (seconds since 1970), `metrics`, `seeds`, `monitor`, `mode`, `best`; see
`kerascb.layouts.notes`.
"""

from __future__ import annotations

from typing import Any

from kerascb.checkpoint.commit.prefix import shards_at
from kerascb.checkpoint.files.parts import opened
from kerascb.checkpoint.files.remote import remote_filesystem
from kerascb.layouts.notes import BEGINNING, decode, encode, in_stream
from kerascb.layouts.tensor_bundle import data_suffix, note_at_end
from kerascb.paths import is_remote
from kerascb.runtime import read_note

__all__ = ["encode", "read"]

_VARIABLES = "variables/variables"
"""The TensorFlow checkpoint that a SavedModel directory has."""

_LONGEST = 256 << 10
"""Bytes of the longest note: of a model with 2,500 seeds."""


def read(path: str) -> dict[str, Any] | None:
    """The note of a checkpoint, here or far away.

    Of what is far away no more is fetched than that.

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
    files = remote_filesystem(path)
    if files.kind(path) == "file":
        with opened(path) as file:
            return in_stream(file)
    for prefix in (path, f"{path}/{_VARIABLES}"):
        shards = shards_at(files, prefix)
        if shards is not None:
            data = prefix + data_suffix(0, shards)
            start = max(files.size(data) - _LONGEST, 0)
            end = files.part(data, start, _LONGEST)
            return decode(note_at_end(end, BEGINNING) or b"")
    return None
