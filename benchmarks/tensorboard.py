"""What do curves by batch, and histograms, cost the training?"""

from __future__ import annotations

import importlib
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np

import kerascb
from benchmarks import budgets
from benchmarks.fits import (
    NO_STOCK_BOARD,
    Build,
    Fits,
    has_stock_board,
    stock,
)
from benchmarks.measure import Rival, measure
from benchmarks.results import CPU, WALL, Result
from kerascb import runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SHARE = 1 / 20
_WEIGHTS = 10_000_000
_QUICK_WEIGHTS = 10_000
_LAYERS = 4
_BATCH = 8
_STEPS = 5  # between two histograms, where whole fits are measured


def run(*, quick: bool) -> Iterator[Result]:
    """Measures curves by batch, sparse curves, and histograms.

    Args:
        quick: Few steps and weights, to see that it runs.
    """
    repeats = 1 if quick else 5
    shares = [
        budgets.added_share(row, "stock", _SHARE, clock)
        for row in ("kerascb", "kerascb list")
        for clock in (CPU, WALL)
    ]
    for freq, steps, asked in (("batch", 1000, shares), (1000, 5000, [])):
        rivals = Fits(10 if quick else steps).rivals(_board(freq))
        yield _measure(
            f"TensorBoard(update_freq={freq!r})",
            "step",
            rivals,
            repeats=repeats,
            budgets=asked,
        )
    yield from _measure_histograms(quick=quick)


def _measure(
    case: str, unit: str, rivals: dict[str, Rival], **how: Any
) -> Result:
    if has_stock_board():
        return measure(case, unit, rivals, **how)
    del rivals["stock"]
    return measure(case, unit, rivals, **how, note=NO_STOCK_BOARD)


def _board(update_freq: int | str) -> Build:
    return lambda classes, folder: [
        classes.TensorBoard(str(folder / "logs"), update_freq=update_freq)
    ]


def _measure_histograms(*, quick: bool) -> Iterator[Result]:
    count = _QUICK_WEIGHTS if quick else _WEIGHTS
    repeats = 1 if quick else 5
    model, x, y = _model_and_data(count)
    model.train_on_batch(x, y)
    name = f"histograms of {count / 1e6:g} M weights"
    kinds = {"stock": stock().TensorBoard, "kerascb": kerascb.TensorBoard}
    if not has_stock_board():
        del kinds["stock"]
    with tempfile.TemporaryDirectory() as folder:
        yield measure(
            f"{name}: hold",
            "epoch",
            {
                row: _held(kind, f"{folder}/hold-{row}", model, x, y)
                for row, kind in kinds.items()
            },
            budgets=[budgets.ratio("kerascb", "stock", _SHARE, WALL)],
            repeats=repeats,
        )
        fits: dict[str, Callable[[], int]] = {"bare": _fit(model, x, y, list)}
        for row, kind in kinds.items():
            make = _maker(kind, f"{folder}/fit-{row}")
            fits[row] = _fit(model, x, y, make)
        yield measure(f"{name}: fit", "epoch", fits, repeats=repeats)


def _maker(kind: Any, folder: str) -> Callable[[], list[Any]]:
    return lambda: [kind(folder, histogram_freq=1, write_graph=False)]


def _held(kind: Any, folder: str, model: Any, x: Any, y: Any) -> Rival:
    """The ends of epochs, of which each begins when all is written."""
    ready: list[Any] = []

    def prepare() -> None:
        [board] = _maker(kind, folder)()
        board.set_params({"epochs": 1, "steps": 1, "verbose": 0})
        board.set_model(model)
        board.on_train_begin()
        board.on_epoch_begin(0)
        # Every value is another than last time.
        model.train_on_batch(x, y)
        ready.append(board)

    def work() -> int:
        ready[0].on_epoch_end(0, {"loss": 0.5})
        return 1

    def settle() -> None:
        ready.pop().on_train_end()

    return Rival(work, prepare, settle)


def _fit(
    model: Any, x: Any, y: Any, callbacks: Callable[[], list[Any]]
) -> Callable[[], int]:
    def work() -> int:
        model.fit(
            np.tile(x, (_STEPS, 1)),
            np.tile(y, (_STEPS, 1)),
            batch_size=_BATCH,
            epochs=2,
            verbose=0,
            callbacks=callbacks(),
        )
        return 2

    return work


def _model_and_data(weights: int) -> tuple[Any, Any, Any]:
    keras = importlib.import_module(runtime.in_force().package)
    width = int((weights / _LAYERS) ** 0.5)
    model = keras.Sequential(
        [
            keras.layers.Input((width,)),
            *(keras.layers.Dense(width) for _ in range(_LAYERS)),
        ]
    )
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(_BATCH, width)).astype("float32")
    return model, x, x
