"""What plans of checkpoints are made from, whichever Keras it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascb.layouts.legacy_hdf5 import Tensor
from kerascb.layouts.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import numpy as np

    from kerascb.layouts.plan import FileLayout

Place = tuple[tuple[int, ...], "np.dtype[Any]"]
"""The shape and the NumPy dtype of a value."""


class Variables:
    """Variables in the order they are met, every one once.

    Args:
        place_of: Says what place the value of a variable takes; raises
            `NotPlannable` where that is not fixed.

    Example:
        >>> import numpy as np
        >>> ones = np.ones((2, 3), "float32")
        >>> variables = Variables(lambda one: (one.shape, one.dtype))
        >>> variables.tensor("ones", ones)
        Tensor(name='ones', shape=(2, 3), dtype=dtype('float32'), index=0)
        >>> len(variables), variables.index(ones)
        (1, 0)
    """

    def __init__(self, place_of: Callable[[Any], Place]) -> None:
        self._place_of = place_of
        self._variables: list[Any] = []
        self._indices: dict[int, int] = {}

    def __iter__(self) -> Iterator[Any]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)

    def index(self, variable: Any) -> int:
        """Which value of the plan is the variable's."""
        index = self._indices.setdefault(id(variable), len(self._variables))
        if index == len(self._variables):
            self._variables.append(variable)
        return index

    def tensor(self, name: str, variable: Any) -> Tensor:
        """Describes the place a variable takes.

        Args:
            name: What it is called in the file.
            variable: The variable.

        Raises:
            NotPlannable: If it has no value of a fixed size.
        """
        shape, dtype = self._place_of(variable)
        return Tensor(name, shape, dtype, self.index(variable))


def plan_of(
    layout: FileLayout, variables: Iterable[Any], seeds: Sequence[Any]
) -> Plan:
    """The plan of a checkpoint that is one file.

    Args:
        layout: The file.
        variables: Whose values go into it, in their order.
        seeds: States of random generators; they are among the variables.
    """
    planned = tuple(variables)
    index = {id(variable): i for i, variable in enumerate(planned)}
    return Plan(
        variables=planned,
        files={"": layout},
        seeds=tuple(index[id(seed)] for seed in seeds),
    )
