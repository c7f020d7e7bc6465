"""Names of what is not finished: whose it is can be told from the name."""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
import re
import socket
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kerascb.checkpoint.files.filesystem import FileSystem

_BOOT = "/proc/sys/kernel/random/boot_id"
_NAMESPACE = "/proc/self/ns/pid"
_RANDOM_ADDRESS = 1 << 40
"""The bit of an address that Python has made up, for want of a real one."""
_WEEK_S = 7 * 24 * 3600
_LONGEST = 160
"""Bytes of the target's name that are kept; file systems allow 255 in all."""

_STAGED = re.compile(
    r"\.kerascb-(?P<machine>[0-9a-f]{8})-(?P<pid>\d+)-(?P<run>[0-9a-f]{8})"
    r"-\d+-(?P<role>new|old|kept)-(?P<target>.*)",
    re.DOTALL,
)
_numbers = itertools.count()


def staged_name(path: str, role: str = "new") -> str:
    """A name beside a path that nothing else has.

    It ends as the path does, for savers that read the format off it.

    Args:
        path: What is to be replaced.
        role: `"new"` for what will stand there, `"old"` for what stood there,
            `"kept"` for the user's own that could not be put there; that is
            never abandoned.
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
    others made, or this machine before it was started anew, when nothing
    happened to it for a week. What is kept for the user never is.

    Args:
        files: The file system.
        folder: Where it lies.
        name: Its name there.
    """
    found = _STAGED.match(name)
    if found is None or found["role"] == "kept":
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

    A kernel draws a number by lot when it starts, and never has two living
    namespaces of one number: who agrees in both counts processes alike, or is
    dead. Host names and `/etc/machine-id` prove nothing, for they are copied
    with an image; the host's name is there for virtual machines that go on
    from one snapshot. Where no kernel tells, the address of the network card
    must do; without one, nobody is taken for the same.
    """
    try:
        boot = Path(_BOOT).read_text(encoding="ascii")
        where = f"{boot}/{os.readlink(_NAMESPACE)}"
    except OSError:
        card = uuid.getnode()
        is_real = not card & _RANDOM_ADDRESS
        where = f"{card:x}" if is_real else os.urandom(16).hex()
    what = f"{socket.gethostname()}/{where}"
    return hashlib.sha256(what.encode()).hexdigest()[:8]
