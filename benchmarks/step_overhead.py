"""What does each callback, with default arguments, add to a training step?

Each row fits the same model on the same data for the same number of steps:
bare, with stock's callback, with kerascb's, and with kerascb's in its own list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.fits import NO_STOCK_BOARD, STACK, Fits, has_stock_board
from benchmarks.measure import measure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.results import Result

_QUICK_NAMES = ("TerminateOnNaN", "TensorBoard")


def run(*, quick: bool) -> Iterator[Result]:
    """Measures one callback of the stack after another.

    Args:
        quick: A few steps only, to see that it runs.
    """
    steps, repeats = (10, 1) if quick else (2000, 5)
    fits = Fits(steps)
    for name in _QUICK_NAMES if quick else STACK:
        rivals, note = fits.rivals(STACK[name]), ""
        if name == "TensorBoard" and not has_stock_board():
            del rivals["stock"]
            note = NO_STOCK_BOARD
        yield measure(
            f"step: {name}",
            "step",
            rivals,
            repeats=repeats,
            note=note,
        )
