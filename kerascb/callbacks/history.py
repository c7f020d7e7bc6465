"""The record of a fit, epoch by epoch."""

from __future__ import annotations

from typing import Any

from kerascb.callbacks.callback import Callback
from kerascb.runtime import Logs, StockHistory


class History(Callback, StockHistory):
    """Keeps what every epoch logged; `fit` returns it.

    Put into the list only by those who want it early or want several fits in
    one record: an instance that is used again goes on appending to `history`,
    while `epoch` holds the epochs of the latest fit.

    Attributes:
        history: Name of a metric → its values, one an epoch, as the callbacks
            before this one in the list left them.
        epoch: Zero-based numbers of the epochs; there from the beginning of
            the first fit.
        params: What `fit` was told: `verbose`, `epochs`, `steps`.

    Example:
        >>> from kerascb import History
        >>> from kerascb.testing import drive
        >>> history = History()
        >>> _ = drive([history], epochs=[{"loss": 0.5}, {"loss": 0.25}])
        >>> history.history
        {'loss': [0.5, 0.25]}
        >>> history.epoch
        [0, 1]
    """

    epoch: list[int]

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Begins the list of epochs anew; keeps `history`."""
        del logs
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Appends what the epoch logged.

        Args:
            epoch: Zero-based number of the epoch.
            logs: Metric name to value.
        """
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        if self._model is not None:
            self._bare_model.history = self
