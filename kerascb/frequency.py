"""When something is due.

Counting only: no clock, no Keras. A counter is told about each batch or epoch
and answers whether the action is due now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kerascb.errors import InvalidArgument


def validate_save_freq(save_freq: Any, message: str) -> None:
    """Refuses a `save_freq` that is neither "epoch" nor a count of batches.

    `True` and `False` are integers to Python, yet nobody means "every batch"
    by them.

    Args:
        save_freq: What the user gave.
        message: The error text, in the words of the class concerned.

    Raises:
        InvalidArgument: If it is anything but `"epoch"` or an integer ≥ 1.
    """
    if save_freq == "epoch":
        return
    if isinstance(save_freq, bool) or not isinstance(save_freq, int):
        raise InvalidArgument(message)
    if save_freq < 1:
        raise InvalidArgument(f"{message} The integer must be at least 1.")


@dataclass
class BatchCounter:
    """Counts batches over the borders of epochs, for "every N batches".

    A list reports the index of a batch within its epoch, and with
    `steps_per_execution` only every so many. An index that does not grow means
    that a new epoch began. When the count reaches `every` it starts again at
    zero; what is above `every` is not carried over, as in Keras.

    Attributes:
        every: Batches between two actions (≥ 1).
        since_last: Batches counted since the last action.
        last_index: Index of the latest batch reported; -1 before any.
    """

    every: int
    since_last: int = 0
    last_index: int = -1

    def is_due_after(self, index: int) -> bool:
        """Counts up to and including a batch; true if the action is due.

        Args:
            index: Zero-based index of the batch within its epoch.
        """
        is_new_epoch = index <= self.last_index
        self.since_last += (
            index + 1 if is_new_epoch else index - self.last_index
        )
        self.last_index = index
        if self.since_last < self.every:
            return False
        self.since_last = 0
        return True


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
