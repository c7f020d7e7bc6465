"""The random state that an order of the data is drawn from.

Keras draws an order from generators that all code shares: Python's, NumPy's
or torch's. Which of them changes from engine to engine; all are noted.
"""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def shared() -> dict[str, Any]:
    """The state of the shared generators, as a backup can hold it.

    Some microseconds, and some kilobytes.
    """
    version, words, gauss = random.getstate()
    name, keys, *rest = np.random.get_state()
    noted: dict[str, Any] = {
        "python": [version, np.array(words, np.uint32), gauss],
        "numpy": [name, np.array(keys), *rest],
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        noted["torch"] = torch.get_rng_state().numpy().copy()
    return noted


def put_back(noted: Mapping[str, Any]) -> None:
    """Has the shared generators go on from a state.

    Args:
        noted: What `shared` returned, in this process or another.
    """
    if "python" in noted:
        version, words, gauss = noted["python"]
        random.setstate((version, tuple(int(word) for word in words), gauss))
    if "numpy" in noted:
        np.random.set_state(tuple(noted["numpy"]))
    torch = sys.modules.get("torch")
    if torch is not None and "torch" in noted:
        torch.set_rng_state(torch.from_numpy(np.array(noted["torch"])))


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """Names of the shared generators that differ between two states."""
    return {
        name
        for name in before.keys() & after.keys()
        if not _equal(before[name], after[name])
    }


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def generators_of(source: Any) -> list[Any]:
    """The generators that a torch `DataLoader` has of its own, if it is one."""
    places = [source, getattr(source, "sampler", None)]
    batches = getattr(source, "batch_sampler", None)
    places += [batches, getattr(batches, "sampler", None)]
    found = [getattr(place, "generator", None) for place in places]
    distinct = {id(one): one for one in found if hasattr(one, "get_state")}
    return list(distinct.values())


def states_of(generators: Iterable[Any]) -> list[Any]:
    """The states of torch's generators, as arrays."""
    return [one.get_state().numpy().copy() for one in generators]


def put_back_states(generators: Iterable[Any], states: Iterable[Any]) -> None:
    """Has torch's generators go on from their states."""
    for generator, state in zip(generators, states, strict=False):
        torch = sys.modules["torch"]
        generator.set_state(torch.from_numpy(np.array(state)))
