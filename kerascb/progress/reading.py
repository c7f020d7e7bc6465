"""What there is to show at one moment."""

from __future__ import annotations

from typing import Any, NamedTuple

Values = tuple[tuple[str, Any], ...]
"""Names and what they stand at, in the order of the logs."""


class Reading(NamedTuple):
    """How far an epoch, an evaluation or a prediction is.

    Attributes:
        seen: Steps done.
        target: Steps expected; `None` if unknown.
        elapsed_s: Seconds since it began.
        step_s: Seconds a step takes.
        values: What was logged: numbers, or arrays, whose mean is shown.
        is_last: Whether it is over.
    """

    seen: int
    target: int | None
    elapsed_s: float
    step_s: float
    values: Values = ()
    is_last: bool = False

    @property
    def left_s(self) -> float:
        """Seconds until it is over; 0 if that is unknown."""
        return self.step_s * max((self.target or 0) - self.seen, 0)
