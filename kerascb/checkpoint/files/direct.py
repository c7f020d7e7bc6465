"""Writing past the system's cache of files.

Written as usual, a checkpoint is copied into the cache by the processor, page
by page, and takes the place of the training data that lies there. Past the
cache the disk fetches it by itself. That wants whole blocks at addresses of
whole blocks, so the bytes are first put in a row in a buffer; while the disk
takes one, the other is filled. It is a third of the work all the same (400 MB:
30 ms of a core instead of 85).
"""

from __future__ import annotations

import contextlib
import mmap
import os
import queue
import sys
import threading
from typing import TYPE_CHECKING

import numpy as np

from kerascb.checkpoint.files.local import LocalFileSystem

if TYPE_CHECKING:
    from collections.abc import Callable

    from kerascb.layouts.plan import Buffer

if sys.platform == "linux":
    import fcntl

_BUFFER_BYTES = 4 << 20
_BLOCK_BYTES = 4096
"""What every disk takes for whole blocks."""


class DirectFileSystem(LocalFileSystem):
    """This machine's file systems, large files being written past their cache.

    Where that is not possible (not Linux, in memory, some network drives) they
    are written as `LocalFileSystem` does, and so are files that fit into a
    buffer. To be used by one thread at a time.
    """

    def __init__(self) -> None:
        self._buffers = [
            memoryview(mmap.mmap(-1, _BUFFER_BYTES)) for _ in range(2)
        ]
        self._handle: int | None = None
        self._used = 0
        self._helper: _Helper | None = None

    def create(self, path: str) -> int:
        """Opens a new file for `write`."""
        handle = super().create(path)
        if self._handle is None:
            self._handle, self._used = handle, 0
        return handle

    def write(self, handle: int, piece: Buffer | bytearray) -> None:
        """Adds all of a piece to what `create` opened."""
        if handle != self._handle:
            super().write(handle, piece)
            return
        rest = np.frombuffer(piece, np.uint8)
        while rest.size:
            count = min(rest.size, _BUFFER_BYTES - self._used)
            place = np.frombuffer(self._buffers[0], np.uint8)
            np.copyto(place[self._used : self._used + count], rest[:count])
            self._used += count
            rest = rest[count:]
            if self._used == _BUFFER_BYTES:
                self._empty(handle)

    def begin(self, handle: int, start: int, count: int) -> None:
        """Nothing, where the disk has it already."""
        if handle != self._handle or self._helper is None:
            super().begin(handle, start, count)

    def finish(self, handle: int) -> None:
        """Has what was written reach the disk."""
        if handle == self._handle:
            rest = self._buffers[0][: self._used]
            if self._helper is not None:
                self._helper.end()
                self._helper = None
                whole = self._used - self._used % _BLOCK_BYTES
                super().write(handle, rest[:whole])
                _set_direct(handle, False)  # the last bytes fill no block
                rest = rest[whole:]
            super().write(handle, rest)
            self._used = 0
        super().finish(handle)

    def close(self, handle: int) -> None:
        """Closes what `create` opened."""
        if handle == self._handle:
            self._handle = None
            helper, self._helper = self._helper, None
            if helper is not None:  # something has failed
                with contextlib.suppress(OSError):
                    helper.end()
        super().close(handle)

    def _empty(self, handle: int) -> None:
        """Has a full buffer written, and goes on with the other."""
        if self._helper is None and _set_direct(handle, True):
            self._helper = _Helper()
        full = self._buffers[0]
        if self._helper is None:
            super().write(handle, full)
        else:
            write = super().write
            self._helper.do(lambda: write(handle, full))
            self._buffers.reverse()
        self._used = 0


class _Helper:
    """A thread that does one thing while the next is prepared."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = (
            queue.SimpleQueue()
        )
        self._results: queue.SimpleQueue[OSError | None] = queue.SimpleQueue()
        self._is_busy = False
        self._thread: threading.Thread | None = threading.Thread(
            target=self._run, name="kerascb writes"
        )
        try:
            self._thread.start()
        except RuntimeError:  # none can be started while Python shuts down
            self._thread = None

    def do(self, job: Callable[[], None]) -> None:
        """Waits for what was to be done before, and has the next thing done.

        Raises:
            OSError: What the one before raised.
        """
        self._wait()
        if self._thread is None:
            job()
        else:
            self._is_busy = True
            self._jobs.put(job)

    def end(self) -> None:
        """Waits for the last, and lets the thread end.

        Raises:
            OSError: What the last raised.
        """
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
        self._wait()

    def _wait(self) -> None:
        if self._is_busy:
            self._is_busy = False
            error = self._results.get()
            if error is not None:
                raise error

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._results.put(_error_of(job))


def _error_of(job: Callable[[], None]) -> OSError | None:
    try:
        job()
    except OSError as error:
        return error
    return None


def _set_direct(handle: int, is_direct: bool) -> bool:
    """Has a file written past the cache, or no longer; tells if that worked."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # not there, or not for this file
            flags = fcntl.fcntl(handle, fcntl.F_GETFL)
            flags = flags | os.O_DIRECT if is_direct else flags & ~os.O_DIRECT
            fcntl.fcntl(handle, fcntl.F_SETFL, flags)
            return True
    return False
