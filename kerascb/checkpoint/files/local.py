"""The file systems of this machine."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import sys
from typing import TYPE_CHECKING

from kerascb.checkpoint.files.exchange import exchange
from kerascb.checkpoint.files.pieces import PIECE_BYTES, pieces_of
from kerascb.checkpoint.files.release import released_later

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kerascb.checkpoint.files.filesystem import Entry
    from kerascb.layouts.plan import Buffer

_BINARY = getattr(os, "O_BINARY", 0)  # Windows alone knows another
_NOT_FOR_FOLDERS = frozenset({errno.EBADF, errno.EINVAL})


class LocalFileSystem:
    """Answers `FileSystem`, and what else a commit needs on this machine."""

    is_remote = False

    def kind(self, path: str) -> Entry | None:
        """Asks the operating system."""
        try:
            mode = os.stat(path).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return None
        if stat.S_ISREG(mode):
            return "file"
        return "folder" if stat.S_ISDIR(mode) else "other"

    def names(self, folder: str) -> list[str]:
        """Asks the operating system."""
        try:
            return sorted(os.listdir(folder))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def size(self, path: str) -> int:
        """Asks the operating system."""
        return os.path.getsize(path)

    def modified(self, path: str) -> float:
        """Of a link itself; of a folder when a name in it changed."""
        return os.lstat(path).st_mtime

    def make_folder(self, path: str) -> None:
        """Makes it; what names it is on disk when it returns."""
        if not path or self.kind(path) is not None:
            return
        above = os.path.dirname(path)
        self.make_folder(above)
        with contextlib.suppress(FileExistsError):  # made by another process
            os.mkdir(path)
        self.sync(above or os.curdir)

    def forget(self, path: str) -> None:
        """Has the next `read` of a file ask the disk, not the memory."""
        with open(path, "rb", buffering=0) as file:
            _let_go(file.fileno(), 0, 0)

    def read(self, path: str) -> Iterator[bytes | memoryview]:
        """One buffer serves for all pieces."""
        with open(path, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            # One byte more, so that a file that grows is read to its end.
            piece = memoryview(bytearray(min(size + 1, PIECE_BYTES)))
            while count := file.readinto(piece):
                yield piece[:count]

    def append(self, path: str, content: bytes) -> None:
        """One write, so that two processes do not mix their lines."""
        is_new = not os.path.exists(path)
        with open(path, "ab", buffering=0) as file:
            self.write(file.fileno(), content)
            _flush(file.fileno())
        if is_new:
            self.sync(os.path.dirname(path) or os.curdir)

    def move(self, source: str, target: str) -> None:
        """Renames; a file in its place is replaced in the same instant."""
        with released_later(target):
            os.replace(source, target)

    def remove(self, path: str) -> None:
        """A link is removed, not what it leads to."""
        with contextlib.suppress(FileNotFoundError), released_later(path):
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.remove(path)

    def remove_if_empty(self, folder: str) -> bool:
        """Removes a folder with nothing in it; tells whether it did."""
        try:
            os.rmdir(folder)
        except OSError:  # something is in it, or it is no folder of its own
            return False
        return True

    def check_writable(self, path: str) -> None:
        """Opens a file as if to write into it, and changes nothing.

        Raises:
            OSError: Why it could not be written, such as `PermissionError`.
        """
        os.close(os.open(path, os.O_WRONLY | _BINARY))

    def create(self, path: str) -> int:
        """Opens a new file for `write`, with the mode any new file has.

        Raises:
            FileExistsError: If there is one.
        """
        how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
        return os.open(path, how, 0o666)

    def pieces(
        self, handle: int, buffers: Iterable[Buffer]
    ) -> Iterator[memoryview]:
        """The content of a file as `write` takes it with the least effort."""
        del handle
        return pieces_of(buffers)

    def write(self, handle: int, piece: Buffer | bytearray) -> None:
        """Adds all of a piece to what `create` opened."""
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(handle, rest) :]

    def begin(self, handle: int, start: int, count: int) -> None:
        """Has the disk begin with a part of a file, without waiting for it.

        What has been put on the disk need not stay in memory.
        """
        _let_go(handle, start, count)

    def finish(self, handle: int) -> None:
        """Has what was written reach the disk."""
        _flush(handle)

    def close(self, handle: int) -> None:
        """Closes what `create` opened."""
        os.close(handle)

    def sync(self, path: str) -> None:
        """Has a file, or the names in a folder, reach the disk."""
        if os.name == "nt" and os.path.isdir(path):
            return  # Windows knows no folders to open
        handle = os.open(path, os.O_RDONLY | _BINARY)
        try:
            _flush(handle)
        except OSError as error:
            # Some network drives do not know that of folders.
            if error.errno not in _NOT_FOR_FOLDERS or not os.path.isdir(path):
                raise
        finally:
            os.close(handle)

    def exchange(self, one: str, other: str) -> None:
        """Gives two files or folders each other's names in one instant.

        Raises:
            OSError: If the system cannot do that there.
        """
        exchange(one, other)

    def link(self, source: str, target: str) -> None:
        """Gives a file a second name; copies it where that cannot be."""
        try:
            os.link(source, target, follow_symlinks=False)
        except FileExistsError:
            raise
        except OSError:
            shutil.copy2(source, target, follow_symlinks=False)
            if not os.path.islink(target):
                self.sync(target)

    def copy_mode(self, source: str, target: str) -> None:
        """Gives a file or folder the permissions of another."""
        shutil.copymode(source, target)

    @contextlib.contextmanager
    def locked(self, folder: str) -> Iterator[None]:
        """Keeps other processes from entering; no file is left behind.

        Where the file system knows no locks, nobody is kept out.
        """
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):
                handle = os.open(folder, os.O_RDONLY)
                stack.callback(os.close, handle)
                if sys.platform != "win32":
                    fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _let_go(handle: int, start: int, count: int) -> None:
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError):  # a hint, and not for every file
            os.posix_fadvise(handle, start, count, os.POSIX_FADV_DONTNEED)


def _flush(handle: int) -> None:
    if sys.platform == "darwin":  # whose fsync stops at the drive's cache
        with contextlib.suppress(OSError):
            fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
            return
    os.fsync(handle)
