"""When a backup is due."""

from __future__ import annotations

import time
from typing import Any

from kerascb.frequency import BatchCounter, SecondsCounter
from kerascb.pacing import Pace


class BackupSchedule:
    """Says at the end of each batch and epoch whether to back up.

    What becomes due while the backup before is still being written is due
    again at the next end of a batch or epoch: training does not wait, and what
    is written then is newer.

    Args:
        save_freq: `"epoch"`, batches between two backups (≥ 1), `"auto"`, or
            `False` for none of these.
        every_n_seconds: Seconds between two backups, instead; or `None`.
        overhead: How much of the run's time backups may take with `"auto"`.
    """

    def __init__(
        self,
        save_freq: Any,
        every_n_seconds: float | None,
        overhead: float,
    ) -> None:
        self._by_epoch = save_freq == "epoch" and every_n_seconds is None
        self._seconds: SecondsCounter | None = None
        self._batches: BatchCounter | None = None
        self._pace: Pace | None = None
        if every_n_seconds is not None:
            self._seconds = SecondsCounter(every_n_seconds)
            self._seconds.begin(time.monotonic())
        elif save_freq == "auto":
            self._pace = Pace(overhead)
        elif save_freq and not self._by_epoch:
            self._batches = BatchCounter(save_freq)
        self._is_postponed = False

    def begin_epoch(self, first: int) -> None:
        """Notes that an epoch begins.

        Args:
            first: Zero-based index of its first batch.
        """
        if self._batches is not None:
            self._batches.begin_epoch(first)
        if self._pace is not None:
            self._pace.begin(time.monotonic())

    def is_due_after_batch(self, batch: int, *, is_writing: bool) -> bool:
        """Whether to back up at the end of a batch.

        Args:
            batch: Zero-based index of the batch within its epoch.
            is_writing: Whether the backup before is still being written.
        """
        is_due = False
        if self._batches is not None:
            is_due = self._batches.is_due_after(batch)
        elif self._seconds is not None:
            is_due = self._seconds.is_due(time.monotonic())
        elif self._pace is not None:
            is_due = self._pace.step(time.monotonic(), is_writing)
        return self._unless_writing(is_writing, is_due=is_due)

    def is_due_after_epoch(self, *, is_writing: bool) -> bool:
        """Whether to back up at the end of an epoch.

        Args:
            is_writing: Whether the backup before is still being written.
        """
        is_due = self._by_epoch
        if self._seconds is not None:
            is_due = self._seconds.is_due(time.monotonic())
        elif self._pace is not None:
            is_due = self._pace.is_due(time.monotonic(), is_writing=is_writing)
        return self._unless_writing(is_writing, is_due=is_due)

    def saved(self, stall_s: float, *, is_written: bool) -> None:
        """Notes that a backup was made.

        Args:
            stall_s: How long training was held by it, in seconds.
            is_written: Whether it is on disk already.
        """
        if self._pace is not None:
            self._pace.saved(stall_s, is_written=is_written)

    def written(self, seconds: float) -> None:
        """Notes that the latest backup is on disk.

        Args:
            seconds: How long that took beside training.
        """
        if self._pace is not None:
            self._pace.written(seconds)

    def pop_warning(self) -> str | None:
        """What the user is to be told of, once."""
        return None if self._pace is None else self._pace.pop_warning()

    def postpone(self) -> None:
        """Makes a backup due at the end of the epoch at the latest."""
        self._is_postponed = True

    def _unless_writing(self, is_writing: bool, *, is_due: bool) -> bool:
        is_due = is_due or self._is_postponed
        self._is_postponed = is_due and is_writing
        return is_due and not is_writing
