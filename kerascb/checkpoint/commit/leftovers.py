"""What killed runs have left behind."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kerascb.checkpoint.files.local import LocalFileSystem
from kerascb.checkpoint.files.staged_names import (
    is_abandoned,
    is_own,
    set_aside,
)

if TYPE_CHECKING:
    from kerascb.checkpoint.files.filesystem import FileSystem

_log = logging.getLogger(__name__)


def clean_leftovers(files: FileSystem, folder: str) -> None:
    """Removes what runs that were killed had not finished; only kerascb's.

    What a run that still goes on is writing stays, and so does, for a week,
    what another machine wrote. A directory that was put out of the way for a
    new one that never came is put back, this process's as well. What cannot
    be removed is logged.

    Args:
        files: The file system.
        folder: Where checkpoints lie; need not exist.
    """
    for name in files.names(folder or "."):
        path = f"{folder}/{name}" if folder else name
        try:
            former = set_aside(name)
            place = path.removesuffix(name) + (former or "")
            if is_abandoned(files, folder or ".", name):
                if former and files.kind(place) is None:
                    files.move(path, place)
                else:
                    files.remove(path)
            elif former and is_own(name) and isinstance(files, LocalFileSystem):
                _put_back(files, folder or ".", path, place)
        except OSError as error:  # somebody else may do the same
            _log.warning("Cannot remove %s: %s", path, error)


def _put_back(
    files: LocalFileSystem, folder: str, path: str, place: str
) -> None:
    """Unless another thread was about to show the new one."""
    with files.locked(folder):
        if files.kind(path) is not None and files.kind(place) is None:
            files.move(path, place)
