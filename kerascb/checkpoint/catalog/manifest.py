"""The list of a folder's checkpoints: what each is, and what its files sum to.

Lines of JSON, to which lines are only added, so that noting a checkpoint
costs the same whatever is noted already. Each begins with its own checksum:

    {"crc":"5f0c…","add":{"path":"m-01.keras","form":"KERAS",…}}
    {"crc":"09d1…","visible":"m-01.keras","leaving":["m-00.keras"]}

The first is written before its checkpoint becomes visible, the second after
that and before others are deleted. So whenever the process dies, what is
visible is listed: several lines may stand for one path then, and a checkpoint
is whole if it is what any of them says. When most lines are history the file
is written anew.
"""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING, Any

from kerascb.checkpoint.catalog.ledger import (
    Entry,
    FileFacts,
    Ledger,
    addition,
    line_of,
    paths_of,
    settlement,
)
from kerascb.checkpoint.files.staged_names import staged_name
from kerascb.checkpoint.path_template import home_of
from kerascb.runtime import Format

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kerascb.checkpoint.files.filesystem import FileSystem

__all__ = [
    "FILE_NAME",
    "Entry",
    "FileFacts",
    "Manifest",
    "has_manifest",
    "home_of",
    "join",
    "path_from",
    "paths_of",
]

FILE_NAME = "kerascb-checkpoints.jsonl"
"""What the manifest of a folder is called."""

_log = logging.getLogger(__name__)

_MOST_HISTORY = 64
"""Lines that may be history in any manifest, however short it is."""


class Manifest:
    """The manifest of a folder, kept in memory while it is added to.

    To be used by one thread at a time. Others, and other processes, may add
    to the same file.

    Args:
        files: The file system.
        folder: The folder; it exists before anything is added.
    """

    def __init__(self, files: FileSystem, folder: str) -> None:
        self._files = files
        self._folder = folder
        self._path = join(folder, FILE_NAME)
        self._ledger = self._read()

    @property
    def unreadable(self) -> int:
        """How many lines are damaged; a kill leaves one at most."""
        return self._ledger.unreadable

    def candidates(self) -> Iterator[list[Entry]]:
        """What each path may be, in the order in which they were written.

        Yields:
            The entries of one path, oldest first: more than one where it is
            not known which of them became visible.
        """
        yield from (list(found) for found in self._ledger.entries.values())

    def kept(self, by: str) -> list[Entry]:
        """The checkpoints of one callback, oldest first.

        Args:
            by: Whose.
        """
        return [
            found[-1]
            for found in self._ledger.entries.values()
            if found[-1].by == by
            and (found[-1].is_settled or self._is_there(found[-1]))
        ]

    def newest_at(self, path: str) -> Entry:
        """What was listed last for a path.

        Args:
            path: From the folder of the manifest.

        Raises:
            KeyError: If nothing was.
        """
        return self._ledger.entries[path][-1]

    def add(self, entry: Entry) -> None:
        """Lists a checkpoint that is about to become visible.

        Args:
            entry: The checkpoint.

        Raises:
            OSError: If it cannot be written; nothing is listed then.
        """
        self._append(addition(entry))

    def settle(self, path: str, leaving: Iterable[str] = ()) -> None:
        """Notes that a checkpoint is visible, and which ones go for it.

        Args:
            path: The checkpoint that was added.
            leaving: The paths of those that will be deleted next.

        Raises:
            OSError: If it cannot be written; nothing may be deleted then.
        """
        self._append(settlement(path, leaving))
        ledger = self._ledger
        if ledger.lines > 2 * ledger.live + _MOST_HISTORY:
            self._rewrite()

    def delete(self, entry: Entry) -> None:
        """Deletes the files of a checkpoint.

        Args:
            entry: One of those that `settle` said to be leaving.

        Raises:
            OSError: If it cannot be deleted; it stays among those kept.
        """
        if entry.form is Format.SAVED_MODEL:
            self._files.remove(join(self._folder, entry.path))
        else:
            # Without its index, the last in order, nothing looks like a
            # TensorFlow checkpoint.
            for path in sorted(paths_of(entry), reverse=True):
                self._files.remove(join(self._folder, path))
        self._ledger.drop(entry.path)

    def _is_there(self, entry: Entry) -> bool:
        return any(
            self._files.kind(join(self._folder, path)) == "file"
            for path in paths_of(entry)
        )

    def _read(self) -> Ledger:
        ledger = Ledger()
        if self._files.kind(self._path) == "file":
            ledger.take(b"".join(map(bytes, self._files.read(self._path))))
        return ledger

    def _append(self, content: dict[str, Any]) -> None:
        line = line_of(content)
        start = b"\n" if self._ledger.is_torn else b""
        # Until it is known to be complete, it may have been cut anywhere.
        self._ledger.is_torn = True
        with self._locked():
            self._files.append(self._path, start + line)
        self._ledger.is_torn = False
        self._ledger.apply(content)

    def _rewrite(self) -> None:
        """Leaves out what is history; what others added meanwhile stays."""
        staged = staged_name(self._path)
        try:
            with self._locked():
                ledger = self._read()
                self._drop_what_has_left(ledger)
                self._files.append(staged, ledger.content())
                self._files.move(staged, self._path)
        except OSError as error:
            # It has all it had, and the next save tries again.
            _log.warning("%s could not be shortened: %s", self._path, error)
            with contextlib.suppress(OSError):
                self._files.remove(staged)
            return
        self._ledger = self._read()

    def _drop_what_has_left(self, ledger: Ledger) -> None:
        for found in list(ledger.entries.values()):
            if found[-1].is_leaving and not self._is_there(found[-1]):
                ledger.drop(found[-1].path)

    def _locked(self) -> contextlib.AbstractContextManager[None]:
        lock = getattr(self._files, "locked", None)
        if lock is None:
            return contextlib.nullcontext()
        return lock(self._folder or os.curdir)  # type: ignore[no-any-return]


def has_manifest(files: FileSystem, home: str) -> bool:
    """Whether there is a manifest in a folder.

    Who writes checkpoints there without it would make it tell what is no
    longer so.

    Args:
        files: The file system.
        home: The folder, as `home_of` tells it.
    """
    return files.kind(join(home, FILE_NAME)) == "file"


def join(folder: str, path: str) -> str:
    """A path below a folder, here or far away.

    Args:
        folder: The folder; `""` is the current one.
        path: The path from there, with `/`.
    """
    between = "/" if folder and not folder.endswith("/") else ""
    return f"{folder}{between}{path}"


def path_from(folder: str, path: str) -> str:
    """What `join` makes the path of again, as it is listed.

    Args:
        folder: The folder; `""` is the current one.
        path: A path below it, written as the system likes it.

    Returns:
        The path from there, with `/`.

    Example:
        >>> path_from("run", "run/1/model.keras")
        '1/model.keras'
    """
    return path[len(folder) :].replace(os.sep, "/").lstrip("/")
