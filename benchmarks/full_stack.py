"""What does the full stack, with default arguments, add to a training step?

One model, one set of data, 5,000 steps a fit: without callbacks, with stock's,
with kerascb's in a plain `fit`, in `kerascb.CallbackList` and under
`kerascb.install()`; "+ bar" with a progress bar on a terminal besides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import kerascb
from benchmarks import backends, budgets, screens
from benchmarks.fits import (
    NO_STOCK_BOARD,
    STACK,
    Fits,
    common_stack,
    has_stock_board,
    stock,
)
from benchmarks.fits import together as one_list
from benchmarks.measure import measure
from benchmarks.results import CPU, WALL, Budget, Result
from kerascb import runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

_ADDED_SHARE = 1 / 10
_ADDED_US = 10  # on Keras 2, where TerminateOnNaN reads a scalar
_THROUGHPUT = 0.99  # of the bare loop, on a GPU


def run(*, quick: bool) -> Iterator[Result]:
    """Measures all rows in one run.

    Args:
        quick: A few steps only, to see that it runs.
    """
    steps, repeats = (10, 1) if quick else (5000, 5)
    fits = Fits(steps)
    build = one_list(common_stack())
    bar = screens.terminal
    rivals = {
        "bare": fits.bare(),
        "bare + bar": fits.bare(bar),
        "stock": fits.rival(build, stock()),
        "stock + bar": fits.rival(build, stock(), bar),
        "kerascb": fits.rival(build, kerascb),
        "kerascb list": fits.in_list(build),
        "list + bar": fits.in_list(build, bar),
        "install + bar": fits.installed(build, bar),
    }
    if not has_stock_board():
        whole = one_list(STACK)
        rivals["list + bar + board"] = fits.in_list(whole, bar)
    yield measure(
        "full stack",
        "step",
        rivals,
        repeats=repeats,
        budgets=_budgets(),
        note="" if has_stock_board() else NO_STOCK_BOARD,
    )


def _budgets() -> Iterator[Budget]:
    if backends.device() == "gpu":
        yield budgets.ratio("kerascb list", "bare", 1 / _THROUGHPUT, WALL)
    for clock in (CPU, WALL):
        if runtime.in_force().name == "keras2":
            yield budgets.added_us("kerascb", _ADDED_US, clock)
            continue
        yield budgets.added_share("kerascb", "stock", _ADDED_SHARE, clock)
        for row in ("list + bar", "install + bar", "list + bar + board"):
            yield budgets.ratio(row, "bare", 1.0, clock)
