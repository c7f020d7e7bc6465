"""Which checkpoints to keep: the newest and the best ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kerascb.improvement import Direction, is_improvement

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Saved:
    """A checkpoint, as far as keeping it is concerned.

    Attributes:
        path: Where it is.
        value: Its monitored value; `None` without one.
    """

    path: str
    value: float | None = None


def superfluous(
    saved: Sequence[Saved],
    *,
    max_to_keep: int | None = None,
    keep_best: int | None = None,
    direction: Direction = Direction.MIN,
) -> list[str]:
    """The checkpoints that nothing asks to keep.

    Kept are the newest `max_to_keep`, the best `keep_best` wherever they are
    in the row, and always the very last. With `keep_best` alone that is the
    best ones and the last; with neither, everything.

    Of equal values the older one is better, as it is everywhere in kerascb;
    no value and NaN are never among the best.

    Args:
        saved: What there is, oldest first; of a path that was written twice
            only the last counts.
        max_to_keep: How many of the newest (≥ 1); `None` for no such wish.
        keep_best: How many of the best (≥ 1); `None` for no such wish.
        direction: Which way is better.

    Returns:
        The paths, oldest first.

    Example:
        >>> row = [Saved("a", 0.1), Saved("b", 0.3), Saved("c", 0.2)]
        >>> superfluous(row, max_to_keep=1, keep_best=1)
        ['b']
    """
    if max_to_keep is None and keep_best is None:
        return []
    written_last: dict[str, Saved] = {}
    for one in saved:
        written_last.pop(one.path, None)
        written_last[one.path] = one
    row = list(written_last.values())
    kept = {one.path for one in row[-max(max_to_keep or 1, 1) :]}
    kept |= {one.path for one in best_first(row, direction)[: keep_best or 0]}
    return [one.path for one in row if one.path not in kept]


def best_first(row: Sequence[Saved], direction: Direction) -> list[Saved]:
    """Those with a value, the best first.

    Args:
        row: Oldest first; so are equal ones in the result.
        direction: Which way is better.

    Example:
        >>> row = [Saved("a", 0.1), Saved("b", float("nan")), Saved("c", 0.3)]
        >>> [one.path for one in best_first(row, Direction.MAX)]
        ['c', 'a']
    """
    sign = 1 if direction is Direction.MIN else -1
    valued = [
        (sign * one.value, one)
        for one in row
        if one.value is not None and is_improvement(one.value, None, direction)
    ]
    return [one for _, one in sorted(valued, key=lambda pair: pair[0])]
