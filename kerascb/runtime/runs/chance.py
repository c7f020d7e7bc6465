"""The state of the random numbers of Python and of NumPy."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping


def state() -> dict[str, Any]:
    """The state of both global generators."""
    return {
        "python": state_of(random),
        "numpy": np.random.get_state(legacy=False),
    }


def set_state(state: Mapping[str, Any]) -> None:
    """Sets what a state has.

    Args:
        state: What `state` returned. NumPy is left alone where it draws from
            another kind of generator than it did then.
    """
    set_state_of(random, state.get("python"))
    wanted: Any = state.get("numpy")
    now: Any = np.random.get_state(legacy=False)
    if wanted and wanted["bit_generator"] == now["bit_generator"]:
        np.random.set_state(wanted)


def state_of(generator: Any) -> dict[str, Any]:
    """The state of a generator of Python's.

    Args:
        generator: A `random.Random`, or the module `random`.
    """
    version, words, gauss = generator.getstate()
    return {
        "version": version,
        "words": np.array(words, "uint32"),
        "gauss": gauss,
    }


def set_state_of(generator: Any, state: Mapping[str, Any] | None) -> None:
    """Sets the state of a generator of Python's.

    Args:
        generator: A `random.Random`, or the module `random`.
        state: What `state_of` returned; `None` changes nothing.
    """
    if state is not None:
        words = tuple(np.asarray(state["words"]).tolist())
        generator.setstate((state["version"], words, state["gauss"]))
