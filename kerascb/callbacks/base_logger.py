"""Averages over an epoch, for loops that report single batches."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from kerascb.callbacks._epoch_under_way import EpochUnderWay
from kerascb.callbacks._values import off_device
from kerascb.callbacks.callback import Callback

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kerascb.runtime import Logs


class BaseLogger(Callback):
    """Replaces an epoch's metrics by their mean over its samples.

    It is for training loops that log every batch by itself, with the number
    of its samples as `logs["size"]`. The loops of Keras log running averages
    and no sizes; there it leaves the logs alone.

    Args:
        stateful_metrics: Names of metrics that are averages already: their
            last value is kept.

    Attributes:
        seen: Samples seen in this epoch.
        totals: Metric name → sum of value times samples; for a stateful
            metric its last value.

    Example:
        >>> from kerascb import BaseLogger
        >>> logger = BaseLogger()
        >>> logger.on_epoch_begin(0)
        >>> logger.on_batch_end(0, {"size": 3, "loss": 1.0})
        >>> logger.on_batch_end(1, {"size": 1, "loss": 5.0})
        >>> logs = {"loss": 5.0}
        >>> logger.on_epoch_end(0, logs)
        >>> logs
        {'loss': 2.0}
    """

    def __init__(self, stateful_metrics: Iterable[str] | None = None) -> None:
        super().__init__()
        self.stateful_metrics = set(stateful_metrics or ())
        self.seen = 0
        self.totals: dict[str, float] = {}
        self._epoch = EpochUnderWay()
        self._last_index = -1
        self._is_resumed = False

    def get_state(self) -> dict[str, Any]:
        """The sums so far."""
        return {
            "epoch": self._epoch.epoch,
            "last_index": self._last_index,
            "seen": off_device(self.seen, self._runtime),
            "totals": {
                name: copy.copy(off_device(total, self._runtime))
                for name, total in self.totals.items()
            },
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on adding to the sums of the epoch that goes on.

        Args:
            state: What `get_state` has answered.
        """
        self._epoch.restore(state.get("epoch"))
        self._last_index = state.get("last_index", -1)
        self.seen = state.get("seen", 0)
        self.totals = dict(state.get("totals", {}))

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forgets the last training.

        Args:
            logs: Not used.
        """
        del logs
        self._epoch = EpochUnderWay()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Begins the sums anew.

        Args:
            epoch: Zero-based index of the epoch; one that is gone on with
                keeps its sums.
            logs: Not used.
        """
        del logs
        self._is_resumed = self._epoch.begin(epoch)
        if not self._is_resumed:
            self._begin_sums()

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Adds a batch.

        Args:
            batch: Zero-based index of the batch within its epoch.
            logs: Metric name to value; `size` samples, times `num_steps`
                where several steps were made at once.
        """
        logs = logs or {}
        if self._is_resumed and batch <= self._last_index:
            self._begin_sums()  # The epoch is trained from its beginning.
        self._last_index, self._is_resumed = batch, False
        size = logs.get("size", 0) * logs.get("num_steps", 1)
        self.seen += size
        for name, value in logs.items():
            if name in self.stateful_metrics:
                self.totals[name] = value
            else:
                self.totals[name] = self.totals.get(name, 0.0) + value * size

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Writes the means into the logs.

        Args:
            epoch: Zero-based index of the epoch.
            logs: Changed in place: the callbacks that follow see the means.
        """
        del epoch
        self._epoch.end()
        if logs is None or not self.seen:
            return
        # Keras before 2.2 told the names; since then the logs do.
        names = (self.params or {}).get("metrics") or list(logs)
        for name in names:
            if name in self.stateful_metrics and name in self.totals:
                logs[name] = self.totals[name]
            elif name in self.totals:
                logs[name] = self.totals[name] / self.seen

    def _begin_sums(self) -> None:
        self.seen = 0
        self.totals = {}
