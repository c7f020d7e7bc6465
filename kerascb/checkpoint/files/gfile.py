"""File systems that TensorFlow reaches: `gs://`, `ram://`."""

from __future__ import annotations

import contextlib
import errno
import math
from typing import TYPE_CHECKING, Any

from kerascb import runtime
from kerascb.checkpoint.files.pieces import PIECE_BYTES
from kerascb.checkpoint.files.staged_names import staged_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kerascb.checkpoint.files.filesystem import Entry

_ERRNO = {
    3: errno.EINVAL,  # INVALID_ARGUMENT
    4: errno.ETIMEDOUT,  # DEADLINE_EXCEEDED
    5: errno.ENOENT,  # NOT_FOUND
    6: errno.EEXIST,  # ALREADY_EXISTS
    7: errno.EACCES,  # PERMISSION_DENIED
    8: errno.ENOSPC,  # RESOURCE_EXHAUSTED
    14: errno.EAGAIN,  # UNAVAILABLE
    16: errno.EACCES,  # UNAUTHENTICATED
}
"""TensorFlow's error codes that the operating system has a word for."""


class GfileFileSystem:
    """What TensorFlow reaches: `gs://` and `ram://`."""

    is_remote = True

    def kind(self, path: str) -> Entry | None:
        """Asks the remote side."""
        with _as_os_errors(path) as gfile:
            if not gfile.exists(path):
                return None
            return "folder" if gfile.isdir(path) else "file"

    def names(self, folder: str) -> list[str]:
        """Asks the remote side."""
        with _as_os_errors(folder) as gfile:
            found = gfile.listdir(folder) if gfile.isdir(folder) else []
        return sorted(name.rstrip("/") for name in found)

    def size(self, path: str) -> int:
        """Asks the remote side."""
        with _as_os_errors(path) as gfile:
            return int(gfile.stat(path).length)

    def modified(self, path: str) -> float:
        """Asks the remote side."""
        with _as_os_errors(path) as gfile:
            return float(gfile.stat(path).mtime_nsec) / 1e9 or math.inf

    def make_folder(self, path: str) -> None:
        """Object stores take a file without a folder as well."""
        with _as_os_errors(path) as gfile:
            gfile.makedirs(path)

    def read(self, path: str) -> Iterator[bytes | memoryview]:
        """Downloads piece by piece."""
        with _as_os_errors(path) as gfile, gfile.GFile(path, "rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece

    def part(self, path: str, start: int, count: int) -> bytes:
        """Downloads no more than that."""
        with _as_os_errors(path) as gfile, gfile.GFile(path, "rb") as file:
            file.seek(start)
            found: bytes = file.read(count)
        return found

    def append(self, path: str, content: bytes) -> None:
        """Writes the file anew; object stores do not append."""
        there = b"".join(self.read(path)) if self.kind(path) else b""
        staged = staged_name(path)
        with _as_os_errors(path) as gfile, gfile.GFile(staged, "wb") as file:
            file.write(there + content)
        self.move(staged, path)

    def move(self, source: str, target: str) -> None:
        """Renames; object stores copy it on their side, whole or not."""
        with _as_os_errors(target) as gfile:
            gfile.rename(source, target, overwrite=True)

    def remove(self, path: str) -> None:
        """Removes it there."""
        kind = self.kind(path)
        with _as_os_errors(path) as gfile:
            if kind == "folder":
                gfile.rmtree(path)
            elif kind == "file":
                gfile.remove(path)

    def upload(self, local: str, path: str) -> None:
        """Sends it."""
        with _as_os_errors(path) as gfile:
            gfile.copy(local, path, overwrite=True)

    def checksum(self, path: str) -> int | None:
        """TensorFlow does not tell."""
        del path
        return None


@contextlib.contextmanager
def _as_os_errors(path: str) -> Iterator[Any]:
    """Lends `tf.io.gfile`; its errors are raised as Python's own."""
    try:
        yield runtime.gfile()
    except runtime.remote_error() as error:
        code = _ERRNO.get(getattr(error, "error_code", 0), errno.EIO)
        raise OSError(code, str(error), path) from error
