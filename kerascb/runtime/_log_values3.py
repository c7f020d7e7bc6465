"""From what a Keras 3 model logs to Python's floats, in one transfer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

# Keras 3 keeps its log conversion private; it decides on what is no scalar.
from keras.src.utils.python_utils import pythonify_logs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Read = Callable[[Sequence[Any]], Sequence[Any]]


def flat(logs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Logs in the order Keras 3 shows them: by name, nested ones flattened.

    Args:
        logs: What the trainer hands out.
    """
    found: dict[str, Any] = {}
    for name, value in sorted((logs or {}).items()):
        if isinstance(value, dict):
            found.update(flat(value))
        else:
            found[name] = value
    return found


def to_floats(logs: Mapping[str, Any], backend: str) -> dict[str, Any]:
    """Flat logs with what is a single number turned into a float.

    Args:
        logs: As `flat` returns them.
        backend: What Keras runs on.
    """
    scalars = [name for name, value in logs.items() if _is_scalar(value)]
    read = _READ.get(backend, list)
    numbers = read([logs[name] for name in scalars])
    floats = dict(zip(scalars, map(float, numbers), strict=True))
    if len(floats) == len(logs):
        return floats
    rest = {name: logs[name] for name in logs if name not in floats}
    # One by one: Keras would sort them again.
    converted = pythonify_logs(rest)
    return {name: floats.get(name, converted.get(name)) for name in logs}


def _is_scalar(value: Any) -> bool:
    if type(value) is float:
        return True
    # The rank, and not the size: NumPy is about to refuse the rest.
    return keras.ops.is_tensor(value) and len(value.shape) == 0


def _of_tensorflow(values: Sequence[Any]) -> Sequence[Any]:
    import tensorflow as tf

    tensors = [value for value in values if tf.is_tensor(value)]
    if len(tensors) < len(values) or not _shares_accelerator(
        [(value.device, value.dtype) for value in tensors], "CPU"
    ):
        return [float(value) for value in values]
    numbers: list[Any] = tf.stack(tensors).numpy().tolist()
    return numbers


def _of_jax(values: Sequence[Any]) -> Sequence[Any]:
    import jax

    if jax.default_backend() == "cpu":
        # Nothing to transfer, and cheaper than asking for several.
        return [getattr(value, "item", value.__float__)() for value in values]
    read: Sequence[Any] = jax.device_get(list(values))
    return read


def _of_torch(values: Sequence[Any]) -> Sequence[Any]:
    import torch

    tensors = [value for value in values if isinstance(value, torch.Tensor)]
    if len(tensors) < len(values) or not _shares_accelerator(
        [(value.device.type, value.dtype) for value in tensors], "cpu"
    ):
        return [float(value) for value in values]
    numbers: list[Any] = torch.stack(tensors).tolist()
    return numbers


def _shares_accelerator(places: list[tuple[str, Any]], host: str) -> bool:
    """Whether values lie together, in one precision, but not with us."""
    return len(set(places)) == 1 and host not in places[0][0]


_READ: dict[str, Read] = {
    "tensorflow": _of_tensorflow,
    "jax": _of_jax,
    "torch": _of_torch,
}
