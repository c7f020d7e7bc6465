"""A checkpoint in the making, where nobody looks for one."""

from __future__ import annotations

import os
from enum import Enum
from typing import TYPE_CHECKING

from kerascb.checkpoint.commit.writing import Written, read_back, write_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kerascb.checkpoint.files.filesystem import FileSystem
    from kerascb.checkpoint.files.local import LocalFileSystem
    from kerascb.layouts.plan import Buffer


class Kind(Enum):
    """What the path of a checkpoint is."""

    FILE = "file"
    """The name of the only file."""

    PREFIX = "prefix"
    """What the names of several files begin with."""

    DIRECTORY = "directory"
    """A folder with all files in it."""


class Staging:
    """Takes the files of a checkpoint before they can be seen.

    Everything in it is on the disk when the method that put it there returns.

    Args:
        files: The file system it is on.
        path: The path to use in place of the checkpoint's own.
        kind: What that is.
        checksums: Sum up what is written.

    Attributes:
        path: For savers that write by themselves. It ends as the checkpoint's
            path does; for a folder, there is none of that name yet.
    """

    def __init__(
        self,
        files: LocalFileSystem,
        path: str,
        kind: Kind,
        *,
        checksums: bool = True,
    ) -> None:
        self.path = path
        self._checksums = checksums
        self._files = files
        self._kind = kind
        self._written: dict[str, Written] = {}

    @property
    def written(self) -> tuple[Written, ...]:
        """The files so far, in the order in which they came."""
        return tuple(self._written.values())

    def path_of(self, name: str) -> str:
        """Where a file of the checkpoint is.

        Args:
            name: Its name as in `Plan.files`.
        """
        between = "/" if name and self._kind is not Kind.PREFIX else ""
        return f"{self.path}{between}{name}"

    def write(self, name: str, buffers: Iterable[Buffer]) -> Written:
        """Writes one file.

        Args:
            name: Its name as in `Plan.files`.
            buffers: Its content.

        Raises:
            OSError: If it cannot be written.
        """
        path = self.path_of(name)
        if self._kind is Kind.DIRECTORY:
            self._files.make_folder(os.path.dirname(path))
        written = write_file(
            self._files, path, name, buffers, checksums=self._checksums
        )
        self._written[name] = written
        return written

    def adopt(self) -> list[Written]:
        """Takes the files that somebody else has written to `path`.

        Returns:
            Those that are new.

        Raises:
            OSError: If they cannot be read, or the disk does not take them.
        """
        adopted = []
        for name in self._names():
            if name not in self._written:
                path = self.path_of(name)
                self._files.sync(path)
                self._written[name] = self._found(path, name)
                adopted.append(self._written[name])
        return adopted

    def altered(self) -> str | None:
        """The name of a file that the disk gives back otherwise, if any is."""
        for expected in self.written:
            path = self.path_of(expected.name)
            self._files.forget(path)
            if read_back(self._files, path, expected.name) != expected:
                return path
        return None

    def size(self) -> int:
        """How many bytes there are, those of unfinished files as well."""
        paths = map(self.path_of, self._names())
        return sum(map(self._files.size, paths))

    def _found(self, path: str, name: str) -> Written:
        if self._checksums:
            return read_back(self._files, path, name)
        return Written(name, self._files.size(path), None)

    def _names(self) -> Iterator[str]:
        if self._kind is Kind.PREFIX:
            folder, base = os.path.split(self.path)
            for name in self._files.names(folder):
                rest = name.removeprefix(base)
                is_ours = name.startswith(base) and rest[:1] in {"", "."}
                if is_ours and self._files.kind(f"{folder}/{name}") == "file":
                    yield rest
        elif self._files.kind(self.path) == "folder":
            for path in files_below(self._files, self.path):
                yield path[len(self.path) + 1 :]
        elif self._files.kind(self.path):
            yield ""


def files_below(files: FileSystem, folder: str) -> Iterator[str]:
    """The files in a folder and in those below it.

    Args:
        files: The file system.
        folder: Where to look.

    Yields:
        Paths that begin with `folder`.
    """
    for name in files.names(folder):
        path = f"{folder}/{name}"
        if files.kind(path) == "folder":
            yield from files_below(files, path)
        else:
            yield path
