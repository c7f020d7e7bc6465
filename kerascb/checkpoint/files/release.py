"""Large files that go leave the freeing of their space to another thread.

To free the pages and blocks of a checkpoint takes the system about as long as
to copy them in memory (400 MB: 65 ms), and whoever removes the last name of a
file waits for it. Not so if somebody has the file open: then it is freed when
that is closed.

Of files in a folder that goes as well none is opened: NFS and FUSE keep a name
for a removed file that is open, and so the folder.
"""

from __future__ import annotations

import contextlib
import os
import stat
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
        path: Of a file, which need not be there. Nothing is done for a folder.
    """
    handle = None if sys.platform == "win32" else _open_large(path)
    try:
        yield
    finally:
        if handle is not None:
            _close_elsewhere(handle)


def _open_large(path: str) -> int | None:
    with contextlib.suppress(OSError):
        status = os.lstat(path)
        if stat.S_ISREG(status.st_mode) and status.st_size >= _LARGE_BYTES:
            # Not to wait for a writer, should a pipe have taken its place.
            return os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    return None


def _close_elsewhere(handle: int) -> None:
    close = threading.Thread(
        target=os.close, args=(handle,), name="kerascb frees space"
    )
    try:
        close.start()
    except RuntimeError:  # none can be started while Python shuts down
        os.close(handle)
