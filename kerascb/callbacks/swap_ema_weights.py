"""Evaluate, predict and save with the moving average of the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.callbacks.callback import Callback
from kerascb.errors import InvalidArgument

if TYPE_CHECKING:
    from kerascb.runtime import Logs


class SwapEMAWeights(Callback):
    """Puts the moving average of the weights in their place while it is wanted.

    The average is the one that an optimizer with `use_ema=True` keeps; the
    optimizer may be within a `LossScaleOptimizer` or a `MultiOptimizer`. It
    stands in the model during `evaluate`, `predict` and the validation of
    `fit`, and with `swap_on_epoch=True` also from the end of an epoch to the
    beginning of the next, for callbacks that come later in the list, such as
    `ModelCheckpoint`. Put `BackupAndRestore` before it: a run is to go on from
    the weights themselves.

    The weights come back bit by bit. A copy of them is kept meanwhile, on the
    device they are on; the average itself is never touched, so that `fit`
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
    """Variable, its average, and the value the variable had."""

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch

    @property
    def _ema_weights_in_model(self) -> bool:
        return bool(self._kept)

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
        kept = []
        for variable, average in runtime.averages(self.model):
            kept.append((variable, average, runtime.copy_of(variable)))
            # A copy: JAX's train step gives away the arrays it is given, and
            # could not give away one that two variables share.
            variable.assign(runtime.copy_of(average))
        self._kept = tuple(kept)

    def _hide(self) -> None:
        if not self._kept:
            return
        _ = self.model  # brings its state home, where that is elsewhere
        for variable, _average, value in self._kept:
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
