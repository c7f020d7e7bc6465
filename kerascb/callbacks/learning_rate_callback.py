"""The base of the callbacks that set the learning rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascb.callbacks.callback import Callback
from kerascb.errors import UnsettableLearningRate

if TYPE_CHECKING:
    from kerascb.runtime import LearningRate, Logs


class LearningRateCallback(Callback):
    """Reads, sets and logs the learning rates of its model.

    A model has several where its optimizer is a `MultiOptimizer`. One that a
    schedule computes cannot be set: Keras 2 loses what is written to it, Keras
    3 refuses in the midst of training; here it is refused when training begins.
    """

    def _require_settable_rates(self) -> None:
        """Raises before training what setting the rates would raise in it.

        Without a model, or with a stand-in that has no optimizer yet, there is
        nothing to check.
        """
        if getattr(self.model, "optimizer", None) is not None:
            self._settable_rates()

    def _settable_rates(self) -> list[LearningRate]:
        """The learning rates, to be set.

        Raises:
            InvalidArgument: If an optimizer has no learning rate.
            UnsettableLearningRate: If a schedule or a function computes one.
        """
        optimizer = self.model.optimizer
        rates = self._runtime.learning_rates(optimizer)
        if any(rate.is_scheduled for rate in rates):
            raise UnsettableLearningRate(
                "This optimizer was created with a `LearningRateSchedule` "
                "object or a function as its `learning_rate`, hence "
                f"{type(self).__name__} cannot set it; got optimizer="
                f"{optimizer!r}. Give the optimizer a float `learning_rate`, "
                "or leave the callback out."
            )
        return rates

    def _log_rates(self, logs: Logs) -> None:
        """Adds the rates in force to the logs, under the names Keras uses."""
        for rate in self._runtime.learning_rates(self.model.optimizer):
            logs[rate.log_key] = rate.read()

    def _tell_rate(
        self, epoch: int, action: str, rate: LearningRate, value: Any
    ) -> None:
        """Prints what was done to a rate, in the line that Keras prints."""
        name = f"{rate.optimizer_name} " if rate.optimizer_name else ""
        self._say(
            f"\nEpoch {epoch + 1}: {action} {name}learning rate to {value}."
        )
