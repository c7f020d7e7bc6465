"""What both sources take, and how many batches it makes."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import Any

from kerascb.errors import InvalidArgument

_SEEDS = 2**63


@dataclass(frozen=True)
class Plan:
    """How samples are put into batches.

    Attributes:
        size: How many samples there are (≥ 1).
        batch_size: How many a batch has (≥ 1).
        seed: What the order is made of (0 ≤ seed < 2⁶³).
        shuffle: Whether there is another order than that of the indices.
        drop_remainder: Whether a last batch that is smaller is left out.

    Raises:
        InvalidArgument: If a number is none, or out of its range, or if there
            is no batch.
    """

    size: int
    batch_size: int
    seed: int
    shuffle: bool
    drop_remainder: bool

    def __post_init__(self) -> None:
        _check("size", self.size, 1)
        _check("batch_size", self.batch_size, 1)
        _check("seed", self.seed, 0, _SEEDS - 1)
        if self.steps == 0:
            raise InvalidArgument(
                f"There is no whole batch: got size={self.size} and "
                f"batch_size={self.batch_size} with drop_remainder=True. Make "
                "the batches smaller, or keep the remainder."
            )

    @property
    def steps(self) -> int:
        """How many batches a pass has."""
        if self.drop_remainder:
            return self.size // self.batch_size
        return math.ceil(self.size / self.batch_size)


def _check(name: str, value: Any, low: int, high: int | None = None) -> None:
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    is_good = number is not None and not isinstance(value, bool)
    if is_good and low <= value and (high is None or value <= high):
        return
    at_most = "" if high is None else f" and at most {high}"
    raise InvalidArgument(
        f"{name} must be a whole number of at least {low}{at_most}; got "
        f"{name}={value!r}."
    )
