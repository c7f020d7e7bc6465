"""File systems that are reached through a protocol: `s3://`, `gs://`."""

from __future__ import annotations

import base64
import contextlib
import math
import os
from typing import TYPE_CHECKING, Any, Protocol

from kerascb import runtime
from kerascb.checkpoint._gfile import GfileFileSystem
from kerascb.checkpoint._staged_names import staged_name
from kerascb.errors import InvalidArgument, MissingDependency

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kerascb.checkpoint.filesystem import Entry, FileSystem

    class RemoteFileSystem(FileSystem, Protocol):
        """A file system whose files are uploaded whole."""

        def upload(self, local: str, path: str) -> None:
            """Puts a copy of a file of this machine there."""

        def checksum(self, path: str) -> int | None:
            """The CRC-32C that the store keeps of a file, if it does."""


_PIECE_BYTES = 16 << 20


def remote_filesystem(path: str) -> RemoteFileSystem:
    """Whatever installed package reaches a path; see `filesystem_of`."""
    scheme = path.partition("://")[0]
    missing = _lacking_for_fsspec(scheme)
    if missing is None:
        return FsspecFileSystem(path)
    if scheme in _schemes_of_tensorflow():
        return GfileFileSystem()
    raise missing


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

    @property
    def _driver(self) -> Any:
        import fsspec  # noqa: PLC0415

        # Connects at the first use; fsspec keeps it for the next one. What it
        # remembers of folders may be older than what other processes did.
        driver, _ = fsspec.url_to_fs(self._path)
        driver.invalidate_cache()
        return driver

    def kind(self, path: str) -> Entry | None:
        """Asks the remote side."""
        driver = self._driver
        if driver.isfile(path):
            return "file"
        return "folder" if driver.isdir(path) else None

    def names(self, folder: str) -> list[str]:
        """Asks the remote side."""
        try:
            found = self._driver.ls(folder, detail=False)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(os.path.basename(path.rstrip("/")) for path in found)

    def size(self, path: str) -> int:
        """Asks the remote side."""
        return int(self._driver.size(path))

    def modified(self, path: str) -> float:
        """Asks the remote side."""
        try:
            return float(self._driver.modified(path).timestamp())
        except (NotImplementedError, KeyError):
            return math.inf

    def make_folder(self, path: str) -> None:
        """Object stores have none; who may not make buckets need not."""
        with contextlib.suppress(PermissionError):
            self._driver.makedirs(path, exist_ok=True)

    def read(self, path: str) -> Iterator[bytes | memoryview]:
        """Downloads piece by piece."""
        with self._driver.open(path, "rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece

    def append(self, path: str, content: bytes) -> None:
        """Writes the file anew; object stores do not append."""
        driver = self._driver
        there = driver.cat_file(path) if driver.exists(path) else b""
        staged = staged_name(path)
        driver.pipe_file(staged, there + content)
        driver.mv(staged, path)

    def move(self, source: str, target: str) -> None:
        """Renames; object stores copy it on their side, whole or not."""
        self._driver.mv(source, target)

    def remove(self, path: str) -> None:
        """Removes it there."""
        with contextlib.suppress(FileNotFoundError):
            self._driver.rm(path, recursive=True)

    def upload(self, local: str, path: str) -> None:
        """Sends it, in parts where it is large."""
        self._driver.put_file(local, path)

    def checksum(self, path: str) -> int | None:
        """Google Cloud Storage keeps one."""
        found = self._driver.info(path).get("crc32c")
        return None if found is None else _from_base64(found)


def _from_base64(text: str) -> int:
    return int.from_bytes(base64.b64decode(text), "big")
