"""Does the hundred-thousandth step take longer, or more memory, than the first?

One long epoch with the full stack, looked at from its source of data, so that
looking adds nothing to the callbacks. `growth_list` is the rest of it.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kerascb
from benchmarks import budgets
from benchmarks.fits import (
    NO_STOCK_BOARD,
    STACK,
    common_stack,
    forget_backups,
    has_stock_board,
    repeated,
    small_data,
    small_model,
    stock,
    together,
)
from benchmarks.results import CPU, WALL, Result, Row

STEPS = 100_000
QUICK_STEPS = 200
GROWTH = 1.05
FIRST, LAST = "first tenth", "last tenth"

_GROWTH_BYTES = 5_000_000  # 50 bytes a step
_TENTH = 10  # marks in a tenth of a fit
_WARM = 2  # marks not looked at

Make = Callable[[Path, int], Any]


def run(*, quick: bool) -> Iterator[Result]:
    """Measures the tenths of a fit: bare, stock's stack, ours.

    Args:
        quick: Few steps only, to see that it runs.
    """
    steps = QUICK_STEPS if quick else STEPS
    build = together(common_stack())
    yield grown("bare", steps, lambda folder, steps: [])
    yield grown("stock", steps, lambda folder, steps: build(stock(), folder))
    whole = together(STACK)
    yield grown("kerascb", steps, lambda folder, steps: whole(kerascb, folder))


def grown(name: str, steps: int, callbacks: Make) -> Result:
    """The first and the last tenth of one fit.

    Args:
        name: What is measured.
        steps: Steps of the fit (≥ 200).
        callbacks: Makes what the fit gets; takes a folder and the steps.
    """
    model = small_model()
    x, y = small_data(1)
    model.fit(repeated(x, y, 3), verbose=0)
    marks = _Marks(steps)
    with tempfile.TemporaryDirectory() as folder:
        model.fit(
            repeated(x, y, steps, marks.tell),
            shuffle=False,
            verbose=0,
            callbacks=callbacks(Path(folder), steps),
        )
    forget_backups(model)
    rows = (marks.row(FIRST, 1), marks.row(LAST, 10))
    is_less = name == "stock" and not has_stock_board()
    return Result(f"{steps:,} steps: {name}", "step", rows).judged(
        [
            budgets.ratio(LAST, FIRST, GROWTH, CPU),
            budgets.ratio(LAST, FIRST, GROWTH, WALL),
            budgets.added_memory(LAST, FIRST, _GROWTH_BYTES),
        ],
        NO_STOCK_BOARD if is_less else "",
    )


@dataclass
class _Marks:
    """Notes time and memory at a hundred places of an epoch.

    Attributes:
        steps: Steps of the epoch.
    """

    steps: int
    _cpu_s: dict[int, float] = field(default_factory=dict)
    _wall_s: dict[int, float] = field(default_factory=dict)
    _memory: dict[int, int] = field(default_factory=dict)

    @property
    def _every(self) -> int:
        return self.steps // (10 * _TENTH)

    def tell(self, step: int) -> None:
        """Hears that a batch is fetched; the last time counts."""
        if step % self._every:
            return
        mark = step // self._every
        self._cpu_s[mark] = time.process_time()
        self._wall_s[mark] = time.perf_counter()
        self._memory[mark] = resident_bytes()

    def row(self, name: str, tenth: int) -> Row:
        """The time a step of one tenth, and the memory at its end.

        Args:
            name: The name of the row.
            tenth: Which, from 1 to 10.
        """
        end = tenth * _TENTH - 1
        begin = end - _TENTH + 1 + _WARM
        return Row(
            name,
            self._a_step_us(self._cpu_s, begin, end),
            self._a_step_us(self._wall_s, begin, end),
            self._memory[end],
        )

    def _a_step_us(
        self, clock_s: dict[int, float], begin: int, end: int
    ) -> tuple[float, ...]:
        return tuple(
            (clock_s[mark + 1] - clock_s[mark]) / self._every * 1e6
            for mark in range(begin, end)
        )


def resident_bytes() -> int:
    """The memory this process holds now; 0 where that cannot be read."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
