"""Reading from torch: at once on the CPU, by an event on CUDA."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist

from kerascb.runtime.reads import Arrived

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kerascb.runtime.reads import PendingRead


class ReadByEvent:
    """Values that CUDA copies into memory of the host.

    Args:
        values: The values; tensors are in memory of the host that the copies
            go to.
        arrival: An event after the copies.
    """

    def __init__(self, values: list[Any], arrival: Any) -> None:
        self._values = values
        self._arrival = arrival

    def is_ready(self) -> bool:
        """Whether CUDA has come by the event."""
        return bool(self._arrival.query())

    def result(self) -> list[Any]:
        """Tensors as numbers or arrays."""
        self._arrival.synchronize()
        return [_on_host(value) for value in self._values]


def begin_read(values: Sequence[Any]) -> PendingRead:
    """Copies from CUDA, in the order of its stream; else reads at once.

    The copies are made before the next step may write into the tensors.
    """
    if not any(isinstance(one, torch.Tensor) and one.is_cuda for one in values):
        return Arrived([_on_host(value) for value in values])
    copies = [_copied(value) for value in values]
    arrival = torch.cuda.Event()
    arrival.record()
    return ReadByEvent(copies, arrival)


def finite_test(
    variables: Sequence[Any], values: Callable[[], Sequence[Any]]
) -> Callable[[], Any]:
    """A norm of each, which takes no memory as large as the weights.

    That of the largest element is NaN or infinite exactly where the weights
    are, and does not overflow.
    """
    del variables

    def test() -> Any:
        with torch.no_grad():
            norms = [
                torch.linalg.vector_norm(value, torch.inf) for value in values()
            ]
            device = norms[0].device
            return torch.stack([norm.to(device).isfinite() for norm in norms])

    return test


def has_peers(model: Any) -> bool:
    """Whether a group of several processes has been formed."""
    del model
    return bool(
        dist.is_available()
        and dist.is_initialized()
        and dist.get_world_size() > 1
    )


def _copied(value: Any) -> Any:
    if not isinstance(value, torch.Tensor) or not value.is_cuda:
        return value
    value = value.detach()
    copy = torch.empty(value.shape, dtype=value.dtype, pin_memory=True)
    return copy.copy_(value, non_blocking=True)


def _on_host(value: Any) -> Any:
    if not isinstance(value, torch.Tensor):
        return value
    if value.ndim == 0:
        return value.item()
    value = value.detach().cpu()
    # NumPy does not know the type.
    return (value.float() if value.dtype is torch.bfloat16 else value).numpy()
