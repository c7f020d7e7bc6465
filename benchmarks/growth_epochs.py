"""Does the ten-thousandth epoch take longer to record than the first?

A list's epoch hooks are called with the logs of an epoch, without training.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kerascb
from benchmarks import budgets
from benchmarks.fits import (
    METRICS,
    NO_STOCK_BOARD,
    STACK,
    Build,
    has_stock_board,
    small_data,
    small_model,
    stock,
)
from benchmarks.growth_steps import GROWTH, resident_bytes
from benchmarks.measure import Took, row
from benchmarks.results import CPU, WALL, Result
from kerascb import runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

_EPOCHS = 10_000
_QUICK_EPOCHS = 40
_SAMPLES = 20  # in a tenth

_RECORDERS: dict[str, Build] = {
    "History": lambda classes, folder: [classes.History()],
    "CSVLogger": STACK["CSVLogger"],
    "TensorBoard": STACK["TensorBoard"],
}


def run(*, quick: bool) -> Iterator[Result]:
    """Measures the first and the last tenth of the epochs.

    Args:
        quick: Few epochs only, to see that it runs.
    """
    epochs = _QUICK_EPOCHS if quick else _EPOCHS
    model = small_model()
    model.fit(*small_data(1), verbose=0)
    kinds = {"stock": stock(), "kerascb": kerascb}
    for name, build in _RECORDERS.items():
        lacks_stock = name == "TensorBoard" and not has_stock_board()
        rows = []
        for kind, classes in kinds.items():
            if kind == "stock" and lacks_stock:
                continue
            with tempfile.TemporaryDirectory() as folder:
                callbacks = build(classes, Path(folder))
                first, last = _tenths(model, callbacks, epochs)
            rows += [row(_first(kind), first), row(_last(kind), last)]
        yield Result(f"{epochs:,} epochs: {name}", "epoch", tuple(rows)).judged(
            [
                budgets.ratio(_last(kind), _first(kind), GROWTH, clock)
                for kind in kinds
                for clock in (CPU, WALL)
            ],
            NO_STOCK_BOARD if lacks_stock else "",
        )


def _first(kind: str) -> str:
    return f"{kind}, first"


def _last(kind: str) -> str:
    return f"{kind}, last"


def _tenths(
    model: Any, callbacks: list[Any], epochs: int
) -> tuple[list[Took], list[Took]]:
    """What groups of epochs took, in the first tenth and in the last."""
    kind = runtime.in_force().stock("CallbackList")
    driven = kind(callbacks, model=model, epochs=epochs, steps=1, verbose=0)
    names = ["loss", *(f"metric_{number}" for number in range(METRICS))]
    group = max(epochs // 10 // _SAMPLES, 1)
    driven.on_train_begin()
    taken = []
    for begin in range(0, epochs, group):
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        for epoch in range(begin, begin + group):
            driven.on_epoch_begin(epoch)
            driven.on_epoch_end(epoch, dict.fromkeys(names, 0.5))
        cpu_s, wall_s = (
            time.process_time() - cpu_s,
            time.perf_counter() - wall_s,
        )
        taken.append(Took(group, cpu_s, wall_s, resident_bytes()))
    driven.on_train_end()
    tenth = len(taken) // 10
    # The very first opens files.
    return taken[1 : tenth + 1], taken[-tenth:]
