"""What only a running `fit` knows, and tells no callback."""

from __future__ import annotations

import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType


def has_validation(model: Any) -> bool:
    """Whether the `fit` of this model that is running has validation data.

    With `validation_freq` above 1 the first epochs log no `val_` values, and
    nothing a callback is handed tells whether some will come. The arguments of
    `fit` do; they are read where they are, on the stack.

    Args:
        model: The model being trained, as the callback was given it.
    """
    arguments = _arguments_of_fit(model) or {}
    return arguments.get("validation_data") is not None


def callbacks_of_fit(model: Any) -> list[Any] | None:
    """All callbacks of the `fit` of this model that is running.

    Args:
        model: The model being trained, as the callback was given it.

    Returns:
        The callbacks; `None` if no `fit` of this model is running.
    """
    arguments = _arguments_of_fit(model)
    if arguments is None:
        return None
    return list(getattr(arguments.get("callbacks"), "callbacks", ()))


def siblings_of(callback: Any) -> list[Any] | None:
    """The callbacks of the list that is handing an event to one of them.

    Args:
        callback: A callback one of whose hooks is running.

    Returns:
        The list itself, to which callbacks may be added: the outermost, where
        it stands in another one. `None` if the hook was called by something
        else.
    """
    found: list[Any] | None = None
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        caller = frame.f_locals.get("self")
        callbacks = getattr(caller, "callbacks", None)
        if isinstance(callbacks, list) and any(
            one is callback for one in callbacks
        ):
            found, callback = callbacks, caller
        frame = frame.f_back
    return found


def is_over(model: Any) -> Callable[[], bool]:
    """Notes which `fit` of a model is running.

    Args:
        model: The model being trained, as the callback was given it.

    Returns:
        Tells, in any thread, whether that `fit` has ended; always false where
        none is running now.
    """
    callbacks = _callbacks_object(model)
    if callbacks is None:
        return lambda: False
    thread, fit = threading.get_ident(), weakref.ref(callbacks)

    def ask() -> bool:
        frame = sys._current_frames().get(thread)
        while frame is not None and fit() is not None:
            if frame.f_locals.get("callbacks") is fit():
                return False
            frame = frame.f_back
        return True

    return ask


class StartOfFit:
    """Where the `fit` that is running now shall begin, and no other one.

    Keras leaves where to begin with the model until a `fit` reads it. If one
    fails before that, in a callback's `on_train_begin`, the next one would
    read what was meant for it.

    Args:
        model: The model being trained, as the callback was given it.
        epoch: Zero-based index of the epoch to begin with.
        batch: Zero-based index of the batch to begin with.
    """

    def __init__(self, model: Any, epoch: int, batch: int = 0) -> None:
        self._model = model
        callbacks = _callbacks_object(model)
        self._callbacks = None if callbacks is None else weakref.ref(callbacks)
        self.epoch = epoch
        self.batch = batch

    def is_meant(self) -> bool:
        """Whether it is the same `fit` that asks, or no `fit` as then."""
        then = self._callbacks and self._callbacks()
        return _callbacks_object(self._model) is then


def _callbacks_object(model: Any) -> Any:
    """The list that a running `fit` of the model made of its callbacks."""
    return (_arguments_of_fit(model) or {}).get("callbacks")


def frame_of_fit(model: Any) -> FrameType | None:
    """Where the `fit` of this model runs on the stack; `None` if none does.

    Args:
        model: The model being trained, as the callback was given it.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if (
            code.co_name == "fit"
            and "validation_freq" in code.co_varnames
            and frame.f_locals.get("self") is model
        ):
            return frame
        frame = frame.f_back
    return None


def _arguments_of_fit(model: Any) -> Mapping[str, Any] | None:
    frame = frame_of_fit(model)
    return None if frame is None else frame.f_locals
