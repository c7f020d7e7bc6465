"""The container that hands every event of a fit to its callbacks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from kerascb import _names, runtime
from kerascb.callbacks._hook_timer import HookTimer
from kerascb.callbacks._hook_times import HookTimes, slow_ones, table
from kerascb.callbacks._keras2_list import Keras2List
from kerascb.callbacks._listeners import Listeners, blame
from kerascb.callbacks.history import History
from kerascb.callbacks.progbar_logger import ProgbarLogger
from kerascb.errors import InvalidArgument
from kerascb.runtime import (
    Logs,
    StockCallbackList,
    StockHistory,
    StockProgbarLogger,
)

_NOT_SHARED = 2
"""References to what a function alone has: its variable, and the question."""


class CallbackList(Keras2List, StockCallbackList):
    """Callbacks as one: every event goes to each of them, in order.

    `fit`, `evaluate` and `predict` make one of what they are given, and take
    one as it is. Made of callbacks alone, it does for them what `fit` does for
    a plain list: it gives them the model and what `fit` was told, and adds the
    `History` and the progress bar, at the beginning of each fit. Made with a
    model or with `params`, it is left as it was made, but that a fit always
    has a `History`.

    A hook of a batch goes only to the callbacks that override it. They share
    one dict of logs, so that what one adds the following ones see. Its values
    stay on the device until one of them is looked at, and then all come at
    once; where nobody looks, training does not wait for them.

    Events are always delivered in the training thread and in order, with
    JAX and torch too: an error ends the fit where it is raised, and
    `stop_training` is seen before the next batch. An error carries a note
    that says which callback it is from.

    Args:
        callbacks: Callbacks; lists among them are taken apart.
        add_history: Append a `History` if there is none.
        add_progbar: Append a `ProgbarLogger` if there is none.
        model: The model they work on.
        profile: Time every hook; print at the end of the fit (or of an
            evaluation or prediction that is none of a fit) what each callback
            took of it, and warn of those that took more than a tenth.
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
        *,
        profile: bool = False,
        **params: Any,
    ) -> None:
        super().__init__()
        self.callbacks: list[Any] = list(_flatten(callbacks))
        self._is_told = False
        self._open_blocks = 0
        self._begun_s = 0.0
        self._timer: HookTimer | None = None
        self._is_profiling = profile
        self._times: HookTimes | None = None
        self._listeners: dict[str, Listeners] = {}
        self._history = self._find(StockHistory)
        self._progbar = self._find(StockProgbarLogger)
        if add_history:
            self._add_history()
        if add_progbar:
            self._add_progbar()
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
        self._is_told = True
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
            self._is_told = True
            for callback in self.callbacks:
                callback.set_params(params)
        self._listeners.clear()

    # -- training -----------------------------------------------------------

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Calls the hook of every callback."""
        # One that failed has left its blocks open.
        self._open_blocks = 0
        self._begin_block()
        self._timer = self._new_timer()
        if self._history and self._model is not None:
            self._bare_model.history = self._history
        self._call("on_train_begin", logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Calls the hook of every callback."""
        self._call("on_train_end", logs)
        self._end_block("fit")

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
        self._end_block("evaluation")

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
        self._end_block("prediction")

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
        shared = self._converted(logs, keeps_tensors=keeps_tensors)
        callback: Any = self
        try:
            for callback in self.callbacks:
                with self._timing(callback, hook):
                    getattr(callback, hook)(*index, shared)
        except Exception as error:
            blame(error, callback, f"{hook}({', '.join(map(str, index))})")
            raise

    def _converted(self, logs: Logs | None, *, keeps_tensors: bool) -> Logs:
        if logs is None:
            return {}
        return logs if keeps_tensors else self._runtime.to_python(logs)

    def _call_batch(self, hook: str, batch: int, logs: Logs | None) -> None:
        listeners = self._listeners.get(hook)
        if listeners is None:
            listeners = self._listeners[hook] = self._listening(hook)
        if self._timer is not None:
            # Also without listeners: a beginning is where a batch's time
            # begins.
            self._timer.call(
                hook, batch, lambda: self._tell(listeners, batch, logs)
            )
            if self._timer.is_done:
                self._timer = None
                self._listeners.clear()
        elif listeners.functions:
            self._tell(listeners, batch, logs)

    def _tell(
        self, listeners: Listeners, batch: int, logs: Logs | None
    ) -> None:
        if not logs or listeners.takes_tensors:
            listeners.tell(batch, logs or {})
            return
        shared = self._runtime.lazy(logs)
        listeners.tell(batch, shared)
        if sys.getrefcount(shared) > _NOT_SHARED:
            # Somebody keeps them. The next step may change what a tensor
            # holds, and each one kept keeps memory of the device.
            shared.settle()

    def _listening(self, hook: str) -> Listeners:
        return Listeners.of(
            self.callbacks,
            hook,
            self._timed,
            takes_tensors=self._is_keras2()
            and self._batch_hooks_support_tf_logs,
        )

    def _timed(
        self, callback: Any, hook: str, method: Callable[..., Any]
    ) -> Callable[..., Any]:
        meters = [self._times, self._timer.times if self._timer else None]
        for times in meters:
            if times is not None:
                method = times.timed(callback, hook, method)
        return method

    def _timing(self, callback: Any, hook: str) -> AbstractContextManager[None]:
        if self._times is None:
            return nullcontext()
        return self._times.timing(callback, hook)

    def _is_keras2(self) -> bool:
        return self._runtime.name == "keras2"

    # -- the course of a fit ------------------------------------------------

    def _begin_block(self) -> None:
        self._listen_to_caller()
        self._open_blocks += 1
        self._listeners.clear()
        if self._open_blocks == 1 and self._is_profiling:
            self._times = HookTimes()
            self._begun_s = time.perf_counter()

    def _end_block(self, what: str) -> None:
        self._open_blocks -= 1
        if self._open_blocks < 0 and self._runtime.name == "keras3":
            raise ValueError(
                "`on_xxx_end` called without corresponding `on_xxx_begin`"
            )
        if self._open_blocks == 0 and self._times is not None:
            total_s = time.perf_counter() - self._begun_s
            times, self._times = self._times.all(), None
            self._say(table(times, total_s, what))
            for warning in slow_ones(times, total_s, what):
                self._warn(warning)

    def _listen_to_caller(self) -> None:
        """Does what `fit` does with a list that it makes itself."""
        if self._is_told and self._history is not None:
            return
        told = runtime.told_by_caller(self)
        if told is None:
            return
        if told.caller == "fit":
            self._add_history()
        if self._is_told:
            self.set_model(self._model or told.model)
            return
        if told.params["verbose"]:
            self._add_progbar()
        self.set_model(told.model)
        self.set_params(told.params)
        # The next fit may be another model's.
        self._is_told = False
        self._refuse_batch_hooks_on_remote_steps()

    def _add_history(self) -> None:
        if self._history is None:
            self._history = History()
            self.append(self._history)

    def _add_progbar(self) -> None:
        if self._progbar is None:
            self._progbar = ProgbarLogger()
            self.append(self._progbar)

    def _new_timer(self) -> HookTimer | None:
        # Only Keras 2 watches for slow hooks, and only those of users.
        if not self._is_keras2() or all(
            type(callback).__name__ in _names.CALLBACK_MODULES
            for callback in self.callbacks
        ):
            return None
        return HookTimer(self._warn)

    def __getstate__(self) -> dict[str, Any]:
        # What is made anew in each fit, of functions that cannot be pickled.
        return {
            **super().__getstate__(),
            "_listeners": {},
            "_timer": None,
            "_times": None,
        }

    def _find(self, kind: type) -> Any:
        found = [one for one in self.callbacks if isinstance(one, kind)]
        return found[-1] if found else None


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
