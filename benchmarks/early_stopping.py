"""How long does a new best epoch hold the training thread?

Both keep the weights of the best epoch, as `restore_best_weights=True` asks.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import kerascb
from benchmarks import budgets
from benchmarks.checkpoints import QUICK_STATE_MB, STATE_MB, model_and_data
from benchmarks.fits import stock
from benchmarks.measure import Rival, measure
from benchmarks.results import WALL, Result

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHARE = 1 / 20


def run(*, quick: bool) -> Iterator[Result]:
    """Measures improvements, one after another.

    Args:
        quick: A small model and one repeat, to see that it runs.
    """
    state_mb = QUICK_STATE_MB if quick else STATE_MB
    model, x, y = model_and_data(state_mb)
    model.train_on_batch(x, y)

    def rival(kind: Any) -> Rival:
        callback = kind("loss", mode="min", restore_best_weights=True)
        callback.set_model(model)
        callback.on_train_begin()
        losses = itertools.count(0.0, -1.0)

        def work() -> int:
            callback.on_epoch_end(0, {"loss": next(losses)})
            return 1

        return Rival(work, lambda: model.train_on_batch(x, y))

    yield measure(
        f"EarlyStopping, {state_mb:g} MB: new best",
        "epoch",
        {
            "stock": rival(stock().EarlyStopping),
            "kerascb": rival(kerascb.EarlyStopping),
        },
        repeats=1 if quick else 7,
        budgets=[budgets.ratio("kerascb", "stock", _SHARE, WALL)],
    )
