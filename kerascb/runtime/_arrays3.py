"""From Keras 3's tensors and variables to arrays."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt


def to_numpy(value: Any) -> npt.NDArray[Any]:
    """A tensor or variable of any backend as an array; may be read-only.

    Keras's own conversion copies, and on TensorFlow warns with NumPy 2 at
    every call; only torch, whose tensors may be elsewhere, needs it.
    """
    if keras.backend.backend() == "torch":
        value = keras.ops.convert_to_numpy(value)
    elif isinstance(value, keras.Variable):
        value = value.value
    if hasattr(value, "read_value"):
        # Of a variable that a `tf.distribute` strategy keeps on each replica
        # NumPy would get the container.
        value = value.read_value()
    return np.asarray(value)
