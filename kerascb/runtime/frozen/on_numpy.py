"""Frozen values of the variables of Keras's NumPy backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.runtime.frozen import FrozenArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kerascb.runtime.frozen import FrozenValue


def freeze(variables: Sequence[Any], device: str | None) -> list[FrozenValue]:
    """Copies them; there is no device but the host."""
    del device
    return [FrozenArray(np.array(one.value)) for one in variables]


def thaw(variables: Sequence[Any], values: Sequence[FrozenValue]) -> None:
    """Copies them back, since Keras keeps the array it is given."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(np.array(value.array()))
