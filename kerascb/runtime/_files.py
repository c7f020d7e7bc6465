"""The few file operations that a backup needs, on this disk or far away.

Writing is all or nothing: a reader finds the old file or the new one, never
half of one.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from typing import TYPE_CHECKING, Any, Protocol

from kerascb.paths import is_remote
from kerascb.runtime._remote import gfile, remote_error

if TYPE_CHECKING:
    from collections.abc import Iterator

_STAGED = ".tmp-"


class Files(Protocol):
    """A file system.

    Attributes:
        errors: What its calls raise when they fail.
    """

    errors: tuple[type[Exception], ...]

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder of that name."""

    def replacing(self, path: str) -> contextlib.AbstractContextManager[str]:
        """Lends a local path to write to, and puts what is there at `path`.

        Nothing changes at `path` if the block raises, or writes nothing.

        Args:
            path: The file to replace; its folder must exist.
        """

    def reading(
        self, path: str, *, name: str
    ) -> contextlib.AbstractContextManager[str]:
        """Lends a local path, called `name`, to read the file from."""

    def remove(self, path: str) -> None:
        """Removes a file, and what an interrupted `replacing` left of it."""


def files_of(path: str) -> Files:
    """The file system a path lies on.

    Args:
        path: A local path, or one such as `"gs://bucket/folder"`, which is
            left to TensorFlow.
    """
    return RemoteFiles() if is_remote(path) else LocalFiles()


class LocalFiles:
    """The file systems of this machine."""

    errors: tuple[type[Exception], ...] = (OSError,)

    def exists(self, path: str) -> bool:
        """Asks the operating system."""
        return os.path.exists(path)

    @contextlib.contextmanager
    def replacing(self, path: str) -> Iterator[str]:
        """Writes beside the file, forces it to the disk, then renames it."""
        staged = _staged(path)
        try:
            yield staged
            if os.path.exists(staged):
                _force_to_disk(staged)
                os.replace(staged, path)
                _force_to_disk(os.path.dirname(path) or os.curdir)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.remove(staged)

    @contextlib.contextmanager
    def reading(self, path: str, *, name: str) -> Iterator[str]:
        """The file itself, or a copy where it is called otherwise."""
        if os.path.basename(path) == name:
            yield path
            return
        with tempfile.TemporaryDirectory() as folder:
            yield shutil.copy(path, os.path.join(folder, name))

    def remove(self, path: str) -> None:
        """Removes the file and its staged successor."""
        for one in (path, _staged(path)):
            with contextlib.suppress(FileNotFoundError):
                os.remove(one)


class RemoteFiles:
    """What TensorFlow's file systems reach, such as `gs://`."""

    def __init__(self) -> None:
        self._gfile: Any = gfile()
        self.errors: tuple[type[Exception], ...] = (OSError, remote_error())

    def exists(self, path: str) -> bool:
        """Asks the remote side."""
        return bool(self._gfile.exists(path))

    @contextlib.contextmanager
    def replacing(self, path: str) -> Iterator[str]:
        """Writes here, copies beside the file over there, then renames it."""
        with tempfile.TemporaryDirectory() as folder:
            local = os.path.join(folder, os.path.basename(path))
            yield local
            if not os.path.exists(local):
                return
            staged = _staged(path)
            try:
                self._gfile.copy(local, staged, overwrite=True)
                self._gfile.rename(staged, path, overwrite=True)
            except BaseException:
                self._remove_if_there(staged)
                raise

    @contextlib.contextmanager
    def reading(self, path: str, *, name: str) -> Iterator[str]:
        """A copy on this machine."""
        with tempfile.TemporaryDirectory() as folder:
            local = os.path.join(folder, name)
            self._gfile.copy(path, local)
            yield local

    def remove(self, path: str) -> None:
        """Removes the file and its staged successor."""
        for one in (path, _staged(path)):
            self._remove_if_there(one)

    def _remove_if_there(self, path: str) -> None:
        if self.exists(path):
            self._gfile.remove(path)


def _staged(path: str) -> str:
    # The end of the name stays: Keras reads the format off it. The name is
    # always the same, so that a killed run leaves one such file at most.
    # What stands before it is not split and joined: `ram://a` has no folder.
    name = os.path.basename(path)
    return path[: len(path) - len(name)] + _STAGED + name


def _force_to_disk(path: str) -> None:
    if os.name == "nt" and os.path.isdir(path):
        return  # Windows knows no folders to open
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
