"""When something is due.

Counting only: no clock, no Keras. A counter is told about each batch or epoch
and answers whether the action is due now. `state` and `restore` carry a count
over a restart of the process; `every` is not part of it, so that a run may go
on with another one.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Mapping


def as_count(value: Any) -> int | None:
    """A number of epochs, batches or files, as an `int`.

    `True` is an integer to Python, yet nobody means 1 by it.

    Args:
        value: What the user gave.

    Returns:
        The count; `None` if the value is no integer ≥ 1.

    Example:
        >>> as_count(3), as_count(0), as_count(True), as_count("3")
        (3, None, None, None)
    """
    if isinstance(value, (bool, np.bool_)):
        return None
    try:
        count = operator.index(value)
    except TypeError:
        return None
    return count if count >= 1 else None


def validate_save_freq(save_freq: Any, message: str) -> None:
    """Refuses a `save_freq` that is neither "epoch" nor a count of batches.

    Args:
        save_freq: What the user gave.
        message: The error text, in the words of the class concerned.

    Raises:
        InvalidArgument: If it is anything but `"epoch"` or an integer ≥ 1.
    """
    if save_freq != "epoch" and as_count(save_freq) is None:
        raise InvalidArgument(f"{message} An integer must be at least 1.")


def within_epoch(batch: int, steps: int | None) -> int:
    """The index of a batch, where Keras 3 counts beyond the last one.

    It does so at the end of an epoch whose batches are no multiple of
    `steps_per_execution`.

    Args:
        batch: Zero-based index of the batch, as the end hook was given it.
        steps: Batches in the epoch (≥ 1); `None` if unknown.

    Example:
        >>> within_epoch(11, steps=10)
        9
    """
    return batch if steps is None else min(batch, steps - 1)


@dataclass
class BatchCounter:
    """Counts batches over the borders of epochs, for "every N batches".

    A list reports the index of a batch within its epoch, and with
    `steps_per_execution` only every so many. `begin_epoch` tells that the next
    index belongs to another epoch; where nobody calls it, an index that does
    not grow tells the same. When the count reaches `every` it starts again at
    zero; what is above `every` is not carried over, as in Keras.

    Attributes:
        every: Batches between two actions (≥ 1).
        since_last: Batches counted since the last action.
        last_index: Index of the latest batch reported; -1 before any.
    """

    every: int
    since_last: int = 0
    last_index: int = -1

    def begin_epoch(self, first: int = 0) -> None:
        """Notes that an epoch begins.

        Args:
            first: Zero-based index of its first batch; above 0 where a run
                is taken up within an epoch.
        """
        self.last_index = first - 1

    def is_due_after(self, index: int) -> bool:
        """Counts up to and including a batch; true if the action is due.

        Args:
            index: Zero-based index of the batch within its epoch.
        """
        self.since_last += self.batches_until(index)
        self.last_index = index
        if self.since_last < self.every:
            return False
        self.since_last = 0
        return True

    def batches_until(self, index: int) -> int:
        """How many batches have ended with one, since the latest reported.

        Args:
            index: Zero-based index of the batch within its epoch.

        Example:
            >>> BatchCounter(every=1, last_index=3).batches_until(7)
            4
        """
        is_new_epoch = index <= self.last_index
        return index + 1 if is_new_epoch else index - self.last_index

    def state(self) -> dict[str, int]:
        """What `restore` needs to go on counting."""
        return {"since_last": self.since_last, "last_index": self.last_index}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on counting where another counter was.

        Args:
            state: What its `state` has answered.
        """
        self.since_last = state.get("since_last", 0)
        self.last_index = state.get("last_index", -1)


@dataclass
class EpochCounter:
    """Counts epochs, for "every N epochs".

    Attributes:
        every: Epochs between two actions (≥ 1).
        since_last: Epochs counted since the last action.
    """

    every: int
    since_last: int = 0

    def is_due(self) -> bool:
        """Counts one epoch; true if the action is due after it."""
        self.since_last += 1
        if self.since_last < self.every:
            return False
        self.since_last = 0
        return True

    def state(self) -> dict[str, int]:
        """What `restore` needs to go on counting."""
        return {"since_last": self.since_last}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on counting where another counter was.

        Args:
            state: What its `state` has answered.
        """
        self.since_last = state.get("since_last", 0)


@dataclass
class SecondsCounter:
    """Measures time, for "every N seconds"; others read the clock.

    Time is measured from the action before, not from when that was due: where
    actions are due at the ends of long epochs, none follow each other at once
    to make up for it.

    Attributes:
        every: Seconds between two actions (> 0).
        since: When the last action was due, or counting began; in seconds, of
            a clock that never goes back. `None` before.

    Example:
        >>> counter = SecondsCounter(every=60)
        >>> counter.begin(now=1000.0)
        >>> counter.is_due(now=1059.9), counter.is_due(now=1075.0)
        (False, True)
        >>> counter.is_due(now=1134.9), counter.is_due(now=1135.0)
        (False, True)
    """

    every: float
    since: float | None = None

    def begin(self, now: float) -> None:
        """Begins to count, or begins again.

        Args:
            now: What the clock says.
        """
        self.since = now

    def is_due(self, now: float) -> bool:
        """True if the action is due now, which is then taken to happen.

        Counting begins with the first call, if it has not been begun.

        Args:
            now: What the clock says.
        """
        if self.since is None:
            self.since = now
        if now - self.since < self.every:
            return False
        self.since = now
        return True

    def state(self, now: float) -> dict[str, float | None]:
        """What `restore` needs to go on counting, whatever the clock.

        Args:
            now: What the clock says.
        """
        return {"elapsed": None if self.since is None else now - self.since}

    def restore(self, state: Mapping[str, Any], now: float) -> None:
        """Goes on counting where another was; the time between is no time.

        Args:
            state: What its `state` has answered.
            now: What the clock says, which may be another clock.

        Example:
            >>> counter, later = SecondsCounter(60), SecondsCounter(60)
            >>> counter.begin(now=1000.0)
            >>> later.restore(counter.state(now=1040.0), now=5.0)
            >>> later.is_due(now=24.9), later.is_due(now=25.0)
            (False, True)
        """
        elapsed = state.get("elapsed")
        self.since = None if elapsed is None else now - elapsed
