"""Reading from JAX, which computes in the background, on the CPU too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class ReadOfArrays:
    """Values some of which are arrays of JAX.

    Args:
        values: The values.
        arrays: Those that are arrays.
    """

    def __init__(self, values: list[Any], arrays: list[Any]) -> None:
        self._values = values
        self._arrays = arrays

    def is_ready(self) -> bool:
        """Whether all have been computed; their copies follow at once."""
        return all(array.is_ready() for array in self._arrays)

    def result(self) -> list[Any]:
        """Arrays as NumPy's; numbers as NumPy's of one element."""
        return [
            np.asarray(value) if isinstance(value, jax.Array) else value
            for value in self._values
        ]


def begin_read(values: Sequence[Any]) -> ReadOfArrays:
    """Has the copies made as soon as there is something to copy."""
    arrays = [value for value in values if isinstance(value, jax.Array)]
    for array in arrays:
        if array.platform() != "cpu":
            array.copy_to_host_async()
    return ReadOfArrays(list(values), arrays)


def finite_test(
    variables: Sequence[Any], values: Callable[[], Sequence[Any]]
) -> Callable[[], Any]:
    """One compiled function, without anything as large as the weights.

    The next step may take the arrays for its own: JAX keeps what a function
    under way still needs.
    """
    del variables
    return lambda: _are_finite(list(values()))


@jax.jit  # type: ignore[untyped-decorator]
def _are_finite(arrays: list[Any]) -> Any:
    return jnp.stack([jnp.isfinite(array).all() for array in arrays])


def has_peers(model: Any) -> bool:
    """Whether JAX computes on several processes."""
    del model
    return bool(jax.process_count() > 1)
