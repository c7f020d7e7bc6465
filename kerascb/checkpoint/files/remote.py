"""File systems that are reached through a protocol: `s3://`, `gs://`."""

from __future__ import annotations

import base64
import contextlib
import errno
import math
import os
import tempfile
from typing import TYPE_CHECKING, Any, Protocol

from kerascb import runtime
from kerascb.checkpoint.files.gfile import GfileFileSystem
from kerascb.checkpoint.files.pieces import PIECE_BYTES
from kerascb.checkpoint.files.staged_names import staged_name
from kerascb.errors import InvalidArgument, MissingDependency
from kerascb.paths import is_remote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kerascb.checkpoint.files.filesystem import Entry, FileSystem

    class RemoteFileSystem(FileSystem, Protocol):
        """A file system whose files are uploaded whole."""

        def part(self, path: str, start: int, count: int) -> bytes:
            """Some bytes of a file; fewer where it ends."""

        def upload(self, local: str, path: str) -> None:
            """Puts a copy of a file of this machine there."""

        def checksum(self, path: str) -> int | None:
            """The CRC-32C that the store keeps of a file, if it does."""


_ERRNO = {
    401: errno.EACCES,  # Unauthorized
    403: errno.EACCES,  # Forbidden
    404: errno.ENOENT,  # Not Found
    408: errno.ETIMEDOUT,  # Request Timeout
    429: errno.EAGAIN,  # Too Many Requests
    503: errno.EAGAIN,  # Service Unavailable
    504: errno.ETIMEDOUT,  # Gateway Timeout
}
"""The statuses of HTTP that the operating system has a word for."""

_STATUS = ("status", "code", "status_code")
"""What aiohttp, gcsfs and adlfs call it in their errors."""


def remote_filesystem(path: str) -> RemoteFileSystem:
    """Whatever installed package reaches a path; see `filesystem_of`."""
    scheme = path.partition("://")[0]
    missing = _lacking_for_fsspec(scheme)
    if missing is None:
        return FsspecFileSystem(path)
    if scheme in _schemes_of_tensorflow():
        return GfileFileSystem()
    raise missing


def is_read_by_tensorflow(path: str) -> bool:
    """Whether TensorFlow, and Keras with it, can read a path as it is.

    Args:
        path: A local path, or a remote one.
    """
    scheme = path.partition("://")[0]
    return not is_remote(path) or scheme in _schemes_of_tensorflow()


@contextlib.contextmanager
def lent(path: str) -> Iterator[str]:
    """Lends a checkpoint under a path that Keras and TensorFlow can read.

    That is its own, unless only fsspec reaches it; then it is copied.

    Args:
        path: A file, a directory, or the prefix of a TensorFlow checkpoint.

    Raises:
        OSError: If it cannot be copied.
    """
    if is_read_by_tensorflow(path):
        yield path
        return
    with at_hand(path) as local:
        yield local


@contextlib.contextmanager
def at_hand(path: str) -> Iterator[str]:
    """Lends a checkpoint on this machine: itself, or a copy until the end.

    Args:
        path: A file, a directory, or the prefix of a TensorFlow checkpoint.

    Raises:
        OSError: If it cannot be copied.
    """
    if not is_remote(path):
        yield path
        return
    path = path.rstrip("/")
    base = path.rpartition("/")[2]
    folder = path[: len(path) - len(base)]
    files = remote_filesystem(path)
    ends = (f"{base}.index", f"{base}.data-")
    with tempfile.TemporaryDirectory(prefix="kerascb-") as scratch:
        if files.kind(path) is not None:
            _download(files, path, os.path.join(scratch, base))
        else:
            for name in files.names(folder):
                if name.startswith(ends):
                    _download(files, folder + name, os.path.join(scratch, name))
        yield os.path.join(scratch, base)


def _download(files: RemoteFileSystem, path: str, local: str) -> None:
    if files.kind(path) == "folder":
        os.mkdir(local)
        for name in files.names(path):
            _download(files, f"{path}/{name}", os.path.join(local, name))
        return
    with open(local, "wb") as file:
        for piece in files.read(path):
            file.write(piece)


