"""Stop training when a metric has stopped improving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.callbacks._arguments import require_number
from kerascb.callbacks._checkpoint_arguments import one_of
from kerascb.callbacks._values import frozen
from kerascb.callbacks.monitor_callback import MonitorCallback
from kerascb.layouts.plan import NotPlannable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kerascb.runtime import FrozenValue, Logs


class EarlyStopping(MonitorCallback):
    """Ends training once a monitored value no longer improves.

    It looks once an epoch, at its end. An epoch whose logs lack the value
    (one without validation, say) does not count; NaN counts as an epoch
    without improvement and never becomes the best.

    An instance may serve several fits: each begins anew. One that
    `BackupAndRestore` takes up goes on, with the best weights too.

    Args:
        monitor: The key of the logs to watch.
        min_delta: By how much a value must be better to count as better; its
            sign is ignored.
        patience: Epochs without improvement before training ends (≥ 0).
            With 0 and with 1 the first epoch without improvement ends it,
            but never the first of all.
        verbose: 1 to print when training ended and which weights were
            restored, 0 not to.
        mode: `"min"`, `"max"` or `"auto"`, see `MonitorCallback`.
        baseline: A value to beat. Patience runs out also over improvements
            that stay behind it; `None` for no such demand.
        restore_best_weights: At the end of training, whatever ended it, give
            the model the weights of its best epoch, even if that did not beat
            the baseline. Holds one copy of the weights in memory; on a CPU
            none is made before a step changes them.
        start_from_epoch: The first epoch looked at (zero-based); earlier ones
            neither count nor become the best.
        best_weights_device: Where the weights of the best epoch are kept:
            `"cpu"`, or `"device"` for where the model is, which spares the
            way to the host and takes memory on the accelerator.

    Attributes:
        wait: Epochs since the last improvement that counted.
        stopped_epoch: Zero-based epoch that ended training; 0 if none did.
        best: The best value so far, see `MonitorCallback`.
        best_epoch: Its zero-based epoch.
        best_weights: The weights of that epoch, a list of arrays; `None`
            unless `restore_best_weights`. Kept until the next fit; the arrays
            are made when it is read. May be set.

    Raises:
        InvalidArgument: If `patience` is negative, or `patience`, `min_delta`,
            `baseline` or `start_from_epoch` is no number, or
            `best_weights_device` is neither of the two.

    Example:
        >>> from kerascb import EarlyStopping
        >>> from kerascb.testing import drive
        >>> stop = EarlyStopping(monitor="loss", patience=2, verbose=1)
        >>> run = drive(
        ...     [stop], epochs=[{"loss": x} for x in (0.5, 0.4, 0.6, 0.7, 0.1)]
        ... )
        Epoch 4: early stopping
        >>> run.epochs_seen, stop.best, stop.best_epoch
        (4, 0.4, 1)
    """

    wait: int
    stopped_epoch: int
    best_epoch: int
    _arrays: list[Any] | None = None
    _frozen: list[FrozenValue] | None = None

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: float = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
        *,
        best_weights_device: str = "cpu",
    ) -> None:
        require_number(
            self, min_delta=min_delta, start_from_epoch=start_from_epoch
        )
        if baseline is not None:
            require_number(self, baseline=baseline)
        super().__init__(monitor, mode, min_delta=min_delta)
        require_number(self, at_least=0, patience=patience)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.best_weights_device = one_of(
            ("cpu", "device"), best_weights_device=best_weights_device
        )
        self._reset()

    @property
    def best_weights(self) -> list[Any] | None:
        """The weights of the best epoch as arrays, which may be changed."""
        if self._frozen is not None:
            self.best_weights = [np.array(one.array()) for one in self._frozen]
        return self._arrays

    @best_weights.setter
    def best_weights(self, weights: list[Any] | None) -> None:
        self._arrays = weights
        self._frozen = None

    def get_state(self) -> dict[str, Any]:
        """How long there has been no improvement, and the best so far."""
        weights: list[Any] | None = self._frozen
        if weights is None and self._arrays is not None:
            weights = [np.array(one) for one in self._arrays]
        return {
            **super().get_state(),
            "wait": self.wait,
            "stopped_epoch": self.stopped_epoch,
            "best_epoch": self.best_epoch,
            "best_weights": None if weights is None else list(weights),
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on waiting, for better than the best of the run so far.

        With `restore_best_weights`, a best value whose weights were not kept
        is dropped, with a warning: they could not be restored.

        Args:
            state: What `get_state` has answered.
        """
        super().set_state(state)
        self.stopped_epoch = state.get("stopped_epoch", 0)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forgets the last fit, and checks the monitor.

        Args:
            logs: Not used.
        """
        del logs
        self._reset()
        self._begin_monitoring()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Judges the epoch; ends training if patience has run out.

        Args:
            epoch: Zero-based index of the epoch.
            logs: Metric name to value.
        """
        value = self.get_monitor_value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        current = self._as_number(value)
        is_best = self._is_improvement(current, self.best)
        if is_best:
            self.best = current
            self.best_epoch = epoch
        if self.restore_best_weights and (is_best or not self._has_weights()):
            # The first epoch stands in for the best while there is none.
            self._keep_weights()
            self.best_epoch = epoch
        if is_best and self._beats_baseline(current):
            self.wait = 0
        else:
            self.wait += 1
        if not is_best and epoch > 0 and self.wait >= self.patience:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Restores the best weights, if asked to.

        Args:
            logs: Not used.
        """
        del logs
        if self.stopped_epoch > 0 and self.verbose > 0:
            self._say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if not self.restore_best_weights or not self._has_weights():
            return
        if self.verbose > 0:
            self._say(
                "Restoring model weights from the end of the best epoch: "
                f"{self.best_epoch + 1}."
            )
        self._restore_weights()

    def get_monitor_value(self, logs: Logs | None) -> Any:
        """The value to judge an epoch by; override it to watch another.

        Args:
            logs: Metric name to value.

        Returns:
            A number, or `None` to pass over the epoch.
        """
        value = self._monitored(logs)
        if value is None and self._is_worth_telling():
            self._tell_missing(logs or {})
        return value

    def _resume_monitoring(self, state: Mapping[str, Any]) -> None:
        super()._resume_monitoring(state)
        self.wait = state.get("wait", 0)
        self.best_epoch = state.get("best_epoch", 0)
        weights = state.get("best_weights")
        if not self.restore_best_weights:
            return
        if weights is not None:
            self.best_weights = None
            self._frozen = [frozen(one) for one in weights]
        elif self._best is not None:
            self._best = None
            self._warn(
                f"{type(self).__name__}: the run that goes on did not keep its "
                "best weights; restore_best_weights=True looks for the best "
                "from here on."
            )

    def _reset(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights = None

    def _has_weights(self) -> bool:
        return self._frozen is not None or self._arrays is not None

    def _keep_weights(self) -> None:
        """Takes the weights of now for the best."""
        self.best_weights = None  # Their memory can be used again.
        model = self.model
        weights = self._runtime.weights(model)
        if weights is not None:
            try:
                self._frozen = self._runtime.freeze(
                    weights, self.best_weights_device
                )
            except NotPlannable:
                weights = None  # What cannot be frozen may be read all the same
        if weights is None:
            self._arrays = model.get_weights()

    def _restore_weights(self) -> None:
        model, frozen = self.model, self._frozen
        weights = self._runtime.weights(model)
        if frozen is None or weights is None or not _fit(frozen, weights):
            model.set_weights(self.best_weights)
        else:
            self._runtime.thaw(weights, frozen)

    def _beats_baseline(self, value: float) -> bool:
        return self.baseline is None or self._is_improvement(
            value, self.baseline
        )

    def _missing_text(self, available: str) -> str:
        return (
            f"Early stopping conditioned on metric `{self.monitor}` which is "
            f"not available. Available metrics are: {available}"
        )


def _fit(values: Sequence[FrozenValue], variables: Sequence[Any]) -> bool:
    """Whether variables are still as many, and as large, as they were."""
    return [one.shape for one in values] == [
        tuple(one.shape) for one in variables
    ]
