"""The container that hands every event of a fit to its callbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from kerascb import _names
from kerascb.callbacks._hook_timer import HookTimer
from kerascb.callbacks.callback import Callback, is_default
from kerascb.callbacks.history import History
from kerascb.callbacks.progbar_logger import ProgbarLogger
from kerascb.errors import InvalidArgument
from kerascb.runtime import (
    Logs,
    StockCallbackList,
    StockHistory,
    StockProgbarLogger,
)

_OLDER_NAMES = {
    "on_train_batch_begin": "on_batch_begin",
    "on_train_batch_end": "on_batch_end",
}


class CallbackList(Callback, StockCallbackList):
    """Callbacks as one: every event goes to each of them, in order.

    `fit`, `evaluate` and `predict` make one of what they are given, and take
    one as it is. A hook of a batch goes only to the callbacks that override
    it, and logs are converted only if there is such a callback, once for all:
    they share one dict, so that what one adds the following ones see.

    Events are always delivered in the training thread and in order, with
    JAX and torch too.

    Args:
        callbacks: Callbacks; lists among them are taken apart.
        add_history: Append a `History` if there is none.
        add_progbar: Append a `ProgbarLogger` if there is none.
        model: The model they work on.
        **params: What they are told with `set_params`.

    Raises:
        InvalidArgument: If there is text among the callbacks.
        ValueError: With Keras 2, if a callback needs batch hooks under a
            `ParameterServerStrategy`.

    Attributes:
        callbacks: The callbacks, in the order in which they are called.

    Example:
        >>> from kerascb import CallbackList, LambdaCallback
        >>> shout = LambdaCallback(on_epoch_begin=lambda epoch, _: print(epoch))
        >>> callbacks = CallbackList([shout, [shout]])
        >>> callbacks.on_epoch_begin(7)
        7
        7
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        self.callbacks: list[Any] = list(_flatten(callbacks))
        self._open_blocks = 0
        self._timer: HookTimer | None = None
        self._listeners: dict[str, list[Callable[..., Any]]] = {}
        self._do_batches_keep_tensors = False
        self._history = self._find(StockHistory)
        self._progbar = self._find(StockProgbarLogger)
        if add_history and self._history is None:
            self._history = History()
            self.callbacks.append(self._history)
        if add_progbar and self._progbar is None:
            self._progbar = ProgbarLogger()
            self.callbacks.append(self._progbar)
        self.set_model(model)
        self.set_params(params)
        self._refuse_batch_hooks_on_remote_steps()

    def append(self, callback: Any) -> None:
        """Adds a callback; it gets the model and the parameters there are."""
        self.callbacks.append(callback)
        self._listeners.clear()
        if self._model is not None:
            callback.set_model(self._model)
        if self.params:
            callback.set_params(self.params)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.callbacks)

    def set_model(self, model: Any) -> None:
        """Hands the model on; `None` is passed over."""
        if model is None:
            return
        super().set_model(model)
        # A list made for `evaluate` in the middle of a fit must not take the
        # record of that fit away.
        bare = self._bare_model
        if self._history and getattr(bare, "history", None) is None:
            bare.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)
        self._listeners.clear()

    def set_params(self, params: dict[str, Any]) -> None:
        """Hands the parameters on, if there are any."""
        self.params = params
        if params:
            for callback in self.callbacks:
                callback.set_params(params)
        self._listeners.clear()

    # -- what Keras 2 asks of a list ----------------------------------------

    @property
    def _supports_tf_logs(self) -> bool:  # type: ignore[override]
        return all(map(_supports_tensors, self.callbacks))

    @property
    def _batch_hooks_support_tf_logs(self) -> bool:
        return all(
            _supports_tensors(callback)
            for callback in self.callbacks
            if _has_batch_hooks(callback, "train", "test", "predict")
        )

    @property
    def _should_call_train_batch_hooks(self) -> bool:
        return any(_has_batch_hooks(one, "train") for one in self.callbacks)

    @property
    def _should_call_test_batch_hooks(self) -> bool:
        return any(_has_batch_hooks(one, "test") for one in self.callbacks)

    @property
    def _should_call_predict_batch_hooks(self) -> bool:
        return any(_has_batch_hooks(one, "predict") for one in self.callbacks)

    # -- training -----------------------------------------------------------

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Calls the hook of every callback."""
        self._begin_block()
        self._timer = self._new_timer()
        if self._history and self._model is not None:
            self._bare_model.history = self._history
        self._call("on_train_begin", logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Calls the hook of every callback."""
        self._call("on_train_end", logs)
        self._end_block()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Calls the hook of every callback."""
        # A callback may have put a hook on itself since the last epoch.
        self._listeners.clear()
        self._call("on_epoch_begin", logs, epoch)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Calls the hook of every callback."""
        self._call("on_epoch_end", logs, epoch)

    def on_train_batch_begin(
        self, batch: int, logs: Logs | None = None
    ) -> None:
        """Calls the hook of every callback that overrides it."""
        self._call_batch("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Calls the hook of every callback that overrides it."""
        self._call_batch("on_train_batch_end", batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """The older name of `on_train_batch_begin`."""
        self.on_train_batch_begin(batch, logs)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """The older name of `on_train_batch_end`."""
        self.on_train_batch_end(batch, logs)

    # -- evaluation and prediction ------------------------------------------

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Calls the hook of every callback."""
        self._begin_block()
        self._call("on_test_begin", logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Calls the hook of every callback."""
        self._call("on_test_end", logs)
        self._end_block()

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Calls the hook of every callback that overrides it."""
        self._call_batch("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Calls the hook of every callback that overrides it."""
        self._call_batch("on_test_batch_end", batch, logs)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Calls the hook of every callback."""
        self._begin_block()
        self._call("on_predict_begin", logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Calls the hook of every callback."""
        self._call("on_predict_end", logs)
        self._end_block()

    def on_predict_batch_begin(
        self, batch: int, logs: Logs | None = None
    ) -> None:
        """Calls the hook of every callback that overrides it."""
        self._call_batch("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(
        self, batch: int, logs: Logs | None = None
    ) -> None:
        """Calls the hook of every callback that overrides it."""
        self._call_batch("on_predict_batch_end", batch, logs)

    # -- dispatch -----------------------------------------------------------

    def _call(self, hook: str, logs: Logs | None, *index: int) -> None:
        keeps_tensors = self._is_keras2() and self._supports_tf_logs
        converted = self._converted(logs, keeps_tensors=keeps_tensors)
        for callback in self.callbacks:
            getattr(callback, hook)(*index, converted)

    def _call_batch(self, hook: str, batch: int, logs: Logs | None) -> None:
        listeners = self._listeners.get(hook)
        if listeners is None:
            listeners = self._listeners[hook] = self._listening(hook)
        if self._timer is not None and not self._timer.is_done:
            # Also without listeners: a beginning is where a batch's time
            # begins.
            self._timer.call(
                hook, batch, lambda: self._deliver(listeners, batch, logs)
            )
        else:
            self._deliver(listeners, batch, logs)

    def _deliver(
        self,
        listeners: list[Callable[..., Any]],
        batch: int,
        logs: Logs | None,
    ) -> None:
        if not listeners:
            return
        converted = self._converted(
            logs, keeps_tensors=self._do_batches_keep_tensors
        )
        for listener in listeners:
            listener(batch, converted)

    def _listening(self, hook: str) -> list[Callable[..., Any]]:
        self._do_batches_keep_tensors = (
            self._is_keras2() and self._batch_hooks_support_tf_logs
        )
        found = []
        for callback in self.callbacks:
            for name in (hook, _OLDER_NAMES.get(hook)):
                method = getattr(callback, name, None) if name else None
                if method is not None and not is_default(method):
                    found.append(method)
                    break
        return found

    def _converted(self, logs: Logs | None, *, keeps_tensors: bool) -> Logs:
        if logs is None:
            return {}
        return logs if keeps_tensors else self._runtime.to_python(logs)

    def _is_keras2(self) -> bool:
        return self._runtime.name == "keras2"

    def _begin_block(self) -> None:
        self._open_blocks += 1
        self._listeners.clear()

    def _end_block(self) -> None:
        self._open_blocks -= 1
        if self._open_blocks < 0 and self._runtime.name == "keras3":
            raise ValueError(
                "`on_xxx_end` called without corresponding `on_xxx_begin`"
            )

    def _new_timer(self) -> HookTimer | None:
        # Only Keras 2 watches for slow hooks, and only those of users.
        if not self._is_keras2() or all(
            type(callback).__name__ in _names.CALLBACK_MODULES
            for callback in self.callbacks
        ):
            return None
        return HookTimer(self._warn)

    def _find(self, kind: type) -> Any:
        found = [one for one in self.callbacks if isinstance(one, kind)]
        return found[-1] if found else None

    def _refuse_batch_hooks_on_remote_steps(self) -> None:
        if not self._runtime.has_remote_steps():
            return
        unsupported = [
            callback
            for callback in self.callbacks
            if not _supports_tensors(callback)
            and _has_batch_hooks(callback, "train", "test", "predict")
        ]
        if unsupported:
            raise ValueError(
                "Batch-level `Callback`s are not supported with "
                "`ParameterServerStrategy`. Found unsupported "
                f"callbacks: {unsupported}"
            )


def _flatten(callbacks: Any) -> Iterator[Any]:
    if callbacks is None:
        return
    if isinstance(callbacks, (str, bytes)):
        raise InvalidArgument(
            f"A list of callbacks is needed; got {callbacks!r} in it."
        )
    if isinstance(callbacks, Iterable) and not isinstance(
        callbacks, StockCallbackList
    ):
        for one in callbacks:
            yield from _flatten(one)
        return
    yield callbacks


def _supports_tensors(callback: Any) -> bool:
    return bool(getattr(callback, "_supports_tf_logs", False))


def _has_batch_hooks(callback: Any, *modes: str) -> bool:
    for mode in modes:
        # A callback of some other Keras may not know the question.
        ask = getattr(callback, f"_implements_{mode}_batch_hooks", None)
        if ask is None or ask():
            return True
    return False
