"""One run at a time in a folder of backups."""

from __future__ import annotations

import contextlib
import datetime
import errno
import json
import os
import shlex
import socket
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

from kerascb.errors import BackupInUse

if TYPE_CHECKING:
    from collections.abc import Callable

    from filelock import BaseFileLock

LOCK_NAME = "kerascb.lock"
"""The file in the folder; it says who holds the lock."""

_NO_LOCKS = frozenset(
    {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL}
)
_ATTEMPTS = 5
_LONGEST_COMMAND = 300

_guard = threading.Lock()
_held: weakref.WeakValueDictionary[str, RunLock] = weakref.WeakValueDictionary()
"""The locks of this process, by the real paths of their files."""
_told: set[str] = set()


class RunLock:
    """Keeps all runs but one out of a folder.

    The system holds the lock for the process: when that ends, in whatever way,
    others can have it at once. A process that was forked does not hold it.

    Within one process the lock goes from one fit to the next, if that before
    has ended with an exception and left it.

    Args:
        folder: The folder; has to be there when the lock is acquired.
        shown: What errors call it.
        warn: Tells the user something.
    """

    def __init__(
        self, folder: str, shown: str, warn: Callable[[str], None]
    ) -> None:
        self._path = os.path.join(folder, LOCK_NAME)
        self._shown = shown
        self._warn = warn
        self._lock: BaseFileLock | None = None
        self._is_over: Callable[[], bool] | None = None

    @property
    def is_held(self) -> bool:
        """Whether this is the holder."""
        return self._lock is not None and self._lock.is_locked

    def acquire(self, is_over: Callable[[], bool] | None = None) -> None:
        """Takes the lock, or refuses at once.

        A second time it does nothing. Where the file system knows no locks,
        nobody is kept out, and a warning says so once.

        Args:
            is_over: Tells whether the fit that is to hold the lock is over,
                should another one of this process want it. By default it is
                over when `release` is called.

        Raises:
            BackupInUse: If another run holds it.
            OSError: If the lock's file cannot be made.
        """
        with _guard:
            self._is_over = is_over
            if self.is_held:
                return
            key = os.path.realpath(self._path)
            former = _held.get(key)
            if former is not None and former.is_abandoned():
                former.release()
            self._lock = self._taken()
            if self._lock is not None:
                _held[key] = self

    def release(self) -> None:
        """Lets others have the lock, and leaves no file behind."""
        if self._lock is None or not self._lock.is_locked:
            return
        # As long as it is held: a file that others may lock is not removed.
        with contextlib.suppress(OSError):  # Windows, where it is open
            os.remove(self._path)
        self._lock.release()
        self._lock = None

    def is_abandoned(self) -> bool:
        """Whether its fit is over, but has not released it."""
        return self._is_over is not None and self._is_over()

    def _taken(self) -> BaseFileLock | None:
        """The lock; `None` where there are none."""
        import filelock  # noqa: PLC0415 - only who backs up needs it

        lock = filelock.FileLock(
            self._path,
            thread_local=False,
            fallback_to_soft=False,
            on_acquired=_sign,
        )
        for _ in range(_ATTEMPTS):
            try:
                lock.acquire(blocking=False)
            except filelock.Timeout:
                if os.path.exists(self._path):
                    break
                continue  # it has been released in this instant
            except OSError as error:
                if error.errno not in _NO_LOCKS:
                    raise
                self._tell_of_no_locks(error)
                return None
            return lock
        raise BackupInUse(self._shown, _holder_in(self._path))

    def _tell_of_no_locks(self, error: OSError) -> None:
        with contextlib.suppress(OSError):
            os.remove(self._path)
        if self._path not in _told:
            _told.add(self._path)
            self._warn(
                f"BackupAndRestore: the file system of {self._shown!r} knows "
                f"no locks ({error.strerror}), so that nothing keeps a second "
                "run out of it. See to it that there is only one."
            )


def _sign(handle: int) -> None:
    """Writes into the file of a lock who holds it."""
    holder = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "since": f"{datetime.datetime.now().astimezone():%Y-%m-%d %H:%M:%S %z}",
        "command": shlex.join(sys.orig_argv)[:_LONGEST_COMMAND],
    }
    with contextlib.suppress(OSError):  # a full disk; the lock is held anyway
        os.lseek(handle, 0, os.SEEK_SET)
        os.ftruncate(handle, 0)
        os.write(handle, json.dumps(holder, indent=1).encode())


def _holder_in(path: str) -> dict[str, Any]:
    """Who has signed; nothing if that cannot be known."""
    with contextlib.suppress(OSError, ValueError):
        with open(path, encoding="utf-8") as file:
            holder = json.load(file)
        if isinstance(holder, dict):
            return holder
    return {}
