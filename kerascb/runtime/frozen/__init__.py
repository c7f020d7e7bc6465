"""The value a variable had at one step, whatever is trained afterwards."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from kerascb.layouts.plan import NotPlannable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


class FrozenValue(Protocol):
    """A value that no later step changes.

    Taking one costs the training thread little; reading it may be done from
    any thread.

    Attributes:
        shape: The shape.
        dtype: The name NumPy or `ml_dtypes` has for the type: `"float32"`,
            `"bfloat16"`; `"object"` for strings.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""

    @property
    def dtype(self) -> str:
        """The name of the type."""

    @property
    def is_shared(self) -> bool:
        """Whether the next step has to copy it, if it is still held then."""

    def array(self) -> npt.NDArray[Any]:
        """The value on the host, read-only, a view where there can be one.

        May wait for the device. Strings are an array of `bytes` objects.
        """

    def raw(self) -> memoryview:
        """The bytes of `array()`, flat, in C order.

        Raises:
            NotPlannable: If the value is made of strings.
        """


class Frozen:
    """What all frozen values have in common.

    One is copied by being shared, since nothing changes it, and pickled as an
    array on the host.
    """

    is_shared = False

    def array(self) -> npt.NDArray[Any]:
        """The value on the host."""
        raise NotImplementedError

    def raw(self) -> memoryview:
        """The bytes of `array()`, copied only if they do not lie in a row."""
        array = self.array()
        if array.dtype.hasobject:
            raise NotPlannable("a variable of strings has no flat bytes")
        flat: Any = np.ascontiguousarray(array).reshape(-1).view("uint8")
        return memoryview(flat)

    def __deepcopy__(self, memo: dict[int, Any]) -> Frozen:
        return self

    def __reduce__(self) -> tuple[type[Frozen], tuple[npt.NDArray[Any]]]:
        return FrozenArray, (np.array(self.array()),)


class FrozenArray(Frozen):
    """A value that lies on the host as an array.

    Args:
        array: The value; nobody may change it from now on.
    """

    def __init__(self, array: npt.NDArray[Any]) -> None:
        self._array = array.view()
        self._array.flags.writeable = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return self._array.shape

    @property
    def dtype(self) -> str:
        """The name of the type."""
        return self._array.dtype.name

    def array(self) -> npt.NDArray[Any]:
        """The array itself."""
        return self._array


class Engine(Protocol):
    """What `Runtime.freeze` and `Runtime.thaw` do on one engine.

    The modules `on_tensorflow`, `on_jax`, `on_torch` and
    `on_numpy` answer.
    """

    def freeze(
        self, variables: Sequence[Any], device: str | None
    ) -> list[FrozenValue]:
        """The values variables have now."""

    def thaw(
        self, variables: Sequence[Any], values: Sequence[FrozenValue]
    ) -> None:
        """Gives them back."""


def engine(backend: str) -> Engine:
    """The module for a backend of Keras 3.

    Args:
        backend: Its name.

    Raises:
        NotPlannable: If it is one that cannot train.
    """
    if backend not in {"tensorflow", "jax", "torch", "numpy"}:
        raise NotPlannable(f"the backend {backend} is not known to kerascb")
    module: Any = importlib.import_module(f"{__name__}.on_{backend}")
    return module  # type: ignore[no-any-return]


def weights_of(model: Any, base: Any) -> list[Any] | None:
    """The weights of a model, unless it reads or sets them in its own way.

    Args:
        model: Anything that is trained.
        base: `Model` of the Keras it may be of.
    """
    if not isinstance(model, base):
        return None
    for name in ("get_weights", "set_weights"):
        method = getattr(model, name)
        if getattr(method, "__func__", None) is not getattr(base, name):
            return None
    return list(model.weights)
