"""When a checkpoint is due."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kerascb.frequency import (
    BatchCounter,
    EpochCounter,
    SecondsCounter,
    as_count,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class SaveSchedule:
    """Tells when to save: after epochs, after batches, or after some time.

    Args:
        save_freq: `"epoch"`, or batches between two saves (≥ 1).
        every_n_epochs: Epochs between two saves (≥ 1).
        every_n_seconds: Seconds between two saves (> 0), which then count in
            place of epochs.

    Attributes:
        epochs: Counts the epochs.
        batches: Counts the batches, if it is asked about each.

    Example:
        >>> schedule = SaveSchedule("epoch", every_n_epochs=2)
        >>> [schedule.is_due_after_epoch() for _ in "1234"]
        [False, True, False, True]
    """

    def __init__(
        self,
        save_freq: str | int,
        every_n_epochs: int = 1,
        every_n_seconds: float | None = None,
    ) -> None:
        self.epochs = EpochCounter(every_n_epochs)
        self.batches = BatchCounter(as_count(save_freq) or 1)
        self._is_by_epoch = save_freq == "epoch" and every_n_seconds is None
        self._seconds = (
            None if every_n_seconds is None else SecondsCounter(every_n_seconds)
        )
        self._deferred: int | None = None

    @property
    def is_by_batch(self) -> bool:
        """Whether it has to be asked about batches."""
        return not self._is_by_epoch

    def begin(self) -> None:
        """Begins a training; batches and epochs are counted on."""
        self._deferred = None
        if self._seconds is not None:
            self._seconds.begin(time.monotonic())

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on counting."""
        seconds = self._seconds
        return {
            "epochs": self.epochs.state(),
            "batches": self.batches.state(),
            "seconds": seconds and seconds.state(time.monotonic()),
            "deferred": self._deferred,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on counting where another schedule was.

        Args:
            state: What its `state` has answered.
        """
        self.epochs.restore(state.get("epochs") or {})
        self.batches.restore(state.get("batches") or {})
        if self._seconds is not None and state.get("seconds"):
            self._seconds.restore(state["seconds"], time.monotonic())
        self._deferred = None if self._is_by_epoch else state.get("deferred")

    def is_due_after_batch(self, index: int) -> bool:
        """Counts up to a batch; true if a save is due now.

        Args:
            index: Zero-based index of the batch within its epoch.
        """
        is_due = self.batches.is_due_after(index)
        if self._seconds is not None:
            return self._seconds.is_due(time.monotonic())
        return is_due

    def defer(self, index: int) -> None:
        """Has what was due after a batch wait for the end of its epoch.

        Args:
            index: Zero-based index of the batch.
        """
        self._deferred = index

    def is_due_after_epoch(self) -> bool:
        """Counts an epoch; true if a save is due now, or was deferred."""
        if self._is_by_epoch:
            return self.epochs.is_due()
        if self._deferred is not None:
            return True
        return self._seconds is not None and self._seconds.is_due(
            time.monotonic()
        )

    def batch_to_name(self) -> int | None:
        """The batch that a save at the end of an epoch is said to be of.

        The one that was deferred, which is none afterwards; else the last, if
        batches have numbers here. `None` if not.
        """
        deferred, self._deferred = self._deferred, None
        if deferred is not None or self._is_by_epoch:
            return deferred
        return self.batches.last_index
