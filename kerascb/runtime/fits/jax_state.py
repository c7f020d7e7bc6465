"""Where the state of a model is while Keras 3 trains it on JAX.

A step takes the arrays of all variables and gives new ones back; what it took
no longer exists then. The variables themselves are empty meanwhile. What Keras
knows of the new arrays, it puts into them where a hook asks for the model, and
where a `fit` ends; after a first step that failed it knows of none.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from kerascb.runtime.fits.running_fit import frame_of_fit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

# In the order in which `fit` has them in its local variable `state`.
_GROUPS = (
    "trainable_variables",
    "non_trainable_variables",
    "optimizer_variables",
    "metrics_variables",
)


def bring_home(model: Any) -> None:
    """Gives the variables of a model the newest arrays that still exist.

    For a `fit` that has failed. Groups of variables of which no array is left
    stay as they are; `is_lost` tells.

    Args:
        model: A model whose `fit` is on the stack.
    """
    frame = frame_of_fit(model)
    state = () if frame is None else frame.f_locals.get("state", ())
    newest: Mapping[str, Any] = dict(zip(_GROUPS, state, strict=False))
    known: Mapping[str, Any] = getattr(model, "_jax_state", None) or {}
    is_synced = getattr(model, "_jax_state_synced", True)
    for group, variables in _variables(model).items():
        if is_synced and _exist(_values(variables)):
            continue
        for arrays in (newest.get(group), known.get(group)):
            if arrays and _exist(arrays) and len(arrays) == len(variables):
                for variable, array in zip(variables, arrays, strict=True):
                    variable.assign(array)
                break
    if not is_lost(model):
        model._jax_state_synced = True


def is_lost(model: Any) -> bool:
    """Whether a variable of a model has no value that could be read."""
    return not all(
        _exist(_values(variables)) for variables in _variables(model).values()
    )


def lent_counters(model: Any) -> AbstractContextManager[Any]:
    """Within, what counts steps in an optimizer, and its rates, can be read.

    Args:
        model: A model, whose `fit` may be within an epoch.
    """
    state = getattr(model, "_jax_state", None)
    if not state or getattr(model, "_jax_state_synced", True):
        return contextlib.nullcontext()
    import keras

    pairs = zip(
        model.optimizer.variables, state["optimizer_variables"], strict=True
    )
    scope: AbstractContextManager[Any] = keras.StatelessScope(
        state_mapping=[pair for pair in pairs if pair[1].ndim == 0]
    )
    return scope


def _variables(model: Any) -> dict[str, Sequence[Any]]:
    optimizer = getattr(model, "optimizer", None)
    found = {
        group: getattr(model, group, ())
        for group in _GROUPS
        if group != "optimizer_variables"
    }
    return {**found, "optimizer_variables": getattr(optimizer, "variables", ())}


def _values(variables: Sequence[Any]) -> list[Any]:
    # Not `value`: of an empty variable that is a new initial value.
    return [variable._value for variable in variables]


def _exist(arrays: Sequence[Any]) -> bool:
    return not any(array is None or array.is_deleted() for array in arrays)
