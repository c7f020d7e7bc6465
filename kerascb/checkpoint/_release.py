"""Large files that go leave the freeing of their space to another thread.

To free the pages and blocks of a checkpoint takes the system about as long as
to copy them in memory (400 MB: 65 ms), and whoever removes the last name of a
file waits for it. Not so if somebody has the file open: then it is freed when
that is closed.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGE_BYTES = 8 << 20


@contextlib.contextmanager
def released_later(path: str) -> Iterator[None]:
    """Lets what is removed or replaced within the block go afterwards.

    Nothing depends on it: what cannot be opened is freed at once, by the
    system, and so is everything where open files cannot be removed.

    Args:
        path: Of a file or a folder, which need not be there.
    """
    handles: list[int] = []
    try:
        if sys.platform != "win32":
            handles = [
                handle
                for name in _files_at(path)
                if (handle := _open_large(name)) is not None
            ]
        yield
    finally:
        if handles:
            _close_elsewhere(handles)


def _files_at(path: str) -> Iterator[str]:
    if os.path.islink(path) or not os.path.isdir(path):
        yield path
        return
    for folder, _, names in os.walk(path):
        for name in names:
            yield os.path.join(folder, name)


def _open_large(path: str) -> int | None:
    with contextlib.suppress(OSError):
        if not os.path.islink(path) and os.path.getsize(path) >= _LARGE_BYTES:
            # Not to wait for a writer, should it be a pipe.
            return os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    return None


def _close_elsewhere(handles: list[int]) -> None:
    def close() -> None:
        for handle in handles:
            os.close(handle)

    try:
        threading.Thread(target=close, name="kerascb frees space").start()
    except RuntimeError:  # none can be started while Python shuts down
        close()
