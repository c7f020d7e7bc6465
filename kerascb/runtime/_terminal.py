"""What the stream that lines are printed on can show.

Keras draws its bar over itself with control characters whenever Python runs
on a POSIX system, into log files too: a line of some thousand characters an
epoch. Here the bar is drawn only where something can redraw it; elsewhere one
plain line is left when it ends.
"""

from __future__ import annotations

import functools
import io
import os
import stat
import sys
from typing import IO


class Screen:
    """Answers what `Runtime` is asked of streams; stdout is the default."""

    def _is_printing(self) -> bool:
        """Whether Keras is set to print, and not to write to absl's log."""
        raise NotImplementedError

    def can_redraw(self, stream: IO[str] | None = None) -> bool:
        """Never on stdout while Keras is set to write to absl's log."""
        if stream is not None:
            return can_redraw(stream)
        return self._is_printing() and can_redraw(sys.stdout)

    def printable(self, text: str, stream: IO[str] | None = None) -> str:
        """Escapes what Keras 2 fails on, and Keras 3 leaves out."""
        return printable(text, stream or sys.stdout)

    def columns(self, stream: IO[str] | None = None) -> int | None:
        """As the terminal says, whenever it is asked."""
        return columns(stream or sys.stdout)


def can_redraw(stream: IO[str] | None) -> bool:
    """Whether a line on this stream can be drawn over.

    Args:
        stream: A terminal, a notebook's cell, PyCharm's console, a file, …
    """
    if stream is None:
        return False
    if type(stream).__module__.partition(".")[0] == "ipykernel":
        return True
    if _is_terminal(stream):
        return os.environ.get("TERM") != "dumb"
    return "PYCHARM_HOSTED" in os.environ and _is_pipe(stream)


def printable(text: str, stream: IO[str] | None) -> str:
    r"""The text, with `\x…` for what the stream's encoding does not know.

    Args:
        text: What shall be printed.
        stream: Where.
    """
    encoding = getattr(stream, "encoding", None)
    return text if text.isascii() else _encodable(text, encoding or "utf-8")


def columns(stream: IO[str] | None) -> int | None:
    """How many signs a line of a terminal has; `None` if that is unknown.

    Args:
        stream: A terminal, or anything else, which has no width.
    """
    if stream is None or not _is_terminal(stream):
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (AttributeError, ValueError, OSError):
        return None


def _is_terminal(stream: IO[str]) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # no such method, or closed
        return False


def _is_pipe(stream: IO[str]) -> bool:
    try:
        return stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)
    except (AttributeError, ValueError, io.UnsupportedOperation):
        return False


@functools.lru_cache(maxsize=256)
def _encodable(text: str, encoding: str) -> str:
    return text.encode(encoding, "backslashreplace").decode(encoding)
