"""Whose line on the stack a warning should name."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_NOT_THE_USERS = frozenset({"kerascb", "keras", "tf_keras", "tensorflow"})


def level_of_user() -> int:
    """The `stacklevel` with which a caller's warning names the user's line.

    That is the line which makes a callback, calls `fit`, or drives the hooks.
    """
    frame: FrameType | None = sys._getframe(1)
    level = 1
    while frame is not None and _package_of(frame) in _NOT_THE_USERS:
        frame = frame.f_back
        level += 1
    return level


def _package_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
