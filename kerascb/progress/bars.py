"""Text to where it is seen: drawn over itself, or line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from kerascb.progress.looks import Look
    from kerascb.progress.reading import Reading

_ASKED_EVERY = 20  # drawings; asking costs as much as half a drawing


class Bar(Protocol):
    """Shows readings of one epoch, evaluation or prediction."""

    def show(self, reading: Reading) -> None:
        """Shows a reading in the place of the one before.

        Args:
            reading: The last one, which stays, has `is_last` set.
        """

    def close(self) -> None:
        """Ends a bar that may not have come to its last reading."""


class Lines:
    """A line for each reading: for files, and for `verbose=2`.

    Args:
        write: Prints text as it is.
        look: What a line looks like.
    """

    def __init__(self, write: Callable[[str], None], look: Look) -> None:
        self._write = write
        self._look = look

    def show(self, reading: Reading) -> None:
        """Prints a line."""
        self._write(f"{self._look.line(reading)}\n")

    def close(self) -> None:
        """Nothing is open."""


class Redrawn:
    """A bar that is drawn over itself, each time with one write.

    A terminal cannot draw over a line that has wrapped. So a bar that is too
    long is cut, all but the last one, which stays.

    Args:
        write: Prints text as it is.
        look: What the bar looks like.
        columns: Returns how wide the terminal is; `None` if unknown. It is
            asked again and again: windows change.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        look: Look,
        columns: Callable[[], int | None],
    ) -> None:
        self._write = write
        self._look = look
        self._columns = columns
        self._width = 0
        self._drawings = 0
        self._room: int | None = None

    def show(self, reading: Reading) -> None:
        """Draws over what was drawn before."""
        head, width, values = self._look.bar(reading)
        if self._drawings % _ASKED_EVERY == 0:
            self._room = self._columns()
        self._drawings += 1
        if self._room and not reading.is_last:
            # The last column is left free: some terminals wrap when it is
            # filled.
            values = values[: max(self._room - 1 - width, 0)]
        width += len(values)
        back = "\b" * self._width + "\r"
        rest = " " * (self._width - width)
        end = "\n" if reading.is_last else ""
        self._write(f"{back}{head}{values}{rest}{end}")
        self._width = width

    def close(self) -> None:
        """Leaves it as it was drawn last."""
