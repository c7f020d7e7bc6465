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
import errno
import itertools
import mmap
import os
import queue
import sys
import threading
from typing import TYPE_CHECKING

from kerascb.checkpoint.files.local import LocalFileSystem
from kerascb.checkpoint.files.pieces import packed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kerascb.layouts.plan import Buffer

if sys.platform == "linux":
    import fcntl

_BUFFER_BYTES = 4 << 20
"""A whole number of the blocks of any disk."""


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
        self._is_direct = False
        self._helper: _Helper | None = None

    def create(self, path: str) -> int:
        """Opens a new file for `write`."""
        handle = super().create(path)
        if self._handle is None:
            self._handle, self._is_direct = handle, False
        return handle

    def pieces(
        self, handle: int, buffers: Iterable[Buffer]
    ) -> Iterator[memoryview]:
        """Whole buffers: while `write` empties one, the other is filled."""
        if handle != self._handle:
            return super().pieces(handle, buffers)
        return packed(buffers, itertools.cycle(self._buffers))

    def write(self, handle: int, piece: Buffer | bytearray) -> None:
        """Adds one of `pieces` to what `create` opened."""
        helper = self._helper_for(handle, len(piece))
        if helper is not None:
            helper.do(lambda: self._write_blocks(handle, memoryview(piece)))
            return
        if handle == self._handle:
            self._end_blocks(handle)
        super().write(handle, piece)

    def begin(self, handle: int, start: int, count: int) -> None:
        """Nothing, where the disk has it already."""
        if handle != self._handle or not self._is_direct:
            super().begin(handle, start, count)

    def finish(self, handle: int) -> None:
        """Has what was written reach the disk."""
        if handle == self._handle:
            self._end_blocks(handle)
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

    def _helper_for(self, handle: int, count: int) -> _Helper | None:
        """What writes a full buffer past the cache, where that can be."""
        if handle != self._handle or count != _BUFFER_BYTES:
            return None
        if self._helper is None and _set_direct(handle, True):
            self._helper, self._is_direct = _Helper(), True
        return self._helper

    def _write_blocks(self, handle: int, rest: memoryview) -> None:
        while rest:
            rest = rest[self._write_some(handle, rest) :]

    def _write_some(self, handle: int, blocks: memoryview) -> int:
        try:
            return os.write(handle, blocks)
        except OSError as error:
            # Some file systems know the flag, and refuse what it means.
            is_refused = error.errno == errno.EINVAL and self._is_direct
            if not (is_refused and _set_direct(handle, False)):
                raise
        self._is_direct = False
        return os.write(handle, blocks)

    def _end_blocks(self, handle: int) -> None:
        """The last bytes fill no block: they are written as usual."""
        helper, self._helper = self._helper, None
        if helper is not None:
            helper.end()
            self._is_direct = False
            _set_direct(handle, False)


class _Helper:
    """A thread that does one thing while the next is prepared.

    No `BackgroundWriter`: that would start a thread for each of a hundred
    buffers of a file, have it give way to the training that may be waiting for
    it, and tell of an error when asked and not to the next. Python need not
    wait for it at exit: whoever writes does.
    """

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = (
            queue.SimpleQueue()
        )
        self._results: queue.SimpleQueue[OSError | None] = queue.SimpleQueue()
        self._is_busy = False
        self._thread: threading.Thread | None = threading.Thread(
            target=self._run, name="kerascb writes", daemon=True
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
