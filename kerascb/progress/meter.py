"""One epoch: its numbers, its bar, and when the bar moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kerascb.progress.reading import Reading
from kerascb.progress.stopwatch import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from kerascb.progress.bars import Bar
    from kerascb.progress.reading import Values
    from kerascb.progress.refresh import Refresh

_NEVER = float("inf")


class Meter:
    """Measures one epoch, evaluation or prediction, and shows how far it is.

    Args:
        target: Steps expected; `None` if unknown.
        bar: What it is shown with; `None` to be silent.
        refresh: When to show it before the end; `None` for never.
        clock: Returns seconds; never goes back.

    Attributes:
        target: As given; may be set once it is known.
        next_look: Index of the batch at whose end `is_due` has to be asked;
            up to that one nothing needs to be done.
    """

    def __init__(
        self,
        target: int | None,
        bar: Bar | None,
        refresh: Refresh | None,
        clock: Callable[[], float],
    ) -> None:
        self.target = target
        self.next_look = _NEVER if refresh is None else 0
        self._bar = bar
        self._refresh = refresh
        self._clock = clock
        self._now = clock()
        self._watch = Stopwatch(self._now)

    def is_due(self, seen: int) -> bool:
        """Whether to `show` how far it is; looks at the clock.

        Args:
            seen: Steps done.
        """
        if self._refresh is None:
            return False
        self._now = self._clock()
        is_due = self._refresh.is_due(seen, self._now)
        next_look = self._refresh.next_look - 1
        # Where batches are counted beyond the last one, all that may be so
        # has to be looked at.
        self.next_look = (
            next_look if self.target is None else min(next_look, self.target)
        )
        return is_due

    def show(self, seen: int, values: Values, *, is_last: bool = False) -> None:
        """Shows how far it is: when `is_due` was asked, or in the end.

        Args:
            seen: Steps done.
            values: What was logged.
            is_last: Whether it is over.
        """
        if self._bar is None:
            return
        now = self._clock() if is_last else self._now
        reading = Reading(
            seen=seen,
            target=self.target,
            elapsed_s=self._watch.elapsed_s(now),
            step_s=self._watch.step_s(seen, now),
            values=values,
            is_last=is_last,
        )
        self._bar.show(reading)
        if self._refresh is not None and not is_last:
            self._refresh.drawn(self._clock())

    def close(self) -> None:
        """Ends what is shown, also if it has not come to its end."""
        if self._bar is not None:
            self._bar.close()