def _lacking_for_fsspec(scheme: str) -> Exception | None:
    """Why fsspec cannot reach a scheme; `None` if it can."""
    who = f"A path that begins with {scheme}://"
    try:
        import fsspec  # noqa: PLC0415 - local paths do without
        from fsspec.registry import known_implementations  # noqa: PLC0415
    except ImportError:
        return MissingDependency(who, "fsspec", "remote")
    try:
        fsspec.get_filesystem_class(scheme)
    except ValueError:
        return InvalidArgument(
            f"Nothing that is installed can reach {scheme}://: got a path "
            f"that begins so. Schemes that fsspec knows: "
            f"{', '.join(sorted(fsspec.available_protocols()))}."
        )
    except ImportError as error:
        home = known_implementations[scheme]["class"]
        package = home.partition(".")[0]
        if package == "fsspec":  # fsspec's own class, over another package
            package = getattr(error.__cause__, "name", None) or scheme
        failure = MissingDependency(who, package)
        failure.__cause__ = error
        return failure
    return None


def _schemes_of_tensorflow() -> list[str]:
    try:
        return list(runtime.gfile().get_registered_schemes())
    except MissingDependency:
        return []


class FsspecFileSystem:
    """What fsspec has a driver for.

    Args:
        path: Any path there.
    """

    is_remote = True

    def __init__(self, path: str) -> None:
        self._path = path

    @contextlib.contextmanager
    def _driver(self, path: str) -> Iterator[Any]:
        """Lends the driver; its errors are raised as Python's own."""
        import fsspec  # noqa: PLC0415

        try:
            # Connects at the first use; fsspec keeps it for the next one. What
            # it remembers of folders may be older than what others did.
            driver, _ = fsspec.url_to_fs(self._path)
            driver.invalidate_cache()
            yield driver
        except OSError:
            raise
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            raise OSError(_errno_of(error), text, path) from error

    def kind(self, path: str) -> Entry | None:
        """Asks the remote side."""
        with self._driver(path) as driver:
            if driver.isfile(path):
                return "file"
            return "folder" if driver.isdir(path) else None

    def names(self, folder: str) -> list[str]:
        """Asks the remote side."""
        try:
            with self._driver(folder) as driver:
                found = driver.ls(folder, detail=False)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(os.path.basename(path.rstrip("/")) for path in found)

    def size(self, path: str) -> int:
        """Asks the remote side."""
        with self._driver(path) as driver:
            return int(driver.size(path))

    def modified(self, path: str) -> float:
        """Asks the remote side."""
        with self._driver(path) as driver:
            try:
                return float(driver.modified(path).timestamp())
            except (NotImplementedError, KeyError):
                return math.inf

    def make_folder(self, path: str) -> None:
        """Object stores have none; who may not make buckets need not."""
        with contextlib.suppress(PermissionError), self._driver(path) as driver:
            driver.makedirs(path, exist_ok=True)

    def read(self, path: str) -> Iterator[bytes | memoryview]:
        """Downloads piece by piece."""
        with self._driver(path) as driver, driver.open(path, "rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece

    def part(self, path: str, start: int, count: int) -> bytes:
        """Downloads no more than that."""
        with self._driver(path) as driver:
            found: bytes = driver.cat_file(path, start, start + count)
        return found

    def append(self, path: str, content: bytes) -> None:
        """Writes the file anew; object stores do not append."""
        staged = staged_name(path)
        with self._driver(path) as driver:
            there = driver.cat_file(path) if driver.exists(path) else b""
            driver.pipe_file(staged, there + content)
            driver.mv(staged, path)

    def move(self, source: str, target: str) -> None:
        """Renames; object stores copy it on their side, whole or not."""
        with self._driver(target) as driver:
            driver.mv(source, target)

    def remove(self, path: str) -> None:
        """Removes it there."""
        missing = contextlib.suppress(FileNotFoundError)
        with missing, self._driver(path) as driver:
            driver.rm(path, recursive=True)

    def upload(self, local: str, path: str) -> None:
        """Sends it, in parts where it is large."""
        with self._driver(path) as driver:
            driver.put_file(local, path)

    def checksum(self, path: str) -> int | None:
        """Google Cloud Storage keeps one."""
        with self._driver(path) as driver:
            found = driver.info(path).get("crc32c")
        return None if found is None else _from_base64(found)


def _errno_of(error: Exception) -> int:
    found = (getattr(error, name, None) for name in _STATUS)
    status = next((one for one in found if isinstance(one, int)), 0)
    return _ERRNO.get(status, errno.EIO)


def _from_base64(text: str) -> int:
    return int.from_bytes(base64.b64decode(text), "big")
