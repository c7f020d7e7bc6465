"""Writing past the system's cache of files.

Written as usual, a checkpoint is copied into the cache by the processor, page
by page, and takes the place of the training data that lies there. Past the
cache the disk fetches it by itself. That wants whole blocks at addresses of
whole blocks, so the bytes are first put in a row in a small buffer: a third of
the work all the same (400 MB: 30 ms of a core instead of 85).
"""

from __future__ import annotations

import contextlib
import mmap
import os
import sys
from typing import TYPE_CHECKING

import numpy as np

from kerascb.checkpoint._local import LocalFileSystem

if TYPE_CHECKING:
    from kerascb.layouts.plan import Buffer

if sys.platform == "linux":
    import fcntl

_BUFFER_BYTES = 4 << 20
_BLOCK_BYTES = 4096
"""What every disk takes for whole blocks."""


class DirectFileSystem(LocalFileSystem):
    """This machine's file systems, large files being written past their cache.

    Where that is not possible (not Linux, in memory, some network drives) they
    are written as `LocalFileSystem` does, and so are files that fit into the
    buffer. To be used by one thread at a time.
    """

    def __init__(self) -> None:
        self._buffer = memoryview(mmap.mmap(-1, _BUFFER_BYTES))
        self._bytes = np.frombuffer(self._buffer, np.uint8)
        self._handle: int | None = None
        self._used = 0
        self._is_direct = False

    def create(self, path: str) -> int:
        """Opens a new file for `write`."""
        handle = super().create(path)
        if self._handle is None:
            self._handle, self._used, self._is_direct = handle, 0, False
        return handle

    def write(self, handle: int, piece: Buffer | bytearray) -> None:
        """Adds all of a piece to what `create` opened."""
        if handle != self._handle:
            super().write(handle, piece)
            return
        rest = np.frombuffer(piece, np.uint8)
        while rest.size:
            count = min(rest.size, _BUFFER_BYTES - self._used)
            place = self._bytes[self._used : self._used + count]
            np.copyto(place, rest[:count])
            self._used += count
            rest = rest[count:]
            if self._used == _BUFFER_BYTES:
                self._is_direct = self._is_direct or _set_direct(handle, True)
                super().write(handle, self._buffer)
                self._used = 0

    def begin(self, handle: int, start: int, count: int) -> None:
        """Nothing, where the disk has it already."""
        if handle != self._handle or not self._is_direct:
            super().begin(handle, start, count)

    def finish(self, handle: int) -> None:
        """Has what was written reach the disk."""
        if handle == self._handle:
            whole = 0
            if self._is_direct:
                whole = self._used - self._used % _BLOCK_BYTES
                super().write(handle, self._buffer[:whole])
                # The last bytes fill no block.
                self._is_direct = not _set_direct(handle, False)
            super().write(handle, self._buffer[whole : self._used])
            self._used = 0
        super().finish(handle)

    def close(self, handle: int) -> None:
        """Closes what `create` opened."""
        if handle == self._handle:
            self._handle = None
        super().close(handle)


def _set_direct(handle: int, is_direct: bool) -> bool:
    """Has a file written past the cache, or no longer; tells if that worked."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # not there, or not for this file
            flags = fcntl.fcntl(handle, fcntl.F_GETFL)
            flags = flags | os.O_DIRECT if is_direct else flags & ~os.O_DIRECT
            fcntl.fcntl(handle, fcntl.F_SETFL, flags)
            return True
    return False
