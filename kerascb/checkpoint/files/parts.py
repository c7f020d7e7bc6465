"""Files that are read in parts, so that what is not needed stays far away."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, BinaryIO

from kerascb.checkpoint.files.remote import remote_filesystem
from kerascb.paths import is_remote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kerascb.checkpoint.files.remote import RemoteFileSystem

_PART_BYTES = 64 << 10
"""What is fetched at a time: most of what says what a file is, in one go."""


@contextlib.contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """Lends a file, here or far away, of which only parts will be read.

    Args:
        path: The file.

    Raises:
        OSError: If it cannot be read. Of a file far away that is raised at the
            end of the block at the latest, for parsers take it for damage.
    """
    if not is_remote(path):
        with open(path, "rb") as file:
            yield file
        return
    far = _FarFile(remote_filesystem(path), path)
    try:
        with io.BufferedReader(far, _PART_BYTES) as file:
            yield file
    finally:
        if far.failure is not None:
            raise far.failure


class _FarFile(io.RawIOBase):
    """A file far away, to be read at any position."""

    def __init__(self, files: RemoteFileSystem, path: str) -> None:
        super().__init__()
        self.failure: OSError | None = None
        self._files = files
        self._path = path
        self._size = files.size(path)
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {
            io.SEEK_SET: 0,
            io.SEEK_CUR: self._position,
            io.SEEK_END: self._size,
        }[whence]
        if start + offset < 0:
            raise OSError(f"No file has a position {start + offset}.")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        count = min(len(buffer), self._size - self._position)
        if count <= 0:
            return 0
        try:
            part = self._files.part(self._path, self._position, count)
        except OSError as error:
            self.failure = error
            raise
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)
