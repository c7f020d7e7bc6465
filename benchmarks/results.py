"""What was measured, what was asked, and how the two compare."""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

Clock = Literal["cpu", "wall"]
CPU: Clock = "cpu"
WALL: Clock = "wall"


@dataclass(frozen=True)
class Row:
    """What one rival took.

    Attributes:
        name: `"bare"`, `"stock"`, `"kerascb"`, `"kerascb list"` or another.
        cpu_us: CPU time a unit of work, in microseconds, of each repeat.
        wall_us: Wall time a unit of work, in microseconds, of each repeat.
        memory_bytes: What its process needed of memory; 0 if that was not
            looked at.
    """

    name: str
    cpu_us: tuple[float, ...]
    wall_us: tuple[float, ...]
    memory_bytes: int = 0

    def times_us(self, clock: Clock) -> tuple[float, ...]:
        """The time of each repeat, by one of the clocks."""
        return self.cpu_us if clock == CPU else self.wall_us

    def median_us(self, clock: Clock) -> float:
        """The median of the repeats, in microseconds."""
        return statistics.median(self.times_us(clock))

    def spread_us(self, clock: Clock) -> float:
        """The distance between the quartiles, in microseconds."""
        return spread(self.times_us(clock))


@dataclass(frozen=True)
class Verdict:
    """What was asked of a case, and what came of it.

    Attributes:
        asked: What, in words.
        measured: The figure; NaN where none could be had.
        limit: The most it may be.
        unit: What both are in; empty for a ratio.
    """

    asked: str
    measured: float
    limit: float
    unit: str = ""

    @property
    def is_kept(self) -> bool:
        """Whether the figure is within the limit."""
        return self.measured <= self.limit


@dataclass(frozen=True)
class Budget:
    """Something asked of a case.

    Attributes:
        asked: What, in words.
        limit: The most the figure may be.
        figure: Takes the result and says the figure.
        rows: The rows it is about; without one of them nothing is asked.
        unit: What figure and limit are in; empty for a ratio.
    """

    asked: str
    limit: float
    figure: Callable[[Result], float]
    rows: tuple[str, ...]
    unit: str = ""

    def judge(self, result: Result) -> Verdict:
        """Holds a result against what is asked."""
        figure = self.figure(result)
        return Verdict(self.asked, figure, self.limit, self.unit)


@dataclass(frozen=True)
class Result:
    """A case, measured.

    Attributes:
        case: Its name.
        unit: What the times are of.
        rows: One a rival, in the order given; the others are compared with
            the first.
        verdicts: What was asked of it, and what came of it.
        note: What a reader has to know besides; may be empty.
    """

    case: str
    unit: str
    rows: tuple[Row, ...]
    verdicts: tuple[Verdict, ...] = ()
    note: str = ""

    def judged(self, budgets: Iterable[Budget], note: str = "") -> Result:
        """The same, held against what was asked of it."""
        names = {row.name for row in self.rows}
        verdicts = tuple(
            budget.judge(self)
            for budget in budgets
            if names.issuperset(budget.rows)
        )
        return replace(self, verdicts=verdicts, note=note)

    def row(self, name: str) -> Row:
        """The row of a name."""
        return next(row for row in self.rows if row.name == name)

    def ratio(self, name: str, of: str, clock: Clock) -> float:
        """The median over the repeats of one row's time by another's."""
        return statistics.median(
            mine / other for mine, other in self._pairs(name, of, clock)
        )

    def differences_us(self, name: str, clock: Clock) -> list[float]:
        """What a row adds to the first, repeat by repeat."""
        pairs = self._pairs(name, self.rows[0].name, clock)
        return [mine - first for mine, first in pairs]

    def added_us(self, name: str, clock: Clock) -> float:
        """The median over the repeats of what a row adds to the first."""
        return statistics.median(self.differences_us(name, clock))

    def added_share(self, name: str, of: str, clock: Clock) -> float:
        """What a row adds to the first, by what another adds.

        NaN where that other adds nothing that could be measured.
        """
        whole_us = self.added_us(of, clock)
        if whole_us <= 0:
            return math.nan
        return self.added_us(name, clock) / whole_us

    def _pairs(
        self, name: str, of: str, clock: Clock
    ) -> list[tuple[float, float]]:
        mine, others = (self.row(one).times_us(clock) for one in (name, of))
        return list(zip(mine, others, strict=True))


def spread(values: Iterable[float]) -> float:
    """The distance between the quartiles of some values."""
    values = list(values)
    if len(values) < 2:  # noqa: PLR2004 - quartiles need two
        return 0.0
    first, _, third = statistics.quantiles(values, n=4)
    return third - first


@dataclass(frozen=True)
class Run:
    """The results of one call of `python -m benchmarks`.

    Attributes:
        machine: Where, when and with what; see `benchmarks.machine.stamp`.
        is_quick: It was only to be seen that it runs: no figure counts.
        results: The cases.
    """

    machine: Mapping[str, Any]
    is_quick: bool
    results: tuple[Result, ...]


def write(path: Path, run: Run) -> None:
    """Writes a run as JSON, with the times of every repeat."""
    content = {
        "machine": run.machine,
        "is_quick": run.is_quick,
        "results": [_as_json(one) for one in run.results],
    }
    path.write_text(json.dumps(content, indent=1) + "\n")


def read(path: Path) -> Run:
    """Reads what `write` has written."""
    content = json.loads(path.read_text())
    results = tuple(map(_from_json, content["results"]))
    return Run(content["machine"], content["is_quick"], results)


def _as_json(result: Result) -> dict[str, Any]:
    return {
        "case": result.case,
        "unit": result.unit,
        "note": result.note,
        "rows": [
            {
                "name": row.name,
                "cpu_us": _rounded(row.cpu_us),
                "wall_us": _rounded(row.wall_us),
                "memory_bytes": row.memory_bytes,
            }
            for row in result.rows
        ],
        "verdicts": [
            {
                "asked": one.asked,
                # JSON has no NaN.
                "measured": None if math.isnan(one.measured) else one.measured,
                "limit": one.limit,
                "unit": one.unit,
                "is_kept": one.is_kept,
            }
            for one in result.verdicts
        ],
    }


def _rounded(times_us: tuple[float, ...]) -> list[float]:
    return [round(one, 3) for one in times_us]


def _from_json(content: Mapping[str, Any]) -> Result:
    rows = tuple(
        Row(
            one["name"],
            tuple(one["cpu_us"]),
            tuple(one["wall_us"]),
            one["memory_bytes"],
        )
        for one in content["rows"]
    )
    verdicts = tuple(
        Verdict(
            one["asked"],
            math.nan if one["measured"] is None else one["measured"],
            one["limit"],
            one["unit"],
        )
        for one in content["verdicts"]
    )
    return Result(
        content["case"], content["unit"], rows, verdicts, content["note"]
    )
