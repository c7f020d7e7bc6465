"""All that a run is at one step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kerascb.checkpoint.snapshot import settle
from kerascb.runtime import FrozenArray, Position

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kerascb.checkpoint.snapshot import Arena
    from kerascb.runtime import FrozenValue

_VERSION = 1


@dataclass(frozen=True)
class RunState:
    """What it takes to go on with a run as if nothing had happened.

    Attributes:
        position: Where to go on.
        variables: Name → value of everything that `fit` changes.
        callbacks: Callback → what it remembers; see `Callback.get_state`.
        random: The states of random generators.
        data: Where the run is in its data.
        facts: What is good to know of it: versions, time, the model's name.
    """

    position: Position
    variables: dict[str, FrozenValue]
    callbacks: Mapping[str, Any] = field(default_factory=dict)
    random: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def settle(self, arena: Arena) -> None:
        """Lets go of the memory that values share with variables.

        See `Snapshot.settle`.

        Args:
            arena: Where to keep the values from now on.
        """
        values = list(self.variables.values())
        settle(values, arena)
        self.variables.update(zip(self.variables, values, strict=True))

    def to_state(self) -> dict[str, Any]:
        """The same as one dict, for `state_archive.encode`."""
        return {
            "kerascb": _VERSION,
            "epoch": self.position.epoch,
            "batch": self.position.batch,
            "facts": dict(self.facts),
            "callbacks": dict(self.callbacks),
            "random": dict(self.random),
            "data": dict(self.data),
            "variables": self.variables,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> RunState:
        """What `to_state` has said.

        Args:
            state: The dict.

        Raises:
            ValueError: If it is none of these, or of a kerascb to come.
        """
        version = state.get("kerascb")
        if version != _VERSION:
            raise ValueError(
                "it is no backup of a run"
                if version is None
                else f"it is of layout {version}, and this kerascb knows "
                f"layout {_VERSION}: install a newer one"
            )
        return cls(
            position=Position(state["epoch"], state["batch"]),
            variables={
                name: FrozenArray(array)
                for name, array in state["variables"].items()
            },
            callbacks=state["callbacks"],
            random=state["random"],
            data=state["data"],
            facts=state["facts"],
        )


def difference(
    backup: Mapping[str, Any], model: Mapping[str, Any]
) -> str | None:
    """Why the values of a backup are none for a model.

    Args:
        backup: Name → value, or whatever has a `shape` and a `dtype`.
        model: Name → variable, likewise.

    Returns:
        A clause that names the first difference; `None` if there is none.

    Example:
        >>> import numpy as np
        >>> difference({"w": np.zeros(3)}, {"w": np.zeros((3, 2))})
        "the variable 'w' has shape (3,) in the backup, (3, 2) in the model"
    """
    for name, variable in model.items():
        if name not in backup:
            return (
                f"the model has the variable {name!r} of shape "
                f"{_shape(variable)}, the backup has none of that name"
            )
        value = backup[name]
        if not _holds(_shape(variable), _shape(value)):
            return (
                f"the variable {name!r} has shape {_shape(value)} in the "
                f"backup, {_shape(variable)} in the model"
            )
        if _dtype(value) != _dtype(variable):
            return (
                f"the variable {name!r} is of type {_dtype(value)} in the "
                f"backup, {_dtype(variable)} in the model"
            )
    for name, value in backup.items():
        if name not in model:
            return (
                f"the backup has the variable {name!r} of shape "
                f"{_shape(value)}, the model has none of that name"
            )
    return None


def _shape(value: Any) -> tuple[int | None, ...]:
    return tuple(value.shape)


def _holds(
    shape: tuple[int | None, ...], value: tuple[int | None, ...]
) -> bool:
    """Whether a variable, maybe of an open shape, can have such a value."""
    return len(shape) == len(value) and all(
        ours in {None, theirs}
        for ours, theirs in zip(shape, value, strict=True)
    )


def _dtype(value: Any) -> str:
    """The name of a type: that of a string of it, of NumPy's, TensorFlow's."""
    name = str(getattr(value.dtype, "name", value.dtype))
    return "object" if name == "string" else name
