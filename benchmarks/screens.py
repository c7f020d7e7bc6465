"""What stands in the place of stdout while a progress bar is drawn."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
import tempfile
import termios
from collections.abc import Callable, Iterator

Screen = Callable[[], contextlib.AbstractContextManager[object]]

_LINES, _COLUMNS = 24, 80


@contextlib.contextmanager
def file() -> Iterator[None]:
    """A file, as in a batch job."""
    with (
        tempfile.TemporaryFile("w", encoding="utf-8") as stream,
        contextlib.redirect_stdout(stream),
    ):
        yield


@contextlib.contextmanager
def terminal() -> Iterator[None]:
    """A terminal, read by another process, whose time does not count."""
    reading_end, writing_end = os.openpty()
    size = struct.pack("4H", _LINES, _COLUMNS, 0, 0)
    fcntl.ioctl(writing_end, termios.TIOCSWINSZ, size)
    with subprocess.Popen(  # noqa: S603 - a program of the system
        [shutil.which("cat") or "cat"],
        stdin=reading_end,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ):
        os.close(reading_end)
        with (
            open(writing_end, "w", encoding="utf-8") as stream,
            contextlib.redirect_stdout(stream),
        ):
            yield
