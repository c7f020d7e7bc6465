"""Which step of the whole training a batch is."""

from __future__ import annotations

from dataclasses import dataclass, field

from kerascb.frequency import within_epoch


@dataclass
class GlobalStep:
    """Counts batches over the borders of epochs and of fits.

    A list reports the index of a batch within its epoch; with
    `steps_per_execution` the index of the first before and of the last after
    an execution.

    Attributes:
        value: Batches ended so far, those of earlier fits among them.
    """

    value: int = 0
    _index: int | None = field(default=None, repr=False)

    def begin(self, index: int) -> None:
        """Notes that a batch begins.

        Args:
            index: Its zero-based index within the epoch.
        """
        if self._index is None or index <= self._index:
            # The first of an epoch, which need not be 0 after a resume.
            self._index = index - 1

    def end(self, index: int, steps: int | None = None) -> int:
        """Counts the batches up to and including one.

        Args:
            index: The zero-based index of the last within the epoch.
            steps: Batches in an epoch, if known.

        Returns:
            How many batches ended since the last call (≥ 0).
        """
        index = within_epoch(index, steps)
        if self._index is None or index <= self._index:
            self._index = index - 1
        ended = index - self._index
        self._index = index
        self.value += ended
        return ended


def is_due(step: int, steps_since: int, every: int) -> bool:
    """Whether one of the latest steps is a multiple of `every`.

    Args:
        step: The latest step.
        steps_since: How many steps are judged at once (≥ 0).
        every: Steps between two that are due (≥ 1).

    Example:
        >>> [step for step in range(1, 9) if is_due(step, 1, every=3)]
        [3, 6]
        >>> is_due(8, steps_since=4, every=6)
        True
    """
    return step // every > (step - steps_since) // every
