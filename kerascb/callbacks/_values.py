"""Values of logs and states, brought to the form in which they are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from kerascb.runtime.frozen import Frozen, FrozenArray

if TYPE_CHECKING:
    from kerascb.runtime import FrozenValue, Runtime

_EXACT = (bool, int, float, str, type(None), np.generic)


def off_device(value: Any, runtime: Runtime) -> Any:
    """A tensor as a number or an array; anything else as it is.

    Args:
        value: A value of the logs.
        runtime: The Keras whose tensors may be among them.
    """
    is_numpy = isinstance(value, (np.ndarray, np.generic))
    if is_numpy or not hasattr(value, "dtype"):
        return value
    return runtime.to_python({"value": value})["value"]


def frozen(value: Any) -> FrozenValue:
    """A frozen value out of a state, where it may have become an array.

    Args:
        value: A frozen value, or an array; the array is copied.
    """
    if isinstance(value, Frozen):
        return cast("FrozenValue", value)
    return FrozenArray(np.array(value))


def storable(value: Any, runtime: Runtime) -> Any:
    """What of a logged value a backup can hold; else what it prints as.

    Args:
        value: Any value out of `logs`.
        runtime: The Keras that may know it.
    """
    value = off_device(value, runtime)
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return value.copy()
    if isinstance(value, (list, tuple)):
        return [storable(item, runtime) for item in value]
    if isinstance(value, dict):
        return {
            str(key): storable(item, runtime) for key, item in value.items()
        }
    return value if isinstance(value, _EXACT) else str(value)
