"""Values that are read off the device once they are there, without waiting."""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class PendingRead(Protocol):
    """Values on their way to the host.

    They are what they were when reading began, whatever is computed since.
    """

    def is_ready(self) -> bool:
        """Whether `result` would return at once; never waits."""

    def result(self) -> list[Any]:
        """The values on the host, in order; waits for them.

        Numbers, or arrays of NumPy; what was no tensor is as it was.
        """


class Arrived:
    """Values that need no waiting.

    Args:
        values: The values, on the host.
    """

    __slots__ = ("_values",)

    def __init__(self, values: list[Any]) -> None:
        self._values = values

    def is_ready(self) -> bool:
        """Always."""
        return True

    def result(self) -> list[Any]:
        """The values."""
        return self._values


@dataclass(frozen=True)
class WeightsCheck:
    """Looks, on the device, for weights that are not finite.

    Attributes:
        paths: What each weight that can be looked at is called.
        begin: Begins to read one array of booleans: which of them are finite,
            as they are now. Only that array leaves the device.
    """

    paths: tuple[str, ...]
    begin: Callable[[], PendingRead]


class Reads(Protocol):
    """Reads what a step has computed.

    Part of the `Runtime` Protocol; `reads3.py` and `reads2.py` answer.
    """

    def begin_read(self, values: Sequence[Any]) -> PendingRead:
        """Begins to read values of the logs; the device goes on.

        Args:
            values: Numbers, arrays or tensors.
        """

    def weights_check(self, model: Any) -> WeightsCheck | None:
        """What looks for weights of a model that are not finite.

        To be asked once a fit, after its first batch: a model may not be built
        before, and what is returned is compiled. `None` if the model has no
        weights of floating point.

        Args:
            model: The model being trained.
        """

    def has_peers(self, model: Any) -> bool:
        """Whether other processes make the same steps, and wait for this one.

        They have to stop at one and the same step.

        Args:
            model: The model being trained.
        """


class Engine(Protocol):
    """What reading takes of one engine.

    The modules `on_tensorflow`, `on_jax`, `on_torch` and `on_numpy` answer.
    """

    def begin_read(self, values: Sequence[Any]) -> PendingRead:
        """Begins to read."""

    def finite_test(
        self, variables: Sequence[Any], values: Callable[[], Sequence[Any]]
    ) -> Callable[[], Any]:
        """What tells of each variable whether all of it is finite.

        Args:
            variables: Variables of floating point.
            values: Returns what they hold now, where it is.

        Returns:
            Returns a tensor of one boolean each; does not wait for it.
        """

    def has_peers(self, model: Any) -> bool:
        """Whether other processes make the same steps."""


@functools.cache
def engine(backend: str) -> Engine:
    """The module for a backend of Keras.

    Args:
        backend: Its name; one that cannot train computes on the host.
    """
    if backend not in {"tensorflow", "jax", "torch"}:
        backend = "numpy"
    module: Any = importlib.import_module(f"{__name__}.on_{backend}")
    return module  # type: ignore[no-any-return]


def is_floating(variable: Any) -> bool:
    """Whether a variable can hold what is not finite.

    Args:
        variable: Of any Keras; what has no elements can not.
    """
    dtype = getattr(variable, "dtype", None)
    name = str(getattr(dtype, "name", dtype))
    return name in _FLOATING and 0 not in tuple(variable.shape)


_FLOATING = frozenset({"float16", "bfloat16", "float32", "float64"})


def all_finite(value: Any) -> bool:
    """Whether all of an array on the host is finite.

    Args:
        value: Anything NumPy takes; what is no number may be anything.
    """
    try:
        return bool(np.isfinite(value).all())
    except TypeError:
        return True
