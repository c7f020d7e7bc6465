"""What does `save_freq="auto"` cost, and how much work can a kill lose?

Three models of different size and step time, each in one fit. What the backups
cost is added up within that fit: the time their hook holds the training thread,
and what the steps beside their writing take longer than the others. A machine
that is slower for a while does not look like a backup then. The bare fit has
the same two clocks.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

import kerascb
from benchmarks.checkpoints import QUICK_STATE_MB, STATE_MB, model_and_data
from benchmarks.fits import forget_backups, repeated
from benchmarks.measure import Took, row
from benchmarks.results import Budget, Result

if TYPE_CHECKING:
    from collections.abc import Iterator

_OVERHEAD = 0.03
_MOST_LOST_S = 60
_LOOK_S = 0.02

# Size of the state in MB, batches put together to one step.
_MODELS = ((0.02, 1), (20, 1), (STATE_MB, 4))
_FIT_S, _BARE_FIT_S = 100.0, 40.0
_QUICK_FIT_S = 0.1


def run(*, quick: bool) -> Iterator[Result]:
    """Measures one model after another.

    Args:
        quick: One small model in short fits, to see that it runs.
    """
    models = ((QUICK_STATE_MB, 1),) if quick else _MODELS
    fit_s = _QUICK_FIT_S if quick else _FIT_S
    bare_s = _QUICK_FIT_S if quick else _BARE_FIT_S
    for state_mb, batches in models:
        model, x, y = model_and_data(state_mb)
        x, y = np.tile(x, (batches, 1)), np.tile(y, (batches, 1))
        step_s = _step_s(model, x, y, fit_s / 20)
        bare, _ = _fit(model, x, y, max(int(bare_s / step_s), 5))
        auto, fit = _fit(
            model, x, y, max(int(fit_s / step_s), 5), is_backed_up=True
        )
        rows = (row("bare", [bare]), row("kerascb", [auto]))
        yield Result(f"auto, {state_mb:g} MB", "step", rows).judged(
            _budgets(fit),
            f"a step takes {step_s * 1e3:.3g} ms; {len(fit.seen)} backups, "
            "each row one fit",
        )


def _budgets(fit: _Fit) -> list[Budget]:
    rows = ("kerascb",)
    return [
        Budget(
            "backups cost, of the fit's time",
            _OVERHEAD,
            lambda result: fit.cost_share,
            rows,
        ),
        Budget(
            "longest work a kill loses",
            _MOST_LOST_S,
            lambda result: max(fit.lost_s),
            rows,
            "s",
        ),
    ]


def _step_s(model: Any, x: Any, y: Any, at_least_s: float) -> float:
    """How long a step takes within a fit of some length."""
    steps = 8
    model.fit(repeated(x, y, steps), verbose=0)
    while True:
        start_s = time.perf_counter()
        model.fit(repeated(x, y, steps), verbose=0)
        took_s = time.perf_counter() - start_s
        if took_s > at_least_s:
            return took_s / steps
        steps *= 4


def _fit(
    model: Any, x: Any, y: Any, steps: int, *, is_backed_up: bool = False
) -> tuple[Took, _Fit]:
    forget_backups(model)
    before, after = _Clock(), _Clock()
    with tempfile.TemporaryDirectory() as place, _Watch(place) as watch:
        backup = [
            kerascb.BackupAndRestore(
                place, save_freq="auto", overhead=_OVERHEAD
            )
        ]
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        model.fit(
            repeated(x, y, steps),
            shuffle=False,
            verbose=0,
            callbacks=[before, *(backup if is_backed_up else []), after],
        )
        cpu_s, wall_s = (
            time.process_time() - cpu_s,
            time.perf_counter() - wall_s,
        )
    fit = _Fit(np.array(before.times_s), np.array(after.times_s), watch.seen)
    return Took(steps, cpu_s, wall_s), fit


class _Clock(kerascb.Callback):
    """Notes when the batches end, as seen from its place in the list."""

    def __init__(self) -> None:
        super().__init__()
        self.times_s: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Notes the time."""
        del batch, logs
        self.times_s.append(time.perf_counter())


@dataclass(frozen=True)
class _Fit:
    """One fit, as its clocks and the watch have seen it.

    Attributes:
        before: When each batch ended, before the hook of the backups.
        after: … and after it.
        seen: When each backup had become visible.
    """

    before: Any
    after: Any
    seen: list[float]

    @property
    def _taken(self) -> list[int]:
        """The step after which the state of each backup was taken.

        It is the one whose hook took longest since the backup before.
        """
        held_s = self.after - self.before
        ends = [0, *np.searchsorted(self.after, self.seen)]
        return [
            begin + int(np.argmax(held_s[begin:end]))
            for begin, end in itertools.pairwise(ends)
            if end > begin
        ]

    @property
    def cost_share(self) -> float:
        """What the backups cost, of the fit's time."""
        steps_s = self.before[1:] - self.after[:-1]
        beside = [
            slice(taken, int(np.searchsorted(self.after, seen_s)))
            for taken, seen_s in zip(self._taken, self.seen, strict=False)
        ]
        is_alone = np.ones(len(steps_s), bool)
        for part in beside:
            is_alone[part] = False
        alone_s = float(np.median(steps_s[is_alone]))
        slowed_s = sum(_slowed_s(steps_s[part], alone_s) for part in beside)
        held_s = (self.after - self.before)[self._taken].sum()
        return float((held_s + slowed_s) / (self.after[-1] - self.before[0]))

    @property
    def lost_s(self) -> list[float]:
        """The work that a kill right before each backup would have lost.

        And one at the end of the fit.
        """
        safe_s = [float(self.before[step]) for step in (0, *self._taken)]
        ends_s = [*self.seen, float(self.after[-1])]
        return [
            end_s - begin_s
            for begin_s, end_s in zip(safe_s, ends_s, strict=False)
        ]


def _slowed_s(steps_s: Any, alone_s: float) -> float:
    """What steps beside a backup's writing took longer than others.

    The first is looked at by itself: there the state is copied, where that is
    left until training changes it. Of the rest the median counts, so that a
    step that something else held up does not.

    Args:
        steps_s: The steps, in order.
        alone_s: How long a step takes otherwise.
    """
    if not len(steps_s):
        return 0.0
    first_s, others_s = float(steps_s[0]), steps_s[1:]
    slowed_s = first_s - alone_s
    if len(others_s):
        slowed_s += len(others_s) * (float(np.median(others_s)) - alone_s)
    return slowed_s


@dataclass
class _Watch:
    """Sees from another thread when a backup becomes visible.

    Attributes:
        place: The folder of the backups.
        seen: When that was.
    """

    place: str
    seen: list[float] = field(default_factory=list)
    _is_over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> _Watch:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._is_over.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        known = None
        while not self._is_over.wait(_LOOK_S):
            written = _written_at(self.place)
            if written not in (None, known):
                known = written
                self.seen.append(time.perf_counter())


def _written_at(place: str) -> int | None:
    try:
        return os.stat(os.path.join(place, "latest.npz")).st_mtime_ns
    except OSError:
        return None
