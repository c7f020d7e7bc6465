"""Callbacks put through a training loop that trains nothing.

For tests of callbacks, kerascb's own and others': `drive` calls every hook
in the order in which `fit` does, with logs that the test chooses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.callbacks.callback_list import CallbackList

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VALIDATION = "val_"


class FakeModel:
    """What callbacks need of a model, and nothing more.

    Args:
        weights: What `get_weights` returns; the numbers 0 to 3 by default.
        learning_rate: The learning rate of its optimizer.

    Attributes:
        stop_training: Set by a callback that ends the loop.
        optimizer: An object with the attribute `learning_rate`.
        history: The `History` of the loop, if it had one.
        saved: Paths given to `save` and `save_weights`.
    """

    def __init__(
        self,
        weights: Sequence[np.ndarray[Any, Any]] | None = None,
        learning_rate: float = 0.1,
    ) -> None:
        self._weights = (
            list(weights) if weights is not None else [np.arange(4.0)]
        )
        self.optimizer = SimpleNamespace(
            learning_rate=learning_rate, name="fake"
        )
        self.stop_training = False
        self.history: Any = None
        self.saved: list[str] = []

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """Copies of the weights."""
        return [weight.copy() for weight in self._weights]

    def set_weights(self, weights: Sequence[np.ndarray[Any, Any]]) -> None:
        """Replaces the weights.

        Args:
            weights: As many arrays as `get_weights` returns.
        """
        self._weights = [np.array(weight) for weight in weights]

    def save(self, filepath: str, **kwargs: Any) -> None:
        """Notes the path; writes nothing."""
        del kwargs
        self.saved.append(str(filepath))

    def save_weights(self, filepath: str, **kwargs: Any) -> None:
        """Notes the path; writes nothing."""
        del kwargs
        self.saved.append(str(filepath))


@dataclass
class Run:
    """What happened in a driven loop.

    Attributes:
        model: The model that was driven.
        epochs_seen: Epochs that were ended.
        batches_seen: Batches that were ended, over all epochs.
        logs: The logs of every epoch, with what the callbacks added.
    """

    model: Any
    epochs_seen: int = 0
    batches_seen: int = 0
    logs: list[dict[str, Any]] = field(default_factory=list)


def drive(
    callbacks: Any,
    *,
    losses: Sequence[float] | None = None,
    epochs: Sequence[Mapping[str, Any]] | None = None,
    steps: int = 1,
    initial_epoch: int = 0,
    verbose: int = 0,
    model: Any = None,
) -> Run:
    """Calls the hooks of callbacks as `fit` does, without a fit.

    Give either `losses`, one a batch of a single epoch, or `epochs`, the logs
    of one epoch each.

    Args:
        callbacks: Callbacks, or a list of kerascb made for them.
        losses: Running loss after each batch.
        epochs: What each epoch logs at its end. Where there are keys that
            begin with `val_`, a validation of one batch comes before.
        steps: Batches in each of `epochs` (≥ 1); each reports those of its
            epoch's logs that do not begin with `val_`.
        initial_epoch: Number of the first epoch (≥ 0).
        verbose: What the callbacks are told of `fit`'s verbosity.
        model: A model; by default the list's own, else a `FakeModel`.

    Returns:
        What happened.

    Raises:
        TypeError: If not exactly one of `losses` and `epochs` is given.

    Example:
        >>> from kerascb import EarlyStopping
        >>> stop = EarlyStopping(monitor="loss", mode="min")
        >>> run = drive([stop], epochs=[{"loss": x} for x in (1.0, 2.0, 0.0)])
        >>> run.epochs_seen
        2
    """
    if (losses is None) == (epochs is None):
        raise TypeError("drive takes either losses or epochs.")
    hooks = (
        callbacks
        if isinstance(callbacks, CallbackList)
        else CallbackList(callbacks)
    )
    run = Run(model or hooks.model or FakeModel())
    if run.model is not hooks.model:
        hooks.set_model(run.model)
    plan = [_Epoch.of(losses)] if losses is not None else []
    plan += [_Epoch(_of_training(logs), logs, steps) for logs in epochs or ()]
    hooks.set_params(
        {
            "verbose": verbose,
            "epochs": initial_epoch + len(plan),
            "steps": plan[0].steps if plan else None,
        }
    )
    run.model.stop_training = False
    hooks.on_train_begin()
    for number, epoch in enumerate(plan, initial_epoch):
        _drive_epoch(run, hooks, number, epoch)
        if run.model.stop_training:
            break
    hooks.on_train_end(run.logs[-1] if run.logs else None)
    return run


@dataclass(frozen=True)
class _Epoch:
    """One epoch to drive.

    Attributes:
        batch: What each batch logs; a list has one entry a batch.
        logs: What the epoch logs.
        steps: Its batches.
    """

    batch: Mapping[str, Any] | list[dict[str, Any]]
    logs: Mapping[str, Any]
    steps: int

    @classmethod
    def of(cls, losses: Sequence[float]) -> _Epoch:
        batches = [{"loss": loss} for loss in losses]
        return cls(batches, batches[-1] if batches else {}, len(batches))

    def batches(self) -> list[dict[str, Any]]:
        if isinstance(self.batch, list):
            return self.batch
        return [dict(self.batch)] * self.steps


def _drive_epoch(
    run: Run, hooks: CallbackList, number: int, epoch: _Epoch
) -> None:
    hooks.on_epoch_begin(number)
    training = _of_training(epoch.logs)
    for batch, logs in enumerate(epoch.batches()):
        hooks.on_train_batch_begin(batch)
        hooks.on_train_batch_end(batch, logs)
        run.batches_seen += 1
        if run.model.stop_training:
            training = logs
            break
    validation = {
        name: value
        for name, value in epoch.logs.items()
        if name.startswith(_VALIDATION)
    }
    if validation:
        _drive_validation(hooks, validation)
    # Stands last in the list for this event, and keeps what is left.
    keeper = _Keeper(run)
    hooks.callbacks.append(keeper)
    try:
        hooks.on_epoch_end(number, {**training, **validation})
    finally:
        hooks.callbacks.remove(keeper)
    run.epochs_seen += 1


def _drive_validation(
    hooks: CallbackList, validation: Mapping[str, Any]
) -> None:
    logs = {
        name.removeprefix(_VALIDATION): value
        for name, value in validation.items()
    }
    hooks.on_test_begin()
    hooks.on_test_batch_begin(0)
    hooks.on_test_batch_end(0, logs)
    hooks.on_test_end(logs)


class _Keeper:
    """Keeps the logs of an epoch as the callbacks have left them."""

    _supports_tf_logs = False

    def __init__(self, run: Run) -> None:
        self._run = run

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        del epoch
        self._run.logs.append(dict(logs))


def _of_training(logs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in logs.items()
        if not name.startswith(_VALIDATION)
    }
