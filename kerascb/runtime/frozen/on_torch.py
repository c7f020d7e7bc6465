"""Frozen values of Keras 3's variables on torch, which updates in place.

On the CPU torch can clone lazily: both tensors share memory until one is
written to. Where it cannot, as with memory that came from elsewhere, a value
is copied.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import ml_dtypes
import numpy as np
import torch

from kerascb.runtime.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from kerascb.runtime.frozen import FrozenValue


class FrozenTensor(Frozen):
    """A value that lies in a tensor.

    Args:
        tensor: A tensor that nobody else has.
        wait: Waits until its value has arrived.
        is_shared: A variable may have the same memory, until it is written to.
    """

    def __init__(
        self, tensor: Any, wait: Callable[[], Any], *, is_shared: bool
    ) -> None:
        self.tensor = tensor
        self._wait = wait
        self.is_shared = is_shared

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return tuple(self.tensor.shape)

    @property
    def dtype(self) -> str:
        """The name of the type."""
        return str(self.tensor.dtype).removeprefix("torch.")

    def array(self) -> npt.NDArray[Any]:
        """The tensor's memory; a copy if it is elsewhere or full of gaps."""
        self._wait()
        array = _memory_of(self.tensor.cpu().contiguous())
        array.flags.writeable = False
        kind = np.dtype(getattr(ml_dtypes, self.dtype, self.dtype))
        return array.view(kind).reshape(self.shape)


def freeze(variables: Sequence[Any], device: str | None) -> list[FrozenValue]:
    """Clones on the CPU; from CUDA copies while the device goes on.

    Args:
        variables: Variables of Keras 3.
        device: `"device"` keeps clones on an accelerator.
    """
    tensors = [one.value.detach() for one in variables]
    if device == "device":
        return [
            FrozenTensor(_clone(one), _no_wait, is_shared=True)
            for one in tensors
        ]
    copies = [
        _clone(one) if one.device.type == "cpu" else _on_host(one)
        for one in tensors
    ]
    wait = _no_wait
    if any(one.is_cuda for one in tensors):
        arrival = torch.cuda.Event()
        arrival.record()
        wait = arrival.synchronize
    return [
        FrozenTensor(copy, wait, is_shared=one.device.type == "cpu")
        for copy, one in zip(copies, tensors, strict=True)
    ]


def thaw(variables: Sequence[Any], values: Sequence[FrozenValue]) -> None:
    """Copies them into the tensors that are there."""
    with torch.no_grad():
        for variable, value in zip(variables, values, strict=True):
            if isinstance(value, FrozenTensor):
                variable.value.copy_(value.tensor)
            else:
                variable.assign(value.array())


def _clone(tensor: Any) -> Any:
    if tensor.device.type != "cpu" or not hasattr(torch, "_lazy_clone"):
        return tensor.clone()
    try:
        return torch._lazy_clone(tensor)
    except RuntimeError:  # memory that torch has not allocated itself
        return tensor.clone()


def _on_host(tensor: Any) -> Any:
    copy = torch.empty(
        tensor.shape, dtype=tensor.dtype, pin_memory=tensor.is_cuda
    )
    return copy.copy_(tensor, non_blocking=tensor.is_cuda)


def _memory_of(tensor: Any) -> npt.NDArray[np.uint8]:
    """The bytes of a contiguous tensor on the CPU.

    A lazy clone would be copied if torch were asked for an array, which could
    be written to.
    """
    if not hasattr(torch._C, "_data_address"):
        return np.asarray(tensor.reshape(-1).view(torch.uint8).numpy())
    memory: Any = (ctypes.c_byte * tensor.nbytes).from_address(
        torch._C._data_address(tensor)
    )
    memory.owner = tensor  # lives as long as the array
    return np.frombuffer(memory, "uint8")


def _no_wait() -> None:
    """The value is there."""
