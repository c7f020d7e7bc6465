"""The few calls that checkpoints need of a file system, here or far away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from kerascb.checkpoint.files.local import LocalFileSystem
from kerascb.checkpoint.files.remote import remote_filesystem
from kerascb.paths import is_remote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kerascb.checkpoint.files.remote import RemoteFileSystem

Entry = Literal["file", "folder", "other"]
"""What a name may stand for; links stand for what they lead to."""


class FileSystem(Protocol):
    """A file system.

    Every call raises an `OSError` when it fails, whatever is behind it.

    Attributes:
        is_remote: Whether files are written here first and then uploaded.
    """

    is_remote: bool

    def kind(self, path: str) -> Entry | None:
        """What stands at a path; `None` for nothing."""

    def names(self, folder: str) -> list[str]:
        """The names in a folder, in order; none if there is no such folder."""

    def size(self, path: str) -> int:
        """How many bytes a file has."""

    def modified(self, path: str) -> float:
        """When a file was written last, in seconds since 1970.

        Infinity where the file system does not tell.
        """

    def make_folder(self, path: str) -> None:
        """Makes a folder and those above it, if they are missing."""

    def read(self, path: str) -> Iterator[bytes | memoryview]:
        """The content of a file; a piece is valid until the next is asked."""

    def append(self, path: str, content: bytes) -> None:
        """Adds to the end of a file, or makes it; on disk when it returns."""

    def move(self, source: str, target: str) -> None:
        """Gives a file another name; the file of that name is replaced."""

    def remove(self, path: str) -> None:
        """Removes a file, or a folder with all in it, if it is there."""


def filesystem_of(path: str) -> LocalFileSystem | RemoteFileSystem:
    """The file system a path lies on.

    Nothing is connected to yet, so that constructors can ask.

    Args:
        path: A local path, or one such as `"s3://bucket/folder"`: fsspec's,
            where it is installed with a driver for the scheme, else
            TensorFlow's.

    Raises:
        MissingDependency: If neither can reach it, but an installable package
            can.
        InvalidArgument: If neither knows the scheme.

    Example:
        >>> filesystem_of("checkpoints/last.keras").is_remote
        False
    """
    return remote_filesystem(path) if is_remote(path) else LocalFileSystem()
