"""A reading as text, the way each Keras prints it.

A look knows two forms. A *bar* is drawn over and over; its values come apart,
so that they can be cut where a line would be too long.
A *line* stays, is plain, and needs no terminal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from kerascb.progress.reading import Reading

_HEAVY_LINE = "━"
_THOUSANDTH = 1e-3
_BOLD, _GREEN, _WHITE, _PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"


class Look(Protocol):
    """What a bar and a line look like."""

    def bar(self, reading: Reading) -> tuple[str, int, str]:
        """The bar, how many signs of it are seen, the values beside it."""

    def line(self, reading: Reading) -> str:
        """One line, without its end."""


@dataclass(frozen=True)
class Keras3Look:
    """Keras 3's: a heavy line that turns green.

    Attributes:
        done: The sign of what is done.
        to_come: The sign of the rest.
        width: How many signs there are.
    """

    done: str = _HEAVY_LINE
    to_come: str = _HEAVY_LINE
    width: int = 20

    @classmethod
    def for_encoding(cls, encoding: str | None) -> Keras3Look:
        """The look as far as a stream can take it; else ASCII, as Keras 2's.

        Args:
            encoding: The stream's; `None` if it takes any text.
        """
        if can_encode(_HEAVY_LINE, encoding):
            return cls()
        return cls(done="=", to_come=".")

    def bar(self, reading: Reading) -> tuple[str, int, str]:
        """Steps, line, time to come and time a step, both times in one."""
        scale = count(reading)
        pace = per(reading.step_s, "step")
        is_known = reading.target and not reading.is_last
        time = clock(reading.left_s) if is_known else _whole(reading.elapsed_s)
        width = len(scale) + len(time) + len(pace) + 2
        if reading.target:
            done, rest = _halves(reading, self.width)
            green = f"{_GREEN}{self.done * done}{_PLAIN}" if done else ""
            white = f"{_WHITE}{self.to_come * rest}{_PLAIN}"
            scale = f"{_BOLD}{scale}{_PLAIN} {green}{white}"
            width += self.width + 1
        head = f"{scale} {_BOLD}{time}{_PLAIN} {pace}"
        return head, width, values(reading)

    def line(self, reading: Reading) -> str:
        """Steps, time, time a step, values."""
        return (
            f"{count(reading)} - {_whole(reading.elapsed_s)}"
            f" - {per(reading.step_s, 'step')}{values(reading, in_line=True)}"
        )


@dataclass(frozen=True)
class Keras2Look:
    """Keras 2's: an arrow in brackets, in ASCII.

    Attributes:
        width: How many signs are within the brackets.
    """

    width: int = 30

    def bar(self, reading: Reading) -> tuple[str, int, str]:
        """Steps, arrow, then the time to come, or what it has taken."""
        scale = count(reading)
        if reading.target:
            done, rest = _halves(reading, self.width)
            shaft, tip = "=" * (done - 1), ">" if rest else "="
            arrow = f"{shaft}{tip}" if done else ""
            scale += f" [{arrow}{'.' * rest}]"
        if reading.target and not reading.is_last:
            head = f"{scale} - ETA: {clock(reading.left_s)}"
        else:
            pace = per(reading.step_s, "step")
            head = f"{scale} - {_whole(reading.elapsed_s)} {pace}"
        return head, len(head), values(reading)

    def line(self, reading: Reading) -> str:
        """Steps, time, values, time an epoch, time a step."""
        step_s = reading.elapsed_s / (reading.seen or 1)
        epoch = (
            f" - {per(reading.elapsed_s, 'epoch')}" if reading.is_last else ""
        )
        return (
            f"{count(reading)} - {_whole(reading.elapsed_s)}"
            f"{values(reading, in_line=True)}{epoch} - {per(step_s, 'step')}"
        )


def can_encode(text: str, encoding: str | None) -> bool:
    """Whether a stream can take a text.

    Args:
        text: What shall be printed.
        encoding: The stream's; `None` if it takes any text.
    """
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def count(reading: Reading) -> str:
    """Steps done and to be done, as wide at the beginning as at the end."""
    if not reading.target:
        return f"{reading.seen:7d}/Unknown"
    digits = len(str(reading.target))
    return f"{reading.seen:{digits}d}/{reading.target}"


def values(reading: Reading, *, in_line: bool = False) -> str:
    """All values, each with its name.

    Args:
        reading: What there is to show.
        in_line: Whether they stand in a line that stays, where a Keras writes
            whatever is not above 0.001 with an exponent.
    """
    return "".join(
        [
            f" - {name}: {number(value, in_line)}"
            for name, value in reading.values
        ]
    )


def number(value: Any, in_line: bool = False) -> str:
    """A value with four decimals, a small one with an exponent.

    Args:
        value: A number, or an array, whose mean is shown; anything else is
            shown as it is.
        in_line: As in `values`.

    Example:
        >>> number(0.5), number(-0.5), number(-0.5, in_line=True)
        ('0.5000', '-0.5000', '-5.0000e-01')
        >>> number(0.0001), number([1, 2]), number("?")
        ('1.0000e-04', '1.5000', '?')
    """
    if not isinstance(value, float):
        try:
            value = float(np.mean(value))
        except (TypeError, ValueError):
            return str(value)
    size = value if in_line else abs(value)
    return f"{value:.4f}" if size > _THOUSANDTH else f"{value:.4e}"


def per(seconds: float, unit: str) -> str:
    """How long one of something takes, in the unit that suits.

    Example:
        >>> per(2.4, "step"), per(0.0123, "step"), per(0.0000123, "step")
        ('2s/step', '12ms/step', '12us/step')
    """
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/{unit}"
    if seconds >= _THOUSANDTH:
        return f"{seconds * 1e3:.0f}ms/{unit}"
    return f"{seconds * 1e6:.0f}us/{unit}"


def clock(seconds: float) -> str:
    """A time to come.

    Example:
        >>> clock(59.9), clock(61), clock(3661)
        ('59s', '1:01', '1:01:01')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if seconds > 3600:  # noqa: PLR2004 - seconds of an hour
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}" if seconds > 60 else f"{int(seconds)}s"  # noqa: PLR2004


def _whole(seconds: float) -> str:
    return f"{seconds:.0f}s"


def _halves(reading: Reading, width: int) -> tuple[int, int]:
    """How many signs are done, and how many are to come."""
    done = width * reading.seen // (reading.target or 1)
    done = min(done, width)
    return done, width - done
