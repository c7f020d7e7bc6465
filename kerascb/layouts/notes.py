"""What kerascb remembers of a checkpoint, inside the checkpoint itself.

A note is a dict of JSON values: `epoch` and `batch` (counted from 1), `step`,
`time` (seconds since 1970), `metrics`, `seeds`, `monitor`, `mode`, `best`.
Other programs pass over it, wherever a format keeps it.
"""

from __future__ import annotations

import json
import math
import zipfile
from typing import TYPE_CHECKING, Any, BinaryIO

import h5py

from kerascb.layouts.hdf5 import NOTE_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

BEGINNING = b'{"kerascb":'
"""What `encode` begins every note with."""

_VERSION = 1
_ROOM = 16 * 1024  # for some 250 metrics
_ROOM_FOR_A_SEED = 96  # four numbers of 64 bits, and what is between them
_IN_WORDS = frozenset({"NaN", "Infinity", "-Infinity"})
_ZIP = b"PK\x03\x04"


def encode(note: Mapping[str, Any]) -> bytes:
    """A note as JSON that any parser reads.

    Args:
        note: The note; what is neither a JSON value nor a number is refused.

    Raises:
        TypeError: If it cannot be written as JSON.

    Example:
        >>> encode({"epoch": 3, "metrics": {"loss": float("nan")}})
        b'{"kerascb":1,"epoch":3,"metrics":{"loss":"NaN"}}'
    """
    return dumps({"kerascb": _VERSION, **note}).encode()


def decode(content: bytes) -> dict[str, Any] | None:
    """The note that some bytes are.

    Args:
        content: What `encode` returned, perhaps padded.

    Returns:
        The note; `None` if the bytes are none of ours.

    Example:
        >>> decode(b'{"kerascb": 1, "metrics": {"loss": "NaN"}}   ')
        {'metrics': {'loss': nan}}
        >>> decode(b"made by zip") is None
        True
    """
    try:
        note = json.loads(content)
    except ValueError:
        return None
    if not isinstance(note, dict) or note.pop("kerascb", None) is None:
        return None
    return numbers_in(note)


def dumps(value: Any) -> str:
    """JSON on one line, numbers that JSON does not have in words.

    Args:
        value: JSON values, dicts and lists of them.
    """
    return json.dumps(_in_words(value), separators=(",", ":"), allow_nan=False)


def numbers_in(note: dict[str, Any]) -> dict[str, Any]:
    """Undoes what `dumps` did to numbers.

    Args:
        note: A note from JSON; it is changed.

    Returns:
        The same note.
    """
    metrics = note.get("metrics")
    if isinstance(metrics, dict):
        for name, value in metrics.items():
            if isinstance(value, str) and value in _IN_WORDS:
                metrics[name] = float(value)
    if note.get("best") in _IN_WORDS:
        note["best"] = float(note["best"])
    return note


def room_for(seeds: int) -> int:
    """Bytes that a file whose size is fixed beforehand keeps for its note.

    Args:
        seeds: How many states of random generators the note has to hold.

    Example:
        >>> room_for(seeds=2)
        16576
    """
    return _ROOM + _ROOM_FOR_A_SEED * seeds


def in_file(path: str) -> dict[str, Any] | None:
    """The note of a checkpoint that is one file, read without the rest of it.

    Args:
        path: An archive or an HDF5 file on this machine.

    Returns:
        The note; `None` if the file has none, or if it is damaged.
    """
    try:
        with open(path, "rb") as file:
            return in_stream(file)
    except OSError:
        return None


def in_stream(file: BinaryIO) -> dict[str, Any] | None:
    """Does what `in_file` does for a file that is open.

    Args:
        file: The file, at its beginning; may be read anywhere.
    """
    try:
        is_zip = file.read(len(_ZIP)) == _ZIP
        return decode(_of_archive(file) if is_zip else _of_hdf5(file))
    except (OSError, RuntimeError, ValueError, zipfile.BadZipFile):
        return None


def _of_archive(file: BinaryIO) -> bytes:
    with zipfile.ZipFile(file) as archive:
        return archive.comment


def _of_hdf5(file: BinaryIO) -> bytes:
    with h5py.File(file, "r") as content:
        found = content.get(NOTE_NAME)
        is_ours = (
            isinstance(found, h5py.Dataset)
            and found.dtype == "uint8"
            and found.ndim == 1
        )
        return bytes(found[()]) if is_ours else b""


def _in_words(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return "NaN"
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {name: _in_words(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_in_words(item) for item in value]
    return value
