"""Values that are looked at when they have arrived, none of them lost."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.runtime.reads import Arrived, all_finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kerascb.runtime.reads import PendingRead

_MOST_OUTSTANDING = 8
"""Enough for the host to keep a device busy that is so many steps behind, and
few enough to notice soon where the host would run far ahead."""


@dataclass(frozen=True)
class Finding:
    """What is not finite.

    Attributes:
        batch: Zero-based index of the batch after which it was so.
        name: What it is called.
        value: What it was; `None` of weights.
    """

    batch: int
    name: str
    value: Any = None


@dataclass(slots=True)
class Check:
    """Something to look at.

    Attributes:
        batch: Zero-based index of the batch.
        names: What the values are called, in order.
        read: Brings the values.
        is_of_weights: It brings one array instead: which of them are finite.
    """

    batch: int
    names: Sequence[str]
    read: PendingRead
    is_of_weights: bool = False

    def finding(self) -> Finding | None:
        """The first that is not finite; waits for the values."""
        values = self.read.result()
        if self.is_of_weights:
            return self._of_weights(values[0])
        for name, value in zip(self.names, values, strict=True):
            if not is_finite(value):
                return Finding(self.batch, name, value)
        return None

    def _of_weights(self, are_finite: Any) -> Finding | None:
        bad = [
            name
            for name, is_fine in zip(self.names, are_finite, strict=True)
            if not is_fine
        ]
        if not bad:
            return None
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        return Finding(self.batch, f"weights of {bad[0]}{more}")


class PendingChecks:
    """Checks in the order of their batches, from the oldest.

    Args:
        in_step: Look at values that are not ready only when they are so many
            batches old, ready or not: several processes that train together
            then find the same at the same step.
    """

    def __init__(self, *, in_step: bool = False) -> None:
        self._checks: deque[Check] = deque()
        self._in_step = in_step

    def __len__(self) -> int:
        return len(self._checks)

    def add(self, check: Check) -> None:
        """Takes one more, of the newest batch."""
        self._checks.append(check)

    def clear(self) -> None:
        """Forgets all."""
        self._checks.clear()

    def settle(self, *, waits: bool) -> Finding | None:
        """Looks at what has arrived, and waits for what is due.

        Args:
            waits: Look at all there is; else wait only for the oldest of too
                many.

        Returns:
            What was found first; what came after it is forgotten then.
        """
        while self._checks and (waits or self._is_due()):
            finding = self._checks.popleft().finding()
            if finding is not None:
                self.clear()
                return finding
        return None

    def _is_due(self) -> bool:
        if len(self._checks) > _MOST_OUTSTANDING:
            return True
        read = self._checks[0].read
        return isinstance(read, Arrived) or (
            not self._in_step and read.is_ready()
        )


def is_finite(value: Any) -> bool:
    """Whether all of a value on the host is finite.

    Args:
        value: A number or an array; what is neither may be anything.
    """
    if isinstance(value, (float, np.floating)):
        return math.isfinite(value)
    return all_finite(value)
