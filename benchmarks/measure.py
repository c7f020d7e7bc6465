"""Interleaved measurements of rivals that do the same work."""

from __future__ import annotations

import gc
import importlib.metadata
import json
import os
import platform
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Rival:
    """Work to measure, and what belongs to it but is not measured.

    Attributes:
        work: Does it and returns how many units it was.
        prepare: Called before, unmeasured.
        settle: Called after, unmeasured.
    """

    work: Callable[[], int]
    prepare: Callable[[], object] = _nothing
    settle: Callable[[], object] = _nothing


@dataclass(frozen=True)
class Row:
    """What one rival took, over all repeats.

    Attributes:
        name: `"bare"`, `"stock"`, `"kerascb"` or another.
        cpu_us: Median CPU time a unit of work, in microseconds.
        wall_us: Median wall time a unit of work, in microseconds.
        spread_us: Distance between the quartiles of the CPU time.
        wall_spread_us: Distance between the quartiles of the wall time.
        repeats: How many measurements the medians are of.
        peak_bytes: The most memory its process had; 0 if that was not asked.
    """

    name: str
    cpu_us: float
    wall_us: float
    spread_us: float
    wall_spread_us: float
    repeats: int
    peak_bytes: int = 0


@dataclass(frozen=True)
class Result:
    """A case, measured.

    Attributes:
        case: Its name.
        unit: What the times are of.
        rows: One a rival, in the order given.
    """

    case: str
    unit: str
    rows: tuple[Row, ...]

    def added_us(self, name: str) -> float:
        """What a rival adds to the first row, in microseconds of CPU."""
        by_name = {row.name: row for row in self.rows}
        return by_name[name].cpu_us - self.rows[0].cpu_us


def measure(
    case: str,
    unit: str,
    rivals: Mapping[str, Callable[[], int] | Rival],
    *,
    repeats: int,
) -> Result:
    """Measures rivals in turn, so that a drift of the machine hits them all.

    Args:
        case: The name of the case.
        unit: What a rival returns the number of.
        rivals: Name → does the work and returns how many units it was. Each
            is run once more, unmeasured, to begin with.
        repeats: Measurements of each (≥ 1).
    """
    entrants = {
        name: work if isinstance(work, Rival) else Rival(work)
        for name, work in rivals.items()
    }
    cpu: dict[str, list[float]] = {name: [] for name in rivals}
    wall: dict[str, list[float]] = {name: [] for name in rivals}
    for repeat in range(repeats + 1):
        for name, entrant in entrants.items():
            entrant.prepare()
            gc.collect()
            wall_s, cpu_s = time.perf_counter(), time.process_time()
            units = entrant.work()
            cpu_s = time.process_time() - cpu_s
            wall_s = time.perf_counter() - wall_s
            entrant.settle()
            if repeat:
                cpu[name].append(cpu_s / units * 1e6)
                wall[name].append(wall_s / units * 1e6)
    rows = tuple(
        Row(
            name=name,
            cpu_us=statistics.median(cpu[name]),
            wall_us=statistics.median(wall[name]),
            spread_us=spread(cpu[name]),
            wall_spread_us=spread(wall[name]),
            repeats=repeats,
        )
        for name in rivals
    )
    return Result(case, unit, rows)


def table(results: list[Result]) -> str:
    """The results as text, a line a row."""
    lines = [
        f"{'case':<30}{'row':<14}{'CPU':>10}{'spread':>9}{'wall':>10}"
        f"{'spread':>9}{'adds CPU':>10}{'peak':>9}  per"
    ]
    lines += [
        f"{result.case:<30}{row.name:<14}{_time(row.cpu_us):>10}"
        f"{_time(row.spread_us):>9}{_time(row.wall_us):>10}"
        f"{_time(row.wall_spread_us):>9}"
        f"{_time(result.added_us(row.name)):>10}{_memory(row.peak_bytes):>9}"
        f"  {result.unit}"
        for result in results
        for row in result.rows
    ]
    return "\n".join(lines)


def _time(us: float) -> str:
    if abs(us) < 10_000:  # noqa: PLR2004 - up to four digits
        return f"{us:.1f} µs"
    return f"{us / 1e3:.1f} ms"


def _memory(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size else ""


def write_json(
    path: Path, results: list[Result], stamp: dict[str, Any]
) -> None:
    """Writes the results with the machine they are from."""
    content = {"machine": stamp, "results": [asdict(one) for one in results]}
    path.write_text(json.dumps(content, indent=2) + "\n")


def machine(backend: str) -> dict[str, Any]:
    """Where, when and with what it was measured."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "backend": backend,
        "versions": {
            name: _version(name)
            for name in ("keras", "tf_keras", "tensorflow", "jax", "torch")
            if _version(name)
        },
    }


def spread(values: list[float]) -> float:
    """The distance between the quartiles of some values."""
    if len(values) < 2:  # noqa: PLR2004 - quartiles need two
        return 0.0
    first, _, third = statistics.quantiles(values, n=4)
    return third - first


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu_name() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    names = [line for line in text.splitlines() if "model name" in line]
    return names[0].partition(":")[2].strip() if names else platform.machine()
