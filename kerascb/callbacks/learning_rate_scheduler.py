"""Set the learning rate at the beginning of every epoch."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.callbacks.learning_rate_callback import LearningRateCallback
from kerascb.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable

    from kerascb.runtime import LearningRate, Logs

_NO_RATES = (bool, np.bool_, str, bytes, complex, np.complexfloating)


class LearningRateScheduler(LearningRateCallback):
    """Asks a function for the learning rate of each epoch, and sets it.

    The rate in force is added to the logs at the end of each epoch. Several
    optimizers in a `MultiOptimizer` are asked for one by one. An optimizer
    whose rate comes from a schedule is refused when training begins.

    Args:
        schedule: `schedule(epoch, learning_rate)` or `schedule(epoch)`, where
            `epoch` is zero-based and `learning_rate` a float, the rate in
            force. Returns the new rate: a number, or an array or tensor
            that holds one. What it raises leaves `fit` unchanged.
        verbose: 1 to print the rate of each epoch, 0 not to.

    Raises:
        InvalidArgument: If `schedule` cannot be called with an epoch.

    Example:
        >>> from kerascb import LearningRateScheduler
        >>> from kerascb.testing import FakeModel, drive
        >>> halve = LearningRateScheduler(lambda epoch, lr: lr / 2, verbose=1)
        >>> model = FakeModel(learning_rate=1.0)
        >>> run = drive([halve], losses=[0.5], model=model)
        <BLANKLINE>
        Epoch 1: LearningRateScheduler setting learning rate to 0.5.
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        super().__init__()
        if not callable(schedule):
            raise InvalidArgument(
                "LearningRateScheduler needs a function of the epoch; got "
                f"schedule={schedule!r}. Pass one such as lambda epoch: 0.1 / "
                "(1 + epoch)."
            )
        _takes_rate(schedule)
        self.schedule = schedule
        self.verbose = verbose

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Checks the optimizer.

        Args:
            logs: Not used.
        """
        del logs
        self._require_settable_rates()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Sets the learning rate of the epoch.

        Args:
            epoch: Zero-based index of the epoch.
            logs: Not used.
        """
        del logs
        for rate in self._settable_rates():
            scheduled = self._scheduled(epoch, rate)
            rate.write(scheduled)
            if self.verbose > 0:
                self._tell_rate(
                    epoch, "LearningRateScheduler setting", rate, scheduled
                )

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Adds the learning rate to the logs.

        Args:
            epoch: Not used.
            logs: Metric name to value.
        """
        del epoch
        if logs is not None:
            self._log_rates(logs)

    def _scheduled(self, epoch: int, rate: LearningRate) -> float:
        if _takes_rate(self.schedule):
            answer = self.schedule(epoch, float(rate.read()))
        else:
            answer = self.schedule(epoch)
        if isinstance(answer, _NO_RATES):
            raise self._wrong_output(answer)
        try:
            return self._runtime.scalar(answer)
        except (TypeError, ValueError) as error:
            raise self._wrong_output(answer) from error

    def _wrong_output(self, answer: Any) -> InvalidArgument:
        if self._runtime.name == "keras3":
            text = "The output of the `schedule` function should be a float."
        else:
            text = 'The output of the "schedule" function should be float.'
        return InvalidArgument(
            f"{text} Got: {answer}. Return the learning rate as one number."
        )


def _takes_rate(schedule: Callable[..., Any]) -> bool:
    """Whether a schedule takes the learning rate after the epoch.

    Read off the signature: to try it and catch the TypeError would swallow
    those that the schedule itself raises.
    """
    try:
        signature = inspect.signature(schedule)
    except ValueError:  # A builtin does not say; Keras offers the rate first.
        return True
    for arguments in ((0, 0.1), (0,)):
        try:
            signature.bind(*arguments)
        except TypeError:
            continue
        return len(arguments) > 1
    raise InvalidArgument(
        "LearningRateScheduler calls schedule(epoch, learning_rate) or "
        f"schedule(epoch); got one that takes {signature}."
    )
