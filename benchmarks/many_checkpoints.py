"""Does the ten-thousandth checkpoint in a folder take longer than the first?

A tiny model, saved again and again under a name of its own, with a manifest.
"""

from __future__ import annotations

import tempfile
import time
from typing import TYPE_CHECKING

import kerascb
from benchmarks import budgets
from benchmarks.checkpoints import model_and_data
from benchmarks.results import CPU, WALL, Result, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

_COUNT = 10_000
_QUICK_COUNT = 40
_TINY_MB = 0.02
_GROWTH = 1.2


def run(*, quick: bool) -> Iterator[Result]:
    """Measures the first and the last saves of one fit.

    Args:
        quick: A few saves only, to see that it runs.
    """
    count = _QUICK_COUNT if quick else _COUNT
    group = count // 20
    model, x, y = model_and_data(_TINY_MB)
    model.train_on_batch(x, y)
    cpu_us: list[float] = []
    wall_us: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        callback = kerascb.ModelCheckpoint(
            f"{folder}/{{epoch:06d}}.weights.h5",
            save_weights_only=True,
            max_to_keep=count + 1,
        )
        callback.set_model(model)
        callback.on_train_begin()
        for epoch in range(count):
            wall_s, cpu_s = time.perf_counter(), time.process_time()
            callback.on_epoch_end(epoch, {"loss": 1.0})
            cpu_us.append((time.process_time() - cpu_s) * 1e6)
            wall_us.append((time.perf_counter() - wall_s) * 1e6)
        callback.on_train_end()
    first, last = f"first {group}", f"last {group}"
    rows = tuple(
        Row(name, tuple(cpu_us[part]), tuple(wall_us[part]))
        for name, part in (
            (first, slice(0, group)),
            (last, slice(-group, None)),
        )
    )
    result = Result(f"{count:,} checkpoints in a folder", "save", rows)
    yield result.judged(
        budgets.ratio(last, first, _GROWTH, clock) for clock in (CPU, WALL)
    )
