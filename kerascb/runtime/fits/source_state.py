"""Sources of data that can be asked where they are.

They have `get_state` and `set_state`, or `state_dict` and `load_state_dict` as
torch's `StatefulDataLoader` does. One that also has `pass_over(batches)` is
told how many of the batches to come will be thrown away, so that it need not
make them.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

_PAIRS = (("get_state", "set_state"), ("state_dict", "load_state_dict"))

POSITION = "_kerascb_position"
"""Under which name a dataset of TensorFlow carries one that can be asked."""


def is_asked(source: Any) -> bool:
    """Whether a source can be asked where it is."""
    return _pair(source) is not None


def get(source: Any) -> Any:
    """Where a source is; `None` if it cannot be asked."""
    pair = _pair(source)
    return None if pair is None else _plain(pair[0]())


def set_(source: Any, state: Any) -> None:
    """Puts a source where it was."""
    pair = _pair(source)
    if pair is not None:
        pair[1](_restored(state))


def pass_over(source: Any, batches: int) -> None:
    """Tells a source that the next batches will be thrown away."""
    tell = getattr(source, "pass_over", None)
    if callable(tell) and batches:
        tell(batches)


def _pair(source: Any) -> tuple[Callable[[], Any], Callable[[Any], Any]] | None:
    for names in _PAIRS:
        get_state, set_state = (getattr(source, name, None) for name in names)
        if callable(get_state) and callable(set_state):
            return get_state, set_state
    return None


# A backup has no tuples, bytes and tensors. They become dicts of one entry.
_TUPLE, _BYTES, _TENSOR = "$tuple", "$bytes", "$tensor"


def _plain(state: Any) -> Any:
    """A state as a backup can hold it."""
    if isinstance(state, dict):
        return {name: _plain(value) for name, value in state.items()}
    if isinstance(state, tuple):
        return {_TUPLE: [_plain(value) for value in state]}
    if isinstance(state, list):
        return [_plain(value) for value in state]
    if isinstance(state, bytes):
        return {_BYTES: np.frombuffer(state, np.uint8).copy()}
    if type(state).__module__ == "torch":
        return {_TENSOR: state.detach().cpu().numpy().copy()}
    return state.copy() if isinstance(state, np.ndarray) else state


def _restored(state: Any) -> Any:
    """A state as the source gave it."""
    if isinstance(state, list):
        return [_restored(value) for value in state]
    if not isinstance(state, dict):
        return state
    if state.keys() == {_TUPLE}:
        return tuple(_restored(value) for value in state[_TUPLE])
    if state.keys() == {_BYTES}:
        return np.asarray(state[_BYTES]).tobytes()
    if state.keys() == {_TENSOR}:
        return sys.modules["torch"].from_numpy(np.array(state[_TENSOR]))
    return {name: _restored(value) for name, value in state.items()}
