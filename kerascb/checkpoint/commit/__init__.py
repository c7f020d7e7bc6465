"""A checkpoint becomes visible: whole, at one instant, or not at all."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from typing import TYPE_CHECKING, Protocol

from kerascb.checkpoint.commit.leftovers import (
    clean_all_leftovers,
    clean_leftovers,
)
from kerascb.checkpoint.commit.local_place import LocalPlace
from kerascb.checkpoint.commit.remote_place import RemotePlace
from kerascb.checkpoint.commit.staging import Kind, Staging
from kerascb.checkpoint.commit.writing import Written
from kerascb.checkpoint.files.local import LocalFileSystem
from kerascb.checkpoint.files.staged_names import is_staged
from kerascb.errors import KerascbError, SaveFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from kerascb.checkpoint.files.remote import RemoteFileSystem

__all__ = [
    "Kind",
    "Staging",
    "Written",
    "clean_all_leftovers",
    "clean_leftovers",
    "commit",
    "is_staged",
]

_FROM_THE_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
_log = logging.getLogger(__name__)


class _Place(Protocol):
    """Where a checkpoint is prepared and shown."""

    staging: Staging

    def open(self) -> None: ...
    def prepare(self, verify: bool) -> tuple[Written, ...]: ...
    def show(self) -> None: ...
    def discard(self) -> None: ...


def commit(
    files: LocalFileSystem | RemoteFileSystem,
    path: str,
    kind: Kind,
    fill: Callable[[Staging], None],
    *,
    before_visible: Callable[[tuple[Written, ...]], None] | None = None,
    verify: bool = False,
    checksums: bool = True,
    shown: str | None = None,
) -> tuple[Written, ...]:
    """Puts a checkpoint in the place of what is at its path.

    Guarantees, on this machine:

    - A reader finds the former checkpoint or the new one, complete, at every
      instant, after a kill, and after a power cut. (A directory where the
      system cannot exchange names: see `show_directory`.)
    - Whatever is raised, the former checkpoint is as it was and nothing of the
      new one remains; unless the disk fails after the rename itself, then the
      new one is there. A killed process leaves what `clean_leftovers` removes.
    - It is on the disk when this returns.
    - Of several processes that save to one path, the last one wins.
    - A link stays one, and what it leads to is replaced. A new file has the
      permissions that any new file gets, else those of the former one.

    Far away, one file and a prefix keep the first two, if the store's own
    renames do; see `RemotePlace`.

    Args:
        files: What `path` lies on.
        path: Of the checkpoint; folders on the way are made.
        kind: What that path is.
        fill: Writes the files of the checkpoint. What it leaves in
            `Staging.path` without a word is adopted. If it writes none,
            nothing happens.
        before_visible: Called with them when nothing but a rename is missing.
        verify: Read everything back and compare, before it becomes visible.
        checksums: Sum up the files for `before_visible` and the result;
            `verify` and far away it is done in any case.
        shown: What errors call the path, if not as it is.

    Returns:
        The files.

    Raises:
        UnwritablePath: If something is in the way.
        SaveFailed: If the disk is full or broken.
        OSError: If anything else about the files goes wrong.
    """
    place = None
    try:
        place = _place_of(files, path, kind, checksums=checksums or verify)
        place.open()
        fill(place.staging)
        written = place.prepare(verify)
        if written:
            if before_visible is not None:
                before_visible(written)
            place.show()
    except OSError as error:
        named = _named(error, shown or path, place)
        if named is error:
            raise
        raise named from error
    finally:
        if place is not None:
            _discard(place, path)
    return written


def _place_of(
    files: LocalFileSystem | RemoteFileSystem,
    path: str,
    kind: Kind,
    *,
    checksums: bool,
) -> _Place:
    if isinstance(files, LocalFileSystem):
        return LocalPlace(files, path, kind, checksums=checksums)
    return RemotePlace(files, path, kind)


def _discard(place: _Place, path: str) -> None:
    try:
        place.discard()
    except OSError as error:  # the checkpoint, or its error, matters more
        _log.warning("Cannot clean up after saving to %s: %s", path, error)


def _named(error: OSError, path: str, place: _Place | None) -> OSError:
    """The same error in words about the checkpoint, not about its parts."""
    if isinstance(error, KerascbError) or place is None:
        return error
    if error.errno in _FROM_THE_DISK:
        return SaveFailed(error.errno, _account_of(error, place), path)
    if is_staged(os.path.basename(str(error.filename))):
        return OSError(error.errno, error.strerror, path)
    return error


def _account_of(error: OSError, place: _Place) -> str:
    """What a disk did not take, and what that leaves there."""
    folder = os.path.dirname(place.staging.path)
    if is_staged(os.path.basename(folder)):  # gone in a moment
        folder = os.path.dirname(folder)
    text = (
        f"{error.strerror or error}, after {place.staging.size():,} bytes of "
        f"it were written; {shutil.disk_usage(folder).free:,} bytes are free "
        f"in {folder!r}"
    )
    if isinstance(place, RemotePlace):
        return text
    return (
        f"{text}. If there was a checkpoint at this path, there still is a "
        "complete one"
    )
