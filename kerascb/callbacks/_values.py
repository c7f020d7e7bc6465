"""Values of the logs, brought to where Python and NumPy can read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from kerascb.runtime import Runtime


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
