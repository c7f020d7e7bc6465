"""Evaluate, predict and save with the moving average of the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.callbacks._values import frozen
from kerascb.callbacks.callback import Callback
from kerascb.errors import InvalidArgument
from kerascb.layouts.plan import NotPlannable
from kerascb.runtime.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kerascb.runtime import Logs


class SwapEMAWeights(Callback):
    """Puts the moving average of the weights in their place while it is wanted.

    The average is the one that an optimizer with `use_ema=True` keeps; the
    optimizer may be within a `LossScaleOptimizer` or a `MultiOptimizer`. It
    stands in the model during `evaluate`, `predict` and the validation of
    `fit`, and with `swap_on_epoch=True` also from the end of an epoch to the
    beginning of the next, for callbacks that come later in the list, such as
    `ModelCheckpoint`. `BackupAndRestore` may stand anywhere: where it backs up
    a model that shows the average, the weights come along in the state of this
    callback.

    The weights come back bit by bit. They are kept meanwhile, on the device
    they are on; the average itself is never touched, so that `fit`
    ends with it wherever it ends. Before the optimizer has made a step there
    is no average, and nothing is changed. If an error has ended a `fit` or an
    `evaluate` in between, the next one begins with the weights put back,
    unless the model has been given others.

    Args:
        swap_on_epoch: Whether to show the average between epochs too.

    Raises:
        InvalidArgument: When training, evaluation or prediction begins, if
            no optimizer of the model has `use_ema=True`.

    Attributes:
        swap_on_epoch: As given.

    Example:
        >>> import pickle
        >>> pickle.loads(pickle.dumps(SwapEMAWeights(True))).swap_on_epoch
        True
    """

    _kept: tuple[tuple[Any, Any, Any], ...] = ()
    """Variable, its average, and the value the variable had: a frozen one, or
    a tensor where a value cannot be frozen (several processes hold it)."""

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch

    @property
    def _ema_weights_in_model(self) -> bool:
        return bool(self._kept)

    def get_state(self) -> dict[str, Any]:
        """The weights themselves, while the model shows their average."""
        return {"weights": [value for *_, value in self._kept]}

    def set_state(self, state: dict[str, Any]) -> None:
        """Shows the average again, if it was shown, and keeps the weights.

        Args:
            state: What `get_state` has answered.

        Raises:
            InvalidArgument: If there are as many averages no more.
        """
        weights = state.get("weights") or []
        if not weights:
            return
        self._show()
        if len(weights) != len(self._kept):
            raise InvalidArgument(
                "SwapEMAWeights: the run that goes on kept "
                f"{len(weights)} weights aside, and its model now has "
                f"{len(self._kept)} averages. Compile the model as it was, "
                "with use_ema=True."
            )
        self._kept = tuple(
            (variable, average, frozen(value))
            for (variable, average, _), value in zip(
                self._kept, weights, strict=True
            )
        )

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Refuses a model without averages before an epoch is wasted on it.

        Args:
            logs: Not used.
        """
        del logs
        self._require_averages()
        self._recover()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Puts the weights back.

        Args:
            epoch: Not used.
            logs: Not used.
        """
        del epoch, logs
        self._hide()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Shows the average to the callbacks that follow, if asked to.

        Args:
            epoch: Not used.
            logs: Not used.
        """
        del epoch, logs
        if self.swap_on_epoch:
            self._show()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Lets go of the weights: `fit` has put the average in their place.

        Args:
            logs: Not used.
        """
        del logs
        self._kept = ()

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Shows the average.

        Args:
            logs: Not used.
        """
        del logs
        self._show()

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Puts the weights back.

        Args:
            logs: Not used.
        """
        del logs
        self._hide()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Shows the average.

        Args:
            logs: Not used.
        """
        del logs
        self._show()

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Puts the weights back.

        Args:
            logs: Not used.
        """
        del logs
        self._hide()

    def _show(self) -> None:
        self._require_averages()
        self._recover()
        runtime = self._runtime
        pairs = runtime.averages(self.model)
        values = self._values_of([variable for variable, _ in pairs])
        for variable, average in pairs:
            # A copy: JAX's train step gives away the arrays it is given, and
            # could not give away one that two variables share.
            variable.assign(runtime.copy_of(average))
        self._kept = tuple(
            (*pair, value) for pair, value in zip(pairs, values, strict=True)
        )

    def _values_of(self, variables: Sequence[Any]) -> list[Any]:
        try:
            return self._runtime.freeze(variables, "device")
        except NotPlannable:
            return [self._runtime.copy_of(one) for one in variables]

    def _hide(self) -> None:
        if not self._kept:
            return
        _ = self.model  # brings its state home, where that is elsewhere
        variables, _averages, values = zip(*self._kept, strict=True)
        if isinstance(values[0], Frozen):
            self._runtime.thaw(variables, values)
        else:
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value)
        self._kept = ()

    def _recover(self) -> None:
        """Puts back weights that an error has left aside.

        A model that has been given other weights since keeps those.
        """
        if not self._kept:
            return
        _ = self.model
        if all(_are_same(*pair) for *pair, _value in self._kept):
            self._hide()
        self._kept = ()

    def _require_averages(self) -> None:
        optimizer = getattr(self._model, "optimizer", None)
        if self._runtime.ema_optimizers(optimizer):
            return
        if hasattr(optimizer, "optimizers"):
            raise InvalidArgument(
                "SwapEMAWeights must be used when at least one inner "
                "optimizer has `use_ema=True` set. Received a MultiOptimizer "
                "with all inner optimizers having `use_ema=False`."
            )
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        raise InvalidArgument(
            "SwapEMAWeights must be used when `use_ema=True` is set on the "
            f"optimizer. Received: use_ema={getattr(inner, 'use_ema', None)}. "
            f"Pass use_ema=True to {type(inner).__name__}."
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_kept": ()}


def _are_same(variable: Any, average: Any) -> bool:
    return np.array_equal(
        np.asarray(variable.numpy()), np.asarray(average.numpy())
    )
