"""Formats of one file, lent under a local path with a name that fits.

Keras reads the format off a name, and opens HDF5 files on this machine only.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from kerascb.paths import is_remote
from kerascb.runtime._files import files_of
from kerascb.runtime._formats import Format
from kerascb.runtime._remote import gfile

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHARDED = ".weights.json"
"""The end of a file that only says which others hold the weights."""

_ENDS = {
    Format.KERAS: (".keras",),
    Format.HDF5: (".h5", ".hdf5"),
    Format.HDF5_WEIGHTS: (".h5", ".hdf5"),
    Format.WEIGHTS: (".weights.h5",),
}


@contextlib.contextmanager
def reading(path: str, form: Format) -> Iterator[str]:
    """Lends a path to read from.

    Args:
        path: What to read: a file, or a directory.
        form: What it is.
    """
    ends = _ENDS.get(form)
    if ends is None or path.endswith(_SHARDED) or _is_folder(path):
        yield path
        return
    name = os.path.basename(path)
    fitting = name if name.endswith(ends) else f"model{ends[0]}"
    with files_of(path).reading(path, name=fitting) as local:
        yield local


@contextlib.contextmanager
def writing(path: str, form: Format) -> Iterator[str]:
    """Lends a path to write to; what is written there ends up at `path`.

    Args:
        path: Where to; its folder must exist.
        form: What will be written.
    """
    if form in _ENDS and is_remote(path):
        with files_of(path).replacing(path) as local:
            yield local
    else:
        yield path


def _is_folder(path: str) -> bool:
    return gfile().isdir(path) if is_remote(path) else os.path.isdir(path)
