"""Noticing that an exception leaves `fit`, by wrapping what `fit` calls.

For Pythons that do not tell. What is wrapped belongs to the one `fit`, its
list of callbacks and its iterator over the data, or is a method of the model
and asks who calls it. A step comes through a wrapper with torch only, whose
loop has nothing around the steps.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

from kerascb.runtime.fits.overlay import Overlay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType, TracebackType

    from kerascb.runtime.fits.overlay import Wrap

    Report = Callable[[BaseException], None]


class UnseenError(Exception):
    """Stands for an exception of which is known only that it is there."""


def put(frame: FrameType, report: Report) -> Callable[[], None]:
    """Wraps what a running `fit` calls in its loop.

    Args:
        frame: That `fit`, before its loop begins.
        report: Called with an exception that leaves the loop, or with an
            `UnseenError`.

    Returns:
        What takes the wrappers back.
    """
    local = frame.f_locals
    model, callbacks = local["self"], local["callbacks"]
    # As Keras 3 and Keras 2 call it.
    data = local.get("epoch_iterator", local.get("data_handler"))
    call = functools.partial(_calls, report, callbacks)
    wraps: list[tuple[Any, str, Wrap]] = [
        (callbacks, "on_epoch_begin", call),
        (callbacks, "on_epoch_end", call),
        (callbacks, "on_train_end", call),
        (model, "evaluate", call),
        (data, "catch_stop_iteration", functools.partial(_contexts, report)),
        # Keras 2's loop over the epochs is left by `break` only to stop.
        (
            data,
            "enumerate_epochs",
            functools.partial(
                _iterators, report, lambda: not model.stop_training
            ),
        ),
    ]
    if "catch_stop_iteration" not in frame.f_code.co_names:
        wraps += [
            (
                data,
                "_enumerate_iterator",
                functools.partial(_iterators, report, lambda: False),
            ),
            (callbacks, "on_train_batch_begin", call),
            (callbacks, "on_train_batch_end", call),
            (model, "train_function", call),
        ]
    guards = [
        Overlay.put(target, name, wrap)
        for target, name, wrap in wraps
        if hasattr(target, name)
    ]
    guards += [
        _guard_beginning(callback, report, callbacks)
        for callback in _to_begin(frame, callbacks)
    ]

    def take_back() -> None:
        for guard in guards:
            guard.take_back()

    return take_back


def _to_begin(fit: FrameType, callbacks: Any) -> list[Any]:
    """The callbacks of a `fit` behind the one whose event is running."""
    all_of_them = callbacks.callbacks
    found: list[Any] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame is not fit:
        caller = frame.f_locals.get("self")
        for place, one in enumerate(all_of_them):
            if one is caller:
                found = all_of_them[place + 1 :]
        frame = frame.f_back
    return [one for one in found if hasattr(one, "__dict__")]


def _guard_beginning(callback: Any, report: Report, callbacks: Any) -> Overlay:
    """Wraps the `on_train_begin` of a callback, for the one call of it."""

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            overlay.take_back()
            try:
                return original(*args, **kwargs)
            except BaseException as error:
                if sys._getframe(1).f_locals.get("self") is callbacks:
                    report(error)
                raise

        return guarded

    overlay = Overlay.put(callback, "on_train_begin", wrap)
    return overlay


def _calls(
    report: Report, callbacks: Any, original: Callable[..., Any]
) -> Callable[..., Any]:
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return original(*args, **kwargs)
        except BaseException as error:
            # Others may evaluate the model, or fit it within a hook, and
            # handle what is raised.
            if sys._getframe(1).f_locals.get("callbacks") is callbacks:
                report(error)
            raise

    return guarded


def _contexts(
    report: Report, original: Callable[..., Any]
) -> Callable[..., Any]:
    return lambda: _Context(report, original())


class _Context:
    """A context that reports what leaves the one inside it.

    Args:
        report: Called with the exception.
        inner: The context inside.
    """

    def __init__(self, report: Report, inner: Any) -> None:
        self._report = report
        self._inner = inner

    def __enter__(self) -> Any:
        return self._inner.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        try:
            is_handled = self._inner.__exit__(kind, error, trace)
        except BaseException as new:
            self._report(new)
            raise
        if error is not None and not is_handled:
            self._report(error)
        return bool(is_handled)


def _iterators(
    report: Report, is_failure: Callable[[], bool], original: Callable[..., Any]
) -> Callable[..., Any]:
    def guarded() -> Iterator[Any]:
        try:
            yield from original()
        except GeneratorExit:
            # The interpreter closes the iterator of a loop that is left early.
            if is_failure():
                report(UnseenError("An exception has left the training loop."))
            raise
        except BaseException as error:
            report(error)
            raise

    return guarded
