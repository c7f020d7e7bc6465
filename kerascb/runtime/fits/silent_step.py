"""A turn of the loop of `fit` in which nothing is trained.

A run may be killed when all batches of an epoch have been trained, before the
validation. The `fit` that goes on would go through its loop zero times; then
Keras takes an epoch without logs for an error, or has none for the History.
So its loop is gone through once, without a step and without a hook.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kerascb.runtime.fits.overlay import Overlay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Step = Callable[..., Any]


@contextmanager
def silent_step(model: Any, callbacks: Any, answer: Step) -> Iterator[None]:
    """Has the loop of `fit` call neither hooks nor the step of a model.

    Args:
        model: The model being trained.
        callbacks: The list that `fit` has made of its callbacks.
        answer: What is called in place of the step.
    """
    overlays = [
        Overlay.put(model, "train_function", lambda _: answer),
        silence(callbacks, "on_train_batch_begin"),
        silence(callbacks, "on_train_batch_end"),
    ]
    try:
        yield
    finally:
        for overlay in reversed(overlays):
            overlay.take_back()


def silence(callbacks: Any, hook: str) -> Overlay:
    """Has a hook of a list not be called.

    Args:
        callbacks: The list.
        hook: The name of the hook.
    """
    return Overlay.put(callbacks, hook, lambda _: _nothing)


class FirstStep:
    """The first step of an epoch of which nobody knows how long it is.

    Whether a batch is left is known only when the step asks for it. If none
    is, the step answers with logs, and the hook after it is not called.

    Args:
        model: The model being trained.
        callbacks: The list that `fit` has made of its callbacks.
        logs: Returns the logs.
        ends: The exceptions that tell of the end of the data.

    Attributes:
        is_end: Whether none was left.
    """

    def __init__(
        self,
        model: Any,
        callbacks: Any,
        logs: Callable[[], Any],
        ends: tuple[type[Exception], ...],
    ) -> None:
        self.is_end = False
        self._callbacks = callbacks
        self._logs = logs
        self._ends = ends
        self._overlays = [Overlay.put(model, "train_function", self._wrap)]

    def _wrap(self, step: Step) -> Step:
        def ask(iterator: Any) -> Any:
            try:
                return step(iterator)
            except self._ends:
                self.is_end = True
                self._overlays.append(
                    silence(self._callbacks, "on_train_batch_end")
                )
                return self._logs()

        return ask

    def take_back(self) -> None:
        """To be called when the step is over."""
        while self._overlays:
            self._overlays.pop().take_back()


def _nothing(*_: Any, **__: Any) -> None:
    pass
