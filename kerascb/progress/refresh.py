"""When to draw again, with few looks at the clock."""

from __future__ import annotations

_FARTHEST = 64  # steps; bounds how late a drawing is when steps slow down
_SHARE = 1e-3  # of the time that drawing may take …
_LONGEST_S = 0.5  # … but no drawing is put off for longer than that


class Refresh:
    """Draws every so many seconds, and looks at the clock every few steps.

    How many steps pass between two looks follows from how long steps take: as
    many as the wait has room for, but twice as many as the time before at
    most, and never more than 64. It begins with one, and again when steps take
    more than twice as long as before. A look costs several times what the
    comparison with `next_look` costs.

    Where a drawing takes long, on a slow connection say, the next one waits
    until drawing takes no more than a thousandth of the time, or half a second.

    Args:
        interval_s: Seconds between two drawings (≥ 0); 0 draws every step.
        drawn_at: When it was drawn last; by default never, so that the first
            step is drawn.

    Attributes:
        next_look: Steps seen when the clock has to be looked at again.

    Example:
        >>> refresh = Refresh(interval_s=1.0)
        >>> refresh.is_due(1, now=0.0), refresh.next_look
        (True, 2)
        >>> refresh.is_due(2, now=0.125), refresh.next_look
        (False, 4)
        >>> refresh.is_due(4, now=0.375), refresh.next_look
        (False, 8)
        >>> refresh.is_due(8, now=0.875), refresh.next_look
        (False, 10)
        >>> refresh.is_due(10, now=1.125)
        True
    """

    def __init__(
        self, interval_s: float, drawn_at: float = -float("inf")
    ) -> None:
        self.next_look = 0
        self._interval_s = interval_s
        self._pause_s = interval_s
        self._drawn_at = drawn_at
        self._looked_at: tuple[int, float] | None = None
        self._step_s = float("inf")
        self._reach = 1

    def is_due(self, seen: int, now: float) -> bool:
        """Whether to draw now, which is then taken to happen.

        Args:
            seen: Steps done.
            now: What the clock says, in seconds.
        """
        wait_s = self._drawn_at + self._pause_s - now
        is_due = wait_s <= 0
        if is_due:
            self._drawn_at = now
            wait_s = self._pause_s
        if self._looked_at is None or not wait_s:
            steps = 1
        else:
            steps = self._steps_in(wait_s, seen, now, self._looked_at)
        self.next_look = seen + steps
        self._looked_at = (seen, now)
        return is_due

    def drawn(self, now: float) -> None:
        """Tells that what was due has been drawn.

        Args:
            now: What the clock says, in seconds.
        """
        if self._interval_s:
            paid_s = min((now - self._drawn_at) / _SHARE, _LONGEST_S)
            self._pause_s = max(self._interval_s, paid_s)

    def _steps_in(
        self, wait_s: float, seen: int, now: float, last: tuple[int, float]
    ) -> int:
        """Steps to let pass before the next look; at least one."""
        step_s = (now - last[1]) / max(seen - last[0], 1)
        if step_s > 2 * self._step_s:
            self._reach = 1
        elif self._reach < _FARTHEST:
            self._reach *= 2
        self._step_s = step_s
        if step_s * self._reach <= wait_s:
            return self._reach
        return int(wait_s / step_s) + 1
