"""The record of a fit, epoch by epoch."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerascb import runtime
from kerascb.callbacks._values import storable
from kerascb.callbacks.callback import Callback
from kerascb.runtime import Logs, StockHistory


class History(Callback, StockHistory):
    """Keeps what every epoch logged; `fit` returns it.

    Put into the list only by those who want it early or want several fits in
    one record: an instance that is used again goes on appending to `history`,
    while `epoch` holds the epochs of the latest fit. After a fit that was
    resumed by `BackupAndRestore` both cover the whole run.

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

    def get_state(self) -> dict[str, Any]:
        """The epochs and what they logged; see `state_of_history`."""
        return state_of_history(self)

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on with the record of an interrupted run."""
        fill_history(self, state)


def state_of_history(history: Any) -> dict[str, Any]:
    """What a History holds, ours or stock's, to be stored.

    Numbers come back as they are, `np.float32` among them. Tensors come back
    as numbers or arrays, tuples as lists, and what is none of all these as
    its text.

    Args:
        history: It may go on recording; the state does not change with it.
    """
    engine = runtime.of(getattr(history, "_model", None))
    return {
        "epoch": list(getattr(history, "epoch", ())),
        "history": {
            name: _packed(values, engine)
            for name, values in history.history.items()
        },
    }


def fill_history(history: Any, state: dict[str, Any]) -> None:
    """Puts the record of an interrupted run into a History.

    Args:
        history: Ours or stock's. What it holds is replaced; the dictionary
            and the list stay the same objects.
        state: What `state_of_history` returned.
    """
    if "epoch" not in state:
        return
    if not hasattr(history, "epoch"):
        history.epoch = []
    history.epoch[:] = state["epoch"]
    history.history.clear()
    for name, column in state["history"].items():
        history.history[name] = _unpacked(column)


def _packed(values: list[Any], engine: runtime.Runtime) -> Any:
    """A metric's values, in one array where they are of one kind.

    One array is stored faster than a thousand numbers.
    """
    kinds = set(map(type, values))
    if kinds == {float}:
        return {"floats": np.array(values)}
    if len(kinds) == 1 and issubclass(next(iter(kinds)), np.number):
        return {"scalars": np.array(values)}
    return [storable(value, engine) for value in values]


def _unpacked(column: Any) -> list[Any]:
    if not isinstance(column, dict):
        return list(column)
    if "floats" in column:
        floats: list[Any] = column["floats"].tolist()
        return floats
    return list(column["scalars"])
