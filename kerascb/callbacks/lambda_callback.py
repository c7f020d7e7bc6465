"""Callbacks out of plain functions."""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from kerascb.callbacks.callback import Callback
from kerascb.errors import InvalidArgument
from kerascb.improvement import nearest_names

Hook = Callable[..., Any]

_HOOKS = frozenset(name for name in dir(Callback) if name.startswith("on_"))
_STATE = ("get_state", "set_state")
_MOST = 4
_LOGS_ONLY, _BATCH_AND_LOGS = 1, 2


class LambdaCallback(Callback):
    """Calls the functions it is given.

    A function is called with positional arguments, so that its parameters may
    have any names: `(epoch, logs)`, `(batch, logs)`, or `(logs)` for the
    beginning and end of training.

    Keras 2 takes its third to sixth positional argument for the hooks of
    batches and then of training, Keras 3 the other way round. Both are
    understood: a function that needs two arguments belongs to a batch, one
    that takes only one to training. Where a function takes either, the order
    is that of the Keras in force.

    Args:
        on_epoch_begin: Called with the zero-based epoch and `{}`.
        on_epoch_end: Called with the zero-based epoch and its logs.
        *functions: Up to four more hooks by position: `on_train_begin`,
            `on_train_end`, `on_train_batch_begin`, `on_train_batch_end` as in
            Keras 3, or `on_batch_begin`, `on_batch_end`, `on_train_begin`,
            `on_train_end` as in Keras 2.
        **hooks: Any hook by its name. `on_batch_begin` and `on_batch_end` are
            the older names of the hooks of a training batch; with both
            given, both are called. `get_state` and `set_state` have what the
            functions remember survive a restart; see `Callback.get_state`.
            What is no hook becomes an attribute.

    Raises:
        InvalidArgument: If a hook is given something that cannot be called, or
            one of `get_state` and `set_state` without the other.

    Example:
        >>> from kerascb import LambdaCallback
        >>> from kerascb.testing import drive
        >>> shout = LambdaCallback(
        ...     on_batch_end=lambda batch, log_data: print(batch)
        ... )
        >>> _ = drive([shout], losses=[0.3, 0.2])
        0
        1
    """

    def __init__(
        self,
        on_epoch_begin: Hook | None = None,
        on_epoch_end: Hook | None = None,
        *functions: Hook | None,
        **hooks: Any,
    ) -> None:
        super().__init__()
        named = dict(hooks, on_epoch_begin=on_epoch_begin)
        named["on_epoch_end"] = on_epoch_end
        is_keras2 = self._runtime.name == "keras2"
        for name, function in _named(functions, batch_first=is_keras2).items():
            if named.get(name) is not None:
                raise TypeError(
                    f"LambdaCallback got multiple values for {name}."
                )
            named[name] = function
        _check_state(hooks)
        for name in named.keys() - _HOOKS:
            _warn_of_near_hook(name)
            setattr(self, name, named.pop(name))
        self._install(named)

    def _install(self, hooks: dict[str, Any]) -> None:
        for name, function in hooks.items():
            if function is None:
                continue
            if not callable(function):
                raise InvalidArgument(
                    f"LambdaCallback needs functions; got {name}={function!r}."
                )
            chain = [function]
            if name.startswith("on_train_batch"):
                # As an attribute it hides the method that calls the old name.
                older = hooks.get(name.replace("on_train_batch", "on_batch"))
                chain += [older] if older is not None else []
            # On the instance, so that hooks not given stay empty ones, which
            # the lists of Keras pass over.
            setattr(self, name, _Positional(chain))


class _Positional:
    """A hook that hands its arguments on by position.

    The lists of Keras pass `logs` by keyword, which a function may have named
    otherwise.
    """

    def __init__(self, functions: list[Hook]) -> None:
        self._functions = functions

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        # The logs come last in every hook.
        names = sorted(kwargs, key=lambda name: name == "logs")
        for function in self._functions:
            function(*args, *(kwargs[name] for name in names))


def _named(
    functions: Sequence[Hook | None], *, batch_first: bool
) -> dict[str, Hook]:
    """Gives the third to sixth positional argument their names.

    Args:
        functions: Beginning and end of one thing, then of the other.
        batch_first: What the first pair is where the functions do not tell.
    """
    if len(functions) > _MOST:
        raise TypeError(
            "LambdaCallback takes at most 6 positional arguments, got "
            f"{2 + len(functions)}. Pass the others by name."
        )
    padded = [*functions, *[None] * (_MOST - len(functions))]
    first, second = padded[:2], padded[2:]
    for pair, is_first in ((first, True), (second, False)):
        for function in pair:
            count = None if function is None else _needs(function)
            if count is not None:
                batch_first = (count == _BATCH_AND_LOGS) is is_first
    batch, train = (first, second) if batch_first else (second, first)
    named = {
        "on_train_batch_begin": batch[0],
        "on_train_batch_end": batch[1],
        "on_train_begin": train[0],
        "on_train_end": train[1],
    }
    return {name: hook for name, hook in named.items() if hook is not None}


def _needs(function: Hook) -> int | None:
    """How many positional arguments a function takes; `None` if it varies."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    fitting = []
    for count in (_LOGS_ONLY, _BATCH_AND_LOGS):
        with contextlib.suppress(TypeError):
            signature.bind(*[None] * count)
            fitting.append(count)
    return fitting[0] if len(fitting) == 1 else None


def _check_state(hooks: dict[str, Any]) -> None:
    given = {name: hooks[name] for name in _STATE if name in hooks}
    if given and sum(map(callable, given.values())) < len(_STATE):
        raise InvalidArgument(
            "LambdaCallback needs a function for get_state and one for "
            f"set_state, or neither; got {given!r}."
        )


def _warn_of_near_hook(name: str) -> None:
    near = nearest_names(name, _HOOKS, count=1) if name[:3] == "on_" else []
    if near:
        warnings.warn(
            f"LambdaCallback knows no hook {name!r}; it becomes an attribute "
            f"that nothing calls. Did you mean {near[0]!r}?",
            stacklevel=3,
        )
