"""Interleaved measurements of rivals that do the same work."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from benchmarks.results import Budget, Result, Row


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Took:
    """What work took that has measured itself, in another process say.

    Attributes:
        units: How many units it was.
        cpu_s: CPU time, in seconds.
        wall_s: Wall time, in seconds.
        memory_bytes: What it needed of memory, if that was looked at.
    """

    units: int
    cpu_s: float
    wall_s: float
    memory_bytes: int = 0


Work = Callable[[], "int | Took"]


@dataclass(frozen=True)
class Rival:
    """Work to measure, and what belongs to it but is not measured.

    Attributes:
        work: Does it and returns how many units it was, or what it took.
        prepare: Called before, unmeasured.
        settle: Called after, unmeasured.
    """

    work: Work
    prepare: Callable[[], object] = _nothing
    settle: Callable[[], object] = _nothing


def measure(
    case: str,
    unit: str,
    rivals: Mapping[str, Work | Rival],
    *,
    repeats: int,
    budgets: Iterable[Budget] = (),
    note: str = "",
) -> Result:
    """Measures rivals in turn, so that a drift of the machine hits them all.

    Each repeat begins with another rival, so that none always comes after the
    same one.

    Args:
        case: The name of the case.
        unit: What a rival returns the number of.
        rivals: Name → does the work.
        repeats: Measurements of each (≥ 1). If there are several, each rival
            is run once more, unmeasured, to begin with.
        budgets: What is asked of it.
        note: What a reader has to know besides.
    """
    entrants = {
        name: work if isinstance(work, Rival) else Rival(work)
        for name, work in rivals.items()
    }
    taken: dict[str, list[Took]] = {name: [] for name in rivals}
    names = list(rivals)
    if repeats > 1:
        for name in names:
            _took(entrants[name])
    for repeat in range(repeats):
        first = repeat % len(names)
        for name in names[first:] + names[:first]:
            taken[name].append(_took(entrants[name]))
    rows = tuple(row(name, taken[name]) for name in names)
    return Result(case, unit, rows).judged(budgets, note)


def row(name: str, taken: Iterable[Took]) -> Row:
    """The row of some measurements of the same work.

    Args:
        name: The name of the row.
        taken: What each took; at least one.
    """
    taken = list(taken)
    return Row(
        name,
        tuple(one.cpu_s / one.units * 1e6 for one in taken),
        tuple(one.wall_s / one.units * 1e6 for one in taken),
        max(one.memory_bytes for one in taken),
    )


def _took(rival: Rival) -> Took:
    rival.prepare()
    gc.collect()
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    done = rival.work()
    cpu_s = time.process_time() - cpu_s
    wall_s = time.perf_counter() - wall_s
    rival.settle()
    return done if isinstance(done, Took) else Took(done, cpu_s, wall_s)
