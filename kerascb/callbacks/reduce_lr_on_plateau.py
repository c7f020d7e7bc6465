"""Reduce the learning rate when a metric has stopped improving."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.callbacks._arguments import require_number
from kerascb.callbacks.learning_rate_callback import LearningRateCallback
from kerascb.callbacks.monitor_callback import MonitorCallback
from kerascb.errors import InvalidArgument
from kerascb.improvement import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kerascb.runtime import Logs

_ARGUMENTS = (
    "monitor",
    "factor",
    "patience",
    "verbose",
    "mode",
    "min_delta",
    "cooldown",
    "min_lr",
)


class ReduceLROnPlateau(LearningRateCallback, MonitorCallback):
    """Multiplies the learning rate by a factor once a value stops improving.

    It looks once an epoch, at its end, and adds the learning rate to the
    epoch's logs. An epoch whose logs lack the value does not count; NaN counts
    as an epoch without improvement. After a reduction, `cooldown` epochs may
    pass without improvement before the waiting starts again.

    Several optimizers in a `MultiOptimizer` are each reduced. An optimizer
    whose rate comes from a schedule is refused when training begins.

    Args:
        monitor: The key of the logs to watch.
        factor: What the learning rate is multiplied by (≥ 0, < 1).
        patience: Epochs without improvement before a reduction (≥ 0).
        verbose: 1 to print a line at each reduction, 0 not to.
        mode: `"min"`, `"max"` or `"auto"`, see `MonitorCallback`.
        min_delta: By how much a value must be better to count as better; its
            sign is ignored.
        cooldown: Epochs after a reduction in which none is considered (≥ 0).
        min_lr: The learning rate is never reduced below this.
        **kwargs: `epsilon`, the older name of `min_delta`.

    Attributes:
        wait: Epochs without improvement, outside of a cooldown.
        cooldown_counter: Epochs of the cooldown that are left.
        best: The best value so far, see `MonitorCallback`.

    Raises:
        InvalidArgument: If `factor`, `patience`, `min_delta`, `cooldown` or
            `min_lr` is out of range or no number.
        TypeError: For an unknown argument.

    Example:
        >>> from kerascb import ReduceLROnPlateau
        >>> from kerascb.testing import FakeModel, drive
        >>> reduce = ReduceLROnPlateau("loss", 0.5, patience=1, verbose=1)
        >>> run = drive(
        ...     [reduce],
        ...     epochs=[{"loss": loss} for loss in (0.5, 0.4, 0.4)],
        ...     model=FakeModel(learning_rate=1.0),
        ... )
        <BLANKLINE>
        Epoch 3: ReduceLROnPlateau reducing learning rate to 0.5.
        >>> run.model.optimizer.learning_rate
        0.5
    """

    _keras2_mode_subject = "Learning rate reduction"
    _keras2_signs_min_delta = False

    wait: int
    cooldown_counter: float

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: float = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: float = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        if "epsilon" in kwargs:
            min_delta = kwargs.pop("epsilon")
            self._warn(
                "`epsilon` argument is deprecated and will be removed, use "
                "`min_delta` instead."
            )
        _refuse_unknown(kwargs)
        require_number(self, min_delta=min_delta, min_lr=min_lr)
        super().__init__(monitor, mode, min_delta=min_delta)
        self._check_factor(factor)
        require_number(self, at_least=0, patience=patience, cooldown=cooldown)
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._reset()

    def get_state(self) -> dict[str, Any]:
        """The counters; the rate itself is a variable of the optimizer."""
        return {
            **super().get_state(),
            "wait": self.wait,
            "cooldown_counter": self.cooldown_counter,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on counting; no cooldown is longer than `cooldown`.

        Args:
            state: What `get_state` has answered.
        """
        super().set_state(state)
        self.cooldown_counter = min(
            state.get("cooldown_counter", 0), self.cooldown
        )

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forgets the last fit; checks the monitor and the optimizer.

        Args:
            logs: Not used.
        """
        del logs
        self._reset()
        self._begin_monitoring()
        self._require_settable_rates()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Logs the learning rate, judges the epoch and reduces if due.

        Args:
            epoch: Zero-based index of the epoch.
            logs: Metric name to value; the learning rate is added.
        """
        logs = {} if logs is None else logs
        self._log_rates(logs)
        value = self._monitored(logs)
        if value is None:
            if self._is_worth_telling():
                self._tell_missing(logs)
            return
        current = self._as_number(value)
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                self._reduce(epoch)

    def in_cooldown(self) -> bool:
        """Whether the last reduction is too recent to consider another."""
        return self.cooldown_counter > 0

    def _check_factor(self, factor: Any) -> None:
        require_number(self, at_least=0, factor=factor)
        if factor >= 1.0:
            got = (
                "Received factor=" if self._runtime.name == "keras3" else "Got "
            )
            raise InvalidArgument(
                "ReduceLROnPlateau does not support a factor >= 1.0. "
                f"{got}{factor}. Pass one below 1, such as 0.1."
            )

    def _resume_monitoring(self, state: Mapping[str, Any]) -> None:
        super()._resume_monitoring(state)
        self.wait = state.get("wait", 0)

    def _reset(self) -> None:
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def _reduce(self, epoch: int) -> None:
        reductions = [
            (rate, lower)
            for rate in self._settable_rates()
            if (lower := _lowered(rate.read(), self.factor, self.min_lr))
            is not None
        ]
        for rate, lower in reductions:
            rate.write(lower)
            if self.verbose > 0:
                self._tell_rate(
                    epoch, "ReduceLROnPlateau reducing", rate, lower
                )
        if reductions:
            self.cooldown_counter = self.cooldown
            self.wait = 0

    def _missing_text(self, available: str) -> str:
        end = "." if self._runtime.name == "keras3" else ""
        return (
            "Learning rate reduction is conditioned on metric "
            f"`{self.monitor}` which is not available. Available metrics are: "
            f"{available}{end}"
        )


def _lowered(rate: Any, factor: float, min_lr: float) -> Any:
    """The next lower learning rate; `None` if it is as low as it may be."""
    # An optimizer keeps its rate in single precision: `min_lr` once reached
    # reads a little above or below itself.
    if not rate > np.float32(min_lr):
        return None
    return max(rate * factor, min_lr)


def _refuse_unknown(arguments: dict[str, Any]) -> None:
    for name in arguments:
        raise TypeError(
            "ReduceLROnPlateau got an unexpected keyword argument "
            f"{name!r}.{did_you_mean(name, _ARGUMENTS)}"
        )
