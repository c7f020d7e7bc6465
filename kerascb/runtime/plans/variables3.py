"""Variables of Keras 3 whose values go into a file."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import h5py
import keras
import ml_dtypes  # NumPy knows `bfloat16` and its like by it  # noqa: F401
import numpy as np

from kerascb.layouts.plan import NotPlannable

if TYPE_CHECKING:
    from kerascb.runtime.plans.planned import Place

_IS_JAX = keras.backend.backend() == "jax"


def place_of(variable: Any) -> Place:
    """The place that the value of a variable takes in HDF5.

    Args:
        variable: The variable.

    Raises:
        NotPlannable: If it has no value of a fixed size here.
    """
    kind = variable.dtype
    dtype = _dtype_of(kind)
    if dtype is None:
        raise NotPlannable(
            f"HDF5 cannot hold {variable.path!r}, of type {kind}"
        )
    shape = tuple(variable.shape)
    if None in shape:
        raise NotPlannable(f"{variable.path!r} has no fixed shape")
    if _IS_JAX and not variable.value.is_fully_addressable:
        raise NotPlannable(
            f"{variable.path!r} is spread over several processes"
        )
    return shape, dtype


@functools.cache
def _dtype_of(kind: str) -> np.dtype[Any] | None:
    """NumPy's type for one of Keras; `None` if HDF5 has none for it."""
    try:
        dtype = np.dtype(kind)
        h5py.h5t.py_create(dtype, logical=True)
    except TypeError:
        return None
    return dtype
