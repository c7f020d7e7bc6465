"""Two names exchanged in one instant: a call that Python does not have."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_HERE = -100  # AT_FDCWD: paths are relative to the current folder
_LINUX_EXCHANGE = 2  # RENAME_EXCHANGE
_MACOS_SWAP = 2  # RENAME_SWAP


def exchange(one: str, other: str) -> None:
    """Gives two files or folders each other's names.

    At every instant both names stand for one of the two.

    Args:
        one: A path.
        other: Another, on the same file system.

    Raises:
        OSError: If either is missing, or if the kernel, the C library or the
            file system has no such call (`errno.ENOSYS`, `EINVAL`).
    """
    call = _system_call()
    if call is None:
        raise OSError(errno.ENOSYS, "Names cannot be exchanged here", one)
    if call(os.fsencode(one), os.fsencode(other)):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), one, None, other)


def _system_call() -> Callable[[bytes, bytes], int] | None:
    """Exchanges two names, and returns 0 if it did."""
    if sys.platform == "win32":
        return None
    library = ctypes.CDLL(None, use_errno=True)
    if hasattr(library, "renameat2"):  # Linux
        return lambda one, other: int(
            library.renameat2(_HERE, one, _HERE, other, _LINUX_EXCHANGE)
        )
    if hasattr(library, "renamex_np"):  # macOS
        return lambda one, other: int(
            library.renamex_np(one, other, _MACOS_SWAP)
        )
    return None
