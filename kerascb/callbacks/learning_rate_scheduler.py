"""Set the learning rate at the beginning of every epoch."""

from __future__ import annotations

import inspect
import traceback
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.callbacks._epoch_under_way import EpochUnderWay
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

    A run that is resumed within an epoch keeps the rate of that epoch: it was
    set already, and the function may make it out of the one before.

    Args:
        schedule: `schedule(epoch, learning_rate)` or `schedule(epoch)`, where
            `epoch` is zero-based and `learning_rate` a float, the rate in
            force. Returns the new rate: a number, or an array or tensor
            that holds one. What it raises leaves `fit` unchanged. Its
            signature tells which form it takes; where a decorator hides that
            behind `*args`, the second form is tried if the first is refused.
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
        self._epoch = EpochUnderWay()

    def get_state(self) -> dict[str, Any]:
        """The epoch whose rate is set."""
        return {"epoch": self._epoch.epoch}

    def set_state(self, state: dict[str, Any]) -> None:
        """Leaves the rate of the epoch that goes on as it is.

        Args:
            state: What `get_state` has answered.
        """
        self._epoch.restore(state.get("epoch"))

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Checks the optimizer.

        Args:
            logs: Not used.
        """
        del logs
        self._epoch = EpochUnderWay()
        self._require_settable_rates()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Sets the learning rate of the epoch.

        Args:
            epoch: Zero-based index of the epoch.
            logs: Not used.
        """
        del logs
        if self._epoch.begin(epoch):
            return
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
        self._epoch.end()
        if logs is not None:
            self._log_rates(logs)

    def _scheduled(self, epoch: int, rate: LearningRate) -> float:
        answer = _ask(self.schedule, epoch, rate)
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


def _ask(schedule: Callable[..., Any], epoch: int, rate: LearningRate) -> Any:
    """What the schedule answers, called with what it takes."""
    if not _takes_rate(schedule):
        return schedule(epoch)
    in_force = float(rate.read())
    try:
        return schedule(epoch, in_force)
    except TypeError as refusal:
        if not _is_of_the_call(refusal):
            raise
        try:
            return schedule(epoch)
        except Exception as error:
            if _is_of_the_call(error):
                raise refusal from None
            raise


def _is_of_the_call(error: Exception) -> bool:
    """Whether an error came before any function had taken its arguments.

    A decorator that takes `*args` hides what the function behind it takes,
    and code in C may not say. Their traceback ends where the arguments were
    handed on. Once a function with parameters of its own is in it, the error
    is the user's, and no other call may get round it.
    """
    frames = traceback.walk_tb(error.__traceback__)
    next(frames)  # Our own.
    return all(
        frame.f_code.co_flags & inspect.CO_VARARGS for frame, _ in frames
    )


def _takes_rate(schedule: Callable[..., Any]) -> bool:
    """Whether a schedule takes, or may take, the rate after the epoch."""
    # NumPy's wrapper takes anything, and hands it on through many hands.
    asked = schedule.pyfunc if isinstance(schedule, np.vectorize) else schedule
    try:
        signature = inspect.signature(asked)
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
