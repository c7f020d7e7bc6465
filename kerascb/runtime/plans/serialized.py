"""What TensorFlow would write of objects: which tensor under which key.

TensorFlow is asked by the call that its own savers make, so that keys, object
graph and order are those that they write.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from kerascb.layouts.plan import NotPlannable
from kerascb.layouts.tensor_bundle import (
    STRING,
    TYPES,
    EncodedStrings,
    Tensor,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


@dataclass(frozen=True)
class Serialized:
    """The tensors of some objects; it does not hold the objects.

    Attributes:
        places: In TensorFlow's order: a tensor, the index of a variable among
            its content; or an object that has to be read at each save.
    """

    places: tuple[Tensor | _Moving, ...]
    _variables: tuple[weakref.ref[Any], ...]

    @classmethod
    def by(
        cls, saver: Any, stands_for: Callable[[Any], Any] = lambda owner: owner
    ) -> Serialized:
        """Asks TensorFlow.

        Args:
            saver: TensorFlow's saver of the objects.
            stands_for: Gives the variable to freeze in the place of one that
                is written.

        Raises:
            NotPlannable: If it would not write tensors only, or slices.
        """
        if not tf.executing_eagerly():
            raise NotPlannable("TensorFlow does not execute eagerly")
        found, _, own_savers, _ = saver._gather_serialized_tensors()
        if own_savers:
            raise NotPlannable(
                f"parts of it write themselves, by {', '.join(own_savers)}"
            )
        places: list[Tensor | _Moving] = []
        variables: list[weakref.ref[Any]] = []
        for owner, tensors in found.items():
            variable = _variable_behind(owner, tensors)
            if variable is not None:
                (key,) = tensors
                places.append(_place_of(key, variable, len(variables)))
                variables.append(weakref.ref(stands_for(variable)))
            elif owner is None:  # the graph of the objects
                places.extend(_read(tensors))
            elif tensors:
                moving = weakref.ref(_inside(owner))
                places.append(_Moving(moving, tuple(_read(tensors))))
        return cls(tuple(places), tuple(variables))

    @property
    def is_steady(self) -> bool:
        """Whether the values of variables are all that changes."""
        return not any(isinstance(place, _Moving) for place in self.places)

    @property
    def is_whole(self) -> bool:
        """Whether all objects are still there."""
        return all(
            reference() is not None
            for reference in (
                *self._variables,
                *(p.owner for p in self.places if isinstance(p, _Moving)),
            )
        )

    @property
    def variables(self) -> list[Any]:
        """The variables whose values are written."""
        return [reference() for reference in self._variables]

    def tensors(
        self, numbers: Mapping[int, int], *, anew: bool
    ) -> list[Tensor]:
        """All tensors.

        Args:
            numbers: The `id` of each variable → its index in a plan.
            anew: Read what is no variable again.
        """
        tensors: list[Tensor] = []
        for place in self.places:
            if isinstance(place, _Moving):
                tensors.extend(place.read() if anew else place.found)
            elif isinstance(place.content, int):
                variable = self._variables[place.content]()
                tensors.append(replace(place, content=numbers[id(variable)]))
            else:
                tensors.append(place)
        return tensors


@dataclass(frozen=True)
class _Moving:
    """A table, an iterator or another object that is no variable."""

    owner: weakref.ref[Any]
    found: tuple[Tensor, ...]

    def read(self) -> Iterable[Tensor]:
        # By a name: TensorFlow asks a root for its truth, and of a variable
        # that is its value.
        alone = tf.train.Checkpoint(owner=self.owner())
        found = alone._saver._gather_serialized_tensors()[0]
        own = next(
            tensors
            for owner, tensors in found.items()
            if _inside(owner) is self.owner()
        )
        for before, now in zip(self.found, _read(own), strict=True):
            yield replace(now, key=before.key)


def _inside(owner: Any) -> Any:
    """What a converter, for objects with savers of an older kind, is about."""
    return getattr(owner, "obj", owner)


def _variable_behind(owner: Any, tensors: Mapping[str, Any]) -> Any:
    """The variable, if its value is all that is written of an object."""
    owner = _inside(owner)
    # A variable of Keras 3 has TensorFlow's for a value.
    inside = owner if hasattr(owner, "read_value") else _value_of(owner)
    if len(tensors) != 1 or not hasattr(inside, "read_value"):
        return None
    ((key, tensor),) = tensors.items()
    is_plain = (
        key.endswith(_VALUE)
        and not isinstance(tensor, dict)
        and inside.shape.is_fully_defined()
        and inside.dtype.name in TYPES - {STRING}
    )
    return owner if is_plain else None


def _value_of(owner: Any) -> Any:
    return getattr(owner, "value", None)


def _place_of(key: str, variable: Any, index: int) -> Tensor:
    dtype = getattr(variable.dtype, "name", variable.dtype)
    return Tensor(key, dtype, tuple(variable.shape), index)


def _read(tensors: Mapping[str, Any]) -> Iterable[Tensor]:
    for key, found in tensors.items():
        if isinstance(found, dict):
            raise NotPlannable(f"{key!r} is a slice of a larger tensor")
        tensor = getattr(found, "tensor", found)
        if callable(tensor):
            tensor = tensor()
        if tensor is not None:  # None: a place without a value
            yield _constant(key, tensor)


def _constant(key: str, tensor: Any) -> Tensor:
    dtype = tensor.dtype.name
    if dtype not in TYPES:
        raise NotPlannable(f"{key!r} is of the type {dtype}")
    array = tensor.numpy()
    shape = tuple(tensor.shape)
    if dtype != STRING:
        return Tensor(key, dtype, shape, array.tobytes())
    strings = array.reshape(-1).tolist() if shape else [array]
    return Tensor(key, dtype, shape, EncodedStrings.of(strings))
