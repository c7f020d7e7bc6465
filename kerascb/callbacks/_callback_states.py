"""What the callbacks of a fit remember, taken and given back."""

from __future__ import annotations

import inspect
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from kerascb.callbacks.history import fill_history, state_of_history
from kerascb.runtime import StockHistory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from kerascb.runtime import Runtime

_FORGETFUL: dict[str, Callable[[Any], bool]] = {
    "CSVLogger": lambda one: True,
    "EarlyStopping": lambda one: True,
    "LearningRateScheduler": lambda one: True,
    "ModelCheckpoint": lambda one: bool(one.save_best_only),
    "ReduceLROnPlateau": lambda one: True,
    "SwapEMAWeights": lambda one: bool(one.swap_on_epoch),
}
"""Classes of Keras that remember something and cannot be asked for it, if
what stands behind them says so."""
_METHODS = ("get_state", "set_state")


class CallbackStates:
    """The callbacks of one fit, under names that last.

    Those take part that have a `get_state` without arguments and a `set_state`
    with one, and a History, whosever it is.

    Args:
        callbacks: All of the fit; lists among them are taken apart.
    """

    def __init__(self, callbacks: Iterable[Any]) -> None:
        self._all = list(_by_key(callbacks))
        # Found out once: a backup is taken as often as after every batch.
        self._asked = {
            key: answers
            for key, callback in self._all
            if (answers := _answers_of(callback))
        }

    def warnings(self, keras: Runtime) -> Iterator[str]:
        """What will not be as it was when the run is taken up again.

        Args:
            keras: The Keras of the fit.
        """
        forgetful = [
            name
            for name, remembers in _FORGETFUL.items()
            if any(map(remembers, self._silent(keras.stock(name))))
        ]
        if forgetful:
            yield (
                f"{', '.join(forgetful)} of Keras cannot be asked what they "
                "remember, and would begin anew after a restart. Import them "
                "from kerascb."
            )
        misnamed = {
            type(one).__name__
            for one in self._silent(object)
            if any(callable(getattr(one, name, None)) for name in _METHODS)
        }
        if misnamed:
            yield (
                f"{', '.join(sorted(misnamed))} cannot be called as "
                "get_state() and set_state(state), and would begin anew after "
                "a restart. See Callback.get_state."
            )
        if self._silent(keras.stock("BackupAndRestore")):
            yield (
                "Keras's own BackupAndRestore is in the list as well. Where "
                "kerascb's has a backup, the run goes on from that. Remove "
                "the other."
            )

    def _silent(self, kind: type | None) -> list[Any]:
        """Those of a class that are asked nothing; a Keras may lack it."""
        return [
            callback
            for key, callback in self._all
            if key not in self._asked and kind and isinstance(callback, kind)
        ]

    def take(self) -> dict[str, dict[str, Any]]:
        """Callback to state, of those that remember something now.

        Raises:
            TypeError: If a state is no dict.
        """
        return {
            key: state
            for key, answers in self._asked.items()
            if (state := answers.take())
        }

    def give(self, states: Mapping[str, dict[str, Any]]) -> list[str]:
        """Gives back what was taken.

        Args:
            states: Callback to state.

        Returns:
            Of which states there is no callback, in order.
        """
        for key, answers in self._asked.items():
            if key in states:
                answers.give(states[key])
        return sorted(states.keys() - dict(self._all).keys())


def _by_key(callbacks: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Callbacks under names that a restarted script gives them, too."""
    seen: Counter[str] = Counter()
    for callback in flat(callbacks):
        name = type(callback).__name__
        yield f"{name}[{seen[name]}]", callback
        seen[name] += 1


def flat(callbacks: Iterable[Any]) -> Iterator[Any]:
    """Callbacks, and those of lists among them in their places.

    Args:
        callbacks: Callbacks and lists of callbacks.
    """
    for callback in callbacks:
        inner = getattr(callback, "callbacks", None)
        yield from flat(inner) if isinstance(inner, list) else [callback]


def _takes_part(callback: Any) -> bool:
    """Whether a callback has both methods, and they are meant for us."""
    get_state, set_state = _METHODS
    return _can_take(callback, get_state) and _can_take(callback, set_state, {})


def _can_take(callback: Any, name: str, *arguments: Any) -> bool:
    method = getattr(callback, name, None)
    if not callable(method):
        return False
    try:
        inspect.signature(method).bind(*arguments)
    except TypeError:
        return False
    except ValueError:  # one of C, that does not tell
        return True
    return True


@dataclass(frozen=True)
class _Answers:
    """How a callback is asked for its state, and given it back."""

    name: str
    get: Callable[[], Any]
    give: Callable[[dict[str, Any]], None]

    def take(self) -> dict[str, Any]:
        state = self.get()
        if not isinstance(state, dict):
            raise TypeError(
                f"get_state of {self.name} must return a dict; got "
                f"{type(state).__name__}."
            )
        return state


def _answers_of(callback: Any) -> _Answers | None:
    name = type(callback).__name__
    if _takes_part(callback):
        return _Answers(name, callback.get_state, callback.set_state)
    if isinstance(callback, StockHistory):
        return _Answers(
            name,
            partial(state_of_history, callback),
            partial(fill_history, callback),
        )
    return None
