"""Names of what is not finished: whose it is can be told from the name."""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
import re
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kerascb.checkpoint.files.filesystem import FileSystem

_WEEK_S = 7 * 24 * 3600
_LONGEST = 160
"""Bytes of the target's name that are kept; file systems allow 255 in all."""

_STAGED = re.compile(
    r"\.kerascb-(?P<machine>[0-9a-f]{8})-(?P<pid>\d+)-(?P<run>[0-9a-f]{8})"
    r"-\d+-(?P<role>new|old)-(?P<target>.*)",
    re.DOTALL,
)
_numbers = itertools.count()


def staged_name(path: str, role: str = "new") -> str:
    """A name beside a path that nothing else has.

    It ends as the path does, for savers that read the format off it.

    Args:
        path: What is to be replaced.
        role: `"new"` for what will stand there, `"old"` for what stood there.
    """
    target = os.path.basename(path)
    before = path[: len(path) - len(target)]
    kept = os.fsdecode(os.fsencode(target)[-_LONGEST:])
    return (
        f"{before}.kerascb-{_machine()}-{os.getpid()}-{_run(os.getpid())}"
        f"-{next(_numbers)}-{role}-{kept}"
    )


def is_staged(name: str) -> bool:
    """Whether a name in a folder is that of something unfinished.

    Example:
        >>> is_staged(staged_name("last.keras")), is_staged("last.keras")
        (True, False)
    """
    return _STAGED.match(name) is not None


def set_aside(name: str) -> str | None:
    """The name that something had before it was put out of the way.

    Args:
        name: A name in a folder.

    Returns:
        The former name; `None` if it is not such a thing.
    """
    found = _STAGED.fullmatch(name)
    return found["target"] if found and found["role"] == "old" else None


def is_own(name: str) -> bool:
    """Whether something unfinished is this very process's.

    Args:
        name: Its name in a folder.

    Example:
        >>> is_own(staged_name("last.keras")), is_own("last.keras")
        (True, False)
    """
    found = _STAGED.match(name)
    return found is not None and (
        found["machine"] == _machine()
        and int(found["pid"]) == os.getpid()
        and found["run"] == _run(os.getpid())
    )


def is_abandoned(files: FileSystem, folder: str, name: str) -> bool:
    """Whether something unfinished is no longer anybody's work.

    What a process of this machine made is so when that has ended; what
    others made, when nothing happened to it for a week.

    Args:
        files: The file system.
        folder: Where it lies.
        name: Its name there.
    """
    found = _STAGED.match(name)
    if found is None:
        return False
    if found["machine"] != _machine() or os.name == "nt":
        age_s = time.time() - files.modified(f"{folder}/{name}")
        return age_s > _WEEK_S
    pid = int(found["pid"])
    if pid == os.getpid():  # given anew, or given again after a restart
        return found["run"] != _run(pid)
    return not _is_alive(pid)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True  # somebody else's
    return True


@functools.cache
def _run(pid: int) -> str:
    """Tells two processes apart that had the same number; forks as well."""
    del pid
    return os.urandom(4).hex()


@functools.cache
def _machine() -> str:
    """Where the numbers of processes mean the same.

    Containers may share a host's name and a disk, but count their own
    processes.
    """
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    what = f"{socket.gethostname()}/{namespace}"
    return hashlib.sha256(what.encode()).hexdigest()[:8]
