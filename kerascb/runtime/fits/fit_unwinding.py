"""Hearing from the interpreter that an exception leaves `fit`.

From Python 3.12 on it tells a listener of every frame that an exception
leaves (PEP 669): about a microsecond each while somebody listens. What raises
nothing, as a rule a whole step, takes no longer than before.
"""

from __future__ import annotations

import sys
import threading
import weakref
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    Tell = Callable[[BaseException], None]

_monitoring: Any = getattr(sys, "monitoring", None)

# The numbers of PEP 669 that belong to nobody; debuggers, coverage, profilers
# and optimizers have their own.
_PLACES = (4, 3)


@dataclass(frozen=True, eq=False)
class _Listener:
    """Who waits for an exception to leave one `fit`.

    It keeps neither the list nor the method alive: a `fit` whose end nobody
    tells us of is forgotten with them.

    Attributes:
        code: The code of that `fit`.
        callbacks: Its list of callbacks, which tells it from other ones.
        tell: What to call with the exception.
    """

    code: CodeType
    callbacks: weakref.ref[Any]
    tell: weakref.WeakMethod[Tell]


def listen(
    code: CodeType, callbacks: Any, tell: Tell
) -> Callable[[], None] | None:
    """Listens for an exception that leaves a `fit`.

    Args:
        code: The code of that `fit`.
        callbacks: The list of callbacks in its local variables.
        tell: A method; called with the exception, in the thread of the `fit`,
            before its caller sees the exception.

    Returns:
        What ends it; `None` if this Python tells nothing, or if all places
        for listeners are taken.
    """
    if _monitoring is None:
        return None
    listener = _Listener(code, weakref.ref(callbacks), weakref.WeakMethod(tell))
    return partial(_hub.remove, listener) if _hub.add(listener) else None


class _Hub:
    """Takes a place at the interpreter as long as somebody listens."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._listeners: list[_Listener] = []
        self._place: int | None = None

    def add(self, listener: _Listener) -> bool:
        """Adds a listener; false if there is no place."""
        with self._lock:
            if self._place is None:
                self._place = self._take_place()
            if self._place is not None:
                self._listeners.append(listener)
            return self._place is not None

    def remove(self, listener: _Listener) -> None:
        """Removes a listener, and those whose `fit` is gone."""
        with self._lock:
            self._listeners = [
                one
                for one in self._listeners
                if one is not listener and one.callbacks() is not None
            ]
            if not self._listeners and self._place is not None:
                self._leave(self._place)
                self._place = None

    def _take_place(self) -> int | None:
        free = [one for one in _PLACES if _monitoring.get_tool(one) is None]
        if not free:
            return None
        place, unwinds = free[0], _monitoring.events.PY_UNWIND
        _monitoring.use_tool_id(place, "kerascb")
        _monitoring.register_callback(place, unwinds, self._on_unwind)
        _monitoring.set_events(place, unwinds)
        return place

    def _leave(self, place: int) -> None:
        events = _monitoring.events
        _monitoring.set_events(place, events.NO_EVENTS)
        _monitoring.register_callback(place, events.PY_UNWIND, None)
        _monitoring.free_tool_id(place)

    def _on_unwind(
        self, code: CodeType, offset: int, error: BaseException
    ) -> None:
        del offset
        for listener in self._listeners:
            # `==` would compare all that the code consists of.
            if listener.code is not code:
                continue
            callbacks = sys._getframe(1).f_locals.get("callbacks")
            tell = listener.tell()
            if tell is not None and listener.callbacks() is callbacks:
                tell(error)


_hub = _Hub()
