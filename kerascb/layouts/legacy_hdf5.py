"""The HDF5 files of Keras 2, which Keras 3 writes too where it is asked to.

A group for every layer, a dataset for every weight under the weight's own
name, and attributes that say in which order they are. Of a whole model the
weights are in a group `model_weights`, what the optimizer remembers is beside
it, and the configuration is in attributes of the file.
"""

from __future__ import annotations

import functools
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.layouts.hdf5 import Hdf5Skeleton

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    from kerascb.layouts.hdf5 import Hdf5Layout

_ATTRIBUTE_LIMIT = 64512
"""Bytes: HDF5 has no place for a larger attribute in an object's header."""

Attributes = tuple[tuple[str, str | bytes], ...]
"""Name → value; h5py stores `str` and `bytes` as different types."""


@dataclass(frozen=True)
class Tensor:
    """A weight whose value is yet to come.

    Attributes:
        name: As it stands in the file; with slashes it is in groups.
        shape: The shape.
        dtype: The NumPy dtype.
        index: Which value it gets.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    index: int


@dataclass(frozen=True)
class Weights:
    """The weights of a model.

    Attributes:
        attributes: Which Keras wrote them, and with what backend.
        layers: Name → weights of every layer, in the order of the model.
        top_level: Weights of the model itself.
    """

    attributes: Attributes
    layers: tuple[tuple[str, tuple[Tensor, ...]], ...]
    top_level: tuple[Tensor, ...]


@dataclass(frozen=True)
class Model:
    """A whole model.

    Attributes:
        attributes: Its configuration.
        weights: Its weights.
        optimizer: What the optimizer remembers; empty for nothing.
    """

    attributes: Attributes
    weights: Weights
    optimizer: tuple[Tensor, ...] = ()


def attributes_of(
    said: Mapping[str, Any], default: Callable[[Any], Any]
) -> Attributes:
    """What a Keras says of a model, as it stands in the file: text, or JSON.

    Args:
        said: Name → value.
        default: Makes JSON of values that have none.

    Example:
        >>> attributes_of({"backend": "jax", "model_config": {}}, default=str)
        (('backend', 'jax'), ('model_config', b'{}'))
    """
    return tuple(
        (
            name,
            value
            if isinstance(value, str)
            else json.dumps(value, default=default).encode(),
        )
        for name, value in said.items()
    )


@functools.lru_cache(maxsize=4)
def lay_out(content: Weights | Model, note_size: int) -> Hdf5Layout:
    """The file that holds a model or its weights.

    The last ones made are kept; they are small.

    Args:
        content: What is in it.
        note_size: Bytes to keep free for kerascb's note.

    Raises:
        NotPlannable: If a layer lies where the note would.
        ValueError: If two things have the same name.
        RuntimeError: If a name is longer than HDF5 can take.

    Example:
        >>> kernel = Tensor("dense/kernel:0", (2,), np.dtype("float32"), 0)
        >>> weights = Weights((), (("dense", (kernel,)),), ())
        >>> layout = lay_out(weights, note_size=16)
        >>> value = memoryview(np.ones(2, "float32")).cast("B")
        >>> content = b"".join(layout.render([value], b"a note"))
        >>> import h5py, io
        >>> with h5py.File(io.BytesIO(content)) as file:
        ...     file["dense"]["dense/kernel:0"][:].tolist()
        [1.0, 1.0]
    """
    skeleton = Hdf5Skeleton()
    file = skeleton.file
    if isinstance(content, Weights):
        _write_weights(skeleton, file, content)
    else:
        _write_attributes(file, content.attributes)
        _write_weights(
            skeleton, file.create_group("model_weights"), content.weights
        )
        if content.optimizer:
            group = file.create_group("optimizer_weights")
            _write_tensors(skeleton, group, content.optimizer)
    skeleton.reserve_note(note_size)
    return skeleton.finish()


def _write_weights(
    skeleton: Hdf5Skeleton, group: Any, weights: Weights
) -> None:
    _write_names(group, "layer_names", [name for name, _ in weights.layers])
    _write_attributes(group, weights.attributes)
    # Sorted, so that "block" is made before "block/inner", not on its way.
    for name, tensors in sorted(weights.layers, key=lambda layer: layer[0]):
        _write_tensors(skeleton, group.create_group(name), tensors)
    top_level = group.create_group("top_level_model_weights")
    _write_tensors(skeleton, top_level, weights.top_level)


def _write_tensors(
    skeleton: Hdf5Skeleton, group: Any, tensors: Sequence[Tensor]
) -> None:
    _write_names(group, "weight_names", [tensor.name for tensor in tensors])
    for tensor in tensors:
        skeleton.reserve(
            group, tensor.name, tensor.shape, tensor.dtype, index=tensor.index
        )


def _write_attributes(group: Any, attributes: Attributes) -> None:
    for name, value in attributes:
        group.attrs[name] = value


def _write_names(group: Any, attribute: str, names: Sequence[str]) -> None:
    encoded = [name.encode() for name in names]
    array = np.asarray(encoded)
    if array.nbytes <= _ATTRIBUTE_LIMIT:
        # The list: h5py does not store an array of the same bytes alike.
        group.attrs[attribute] = encoded
        return
    for number, part in enumerate(_parts(array)):
        group.attrs[f"{attribute}{number}"] = part


def _parts(names: npt.NDArray[np.bytes_]) -> list[npt.NDArray[np.bytes_]]:
    """As few equal parts as have a place each in an object's header."""
    names_a_part = _ATTRIBUTE_LIMIT // names.itemsize
    if names_a_part == 0:
        raise RuntimeError(
            "The following attributes cannot be saved to HDF5 file because "
            f"they are larger than {_ATTRIBUTE_LIMIT} bytes: "
            f"{[name for name in names if len(name) > _ATTRIBUTE_LIMIT]}"
        )
    return np.array_split(names, math.ceil(len(names) / names_a_part))
