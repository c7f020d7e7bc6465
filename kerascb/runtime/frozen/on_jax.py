"""Frozen values of Keras 3's variables on JAX.

A compiled train step is given the buffers of the variables for good, and
writes its results into them unless somebody else looks at them. On the CPU an
array of NumPy does: it shows the memory of the buffer, which JAX then leaves
alone. Elsewhere a value must be copied to be kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from kerascb.layouts.plan import NotPlannable
from kerascb.runtime.frozen import Frozen, FrozenArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from kerascb.runtime.frozen import FrozenValue


class FrozenBuffer(Frozen):
    """A value on an accelerator.

    Args:
        buffer: An array of JAX that no compiled function is given for good.
    """

    def __init__(self, buffer: Any) -> None:
        self.buffer = buffer

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return tuple(self.buffer.shape)

    @property
    def dtype(self) -> str:
        """The name of the type."""
        return str(self.buffer.dtype.name)

    def array(self) -> npt.NDArray[Any]:
        """A copy, shards put together; JAX keeps it."""
        return np.asarray(self.buffer)


def freeze(variables: Sequence[Any], device: str | None) -> list[FrozenValue]:
    """Shares them on the CPU; elsewhere waits until they are on the host.

    Args:
        variables: Variables of Keras 3 whose values are up to date.
        device: `"device"` copies within an accelerator, and does not wait.

    Raises:
        NotPlannable: If other processes hold parts of a value, or a value is
            not made of numbers.
    """
    buffers = [one.value for one in variables]
    for one in buffers:
        _require_readable(one)
    if device == "device" and not all(map(_is_on_cpu, buffers)):
        return [FrozenBuffer(one) for one in _copies_of(buffers)]
    for one in buffers:
        one.copy_to_host_async()
    return [FrozenArray(np.asarray(one)) for one in buffers]


def thaw(variables: Sequence[Any], values: Sequence[FrozenValue]) -> None:
    """Copies them, since the next step will use up what it is given.

    A variable that was spread over devices is so again.
    """
    for variable, value in zip(variables, values, strict=True):
        held = (
            value.buffer if isinstance(value, FrozenBuffer) else value.array()
        )
        placed = jax.device_put(held, variable.value.sharding)
        variable.assign(_copies_of([placed])[0])


def _copies_of(buffers: list[Any]) -> list[Any]:
    copies: list[Any] = _copy_all(buffers)
    return copies


# Compiled, so that what is spread over devices is copied where it is.
_copy_all = jax.jit(lambda buffers: [jnp.copy(one) for one in buffers])


def _is_on_cpu(buffer: Any) -> bool:
    return all(one.platform == "cpu" for one in buffer.devices())


def _require_readable(buffer: Any) -> None:
    if jnp.issubdtype(buffer.dtype, jax.dtypes.prng_key):
        raise NotPlannable("a variable holds a random key of JAX")
    if not (buffer.is_fully_addressable or buffer.is_fully_replicated):
        raise NotPlannable("other processes hold parts of its variables")
