"""Frozen values of TensorFlow's variables, of Keras 3 and of Keras 2.

TensorFlow counts who holds the buffer of a variable. A tensor read from it
shares the buffer; whoever updates the variable next, eagerly, in a graph or
compiled by XLA, leaves that buffer alone and writes to another one. So a
value is frozen by holding on to it, and is copied, if ever, by the next step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

# TensorFlow has no public name for what its variables are by default.
from tensorflow.python.ops.resource_variable_ops import ResourceVariable

from kerascb.layouts.plan import NotPlannable
from kerascb.runtime.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from kerascb.runtime.frozen import FrozenValue


class FrozenTensor(Frozen):
    """A value that lies in a tensor.

    Args:
        tensor: An eager tensor.
        is_shared: A variable has the same memory.
    """

    def __init__(self, tensor: Any, *, is_shared: bool = False) -> None:
        self.tensor = tensor
        self.is_shared = is_shared

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return tuple(self.tensor.shape)

    @property
    def dtype(self) -> str:
        """The name of the type."""
        name: str = np.dtype(self.tensor.dtype.as_numpy_dtype).name
        return name

    def array(self) -> npt.NDArray[Any]:
        """The tensor's memory; a copy of strings and of 8-bit floats.

        Those 8-bit floats can neither be shown to Python as they are nor be
        taken for integers.
        """
        tensor = self.tensor
        if "CPU" not in tensor.device:
            with tf.device("CPU:0"):
                tensor = tf.identity(tensor)
        kind = np.dtype(tensor.dtype.as_numpy_dtype)
        if tensor.dtype == tf.bfloat16:
            tensor = tf.bitcast(tensor, tf.uint16)
        elif kind.hasobject or not _is_of_numpy(kind):
            array: npt.NDArray[Any] = np.asarray(tensor.numpy(), kind)
            array.flags.writeable = False
            return array
        return np.asarray(memoryview(tensor)).view(kind)


def freeze(variables: Sequence[Any], device: str | None) -> list[FrozenValue]:
    """Holds on to what the variables hold now.

    What several replicas keep a share of is put together.

    Args:
        variables: Variables of Keras 3 or of TensorFlow.
        device: `"device"` leaves values on an accelerator where they are;
            otherwise they are copied to the host.

    Raises:
        NotPlannable: If one is no variable, or cannot be read now.
    """
    if not tf.executing_eagerly():
        raise NotPlannable("TensorFlow does not execute eagerly")
    tensors = [_held_by(_variable_of(one)) for one in variables]
    if device == "device":
        return [FrozenTensor(one, is_shared=True) for one in tensors]
    with tf.device("CPU:0"):
        return [
            FrozenTensor(one, is_shared=True)
            if "CPU" in one.device
            else FrozenTensor(tf.identity(one))
            for one in tensors
        ]


def thaw(variables: Sequence[Any], values: Sequence[FrozenValue]) -> None:
    """Lets the variables share what is held, until they are written to."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(
            value.tensor if isinstance(value, FrozenTensor) else value.array()
        )


def _held_by(variable: Any) -> Any:
    if type(variable) is ResourceVariable:
        # What `read_value` comes to, without its detours: a fifth of the time.
        return tf.raw_ops.ReadVariableOp(
            resource=variable.handle, dtype=variable.dtype
        )
    return variable.read_value()


def _variable_of(variable: Any) -> Any:
    """TensorFlow's variable; Keras 3 has it inside its own."""
    if not hasattr(variable, "read_value"):
        variable = getattr(variable, "value", variable)
    if not hasattr(variable, "read_value"):
        raise NotPlannable(
            f"it keeps state in a {type(variable).__name__}, which is no "
            "variable"
        )
    return variable


def _is_of_numpy(kind: np.dtype[Any]) -> bool:
    return kind.isbuiltin == 1
