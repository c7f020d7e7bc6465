"""How long something has taken, and how long a step of it takes."""

from __future__ import annotations


class Stopwatch:
    """Times steps without being told of each.

    The steps up to the first look are left out as soon as there are others:
    the first one traces and compiles.

    Args:
        now: What the clock says at the beginning, in seconds.

    Example:
        >>> watch = Stopwatch(now=0.0)
        >>> watch.step_s(1, now=5.0)
        5.0
        >>> watch.step_s(11, now=6.0)
        0.1
        >>> watch.elapsed_s(now=6.0)
        6.0
    """

    def __init__(self, now: float) -> None:
        self._began = now
        self._first: tuple[int, float] | None = None

    def elapsed_s(self, now: float) -> float:
        """Seconds since the beginning.

        Args:
            now: What the clock says.
        """
        return now - self._began

    def step_s(self, seen: int, now: float) -> float:
        """Seconds a step takes; 0 before there was one.

        Args:
            seen: Steps done.
            now: What the clock says.
        """
        if not seen:
            return 0.0
        if self._first is None:
            self._first = (seen, now)
        first_seen, first_now = self._first
        if seen > first_seen:
            return (now - first_now) / (seen - first_seen)
        return (now - self._began) / seen
