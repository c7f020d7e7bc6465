"""Results as text and as Markdown."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchmarks.machine import in_words
from benchmarks.results import CPU, WALL, Result, Row, Run, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_COLUMNS = ("bare", "stock", "kerascb", "kerascb list")

HEADING = (
    f"{'row':<20}{'CPU':>10}{'spread':>10}{'wall':>10}{'spread':>10}"
    f"{'adds CPU':>11}{'adds wall':>11}{'CPU by':>8}{'wall by':>8}{'memory':>9}"
)
"""What stands above the lines of `as_text`.

Times are medians; what a row adds to the first row, and its times by those of
the first, are medians of the pairs.
"""


def as_text(result: Result, *, is_quick: bool) -> str:
    """A result as lines: its name, a line a row, a line a verdict.

    Args:
        result: What was measured.
        is_quick: Say of no budget whether it was kept.
    """
    lines = [f"\n{result.case}, per {result.unit}"]
    if result.note:
        lines[0] += f" ({result.note})"
    lines += [_line(result, row) for row in result.rows]
    lines += [
        f"  {_asked(one)}; measured {_figure(one, one.measured)}: "
        f"{_kept(one, is_quick=is_quick)}"
        for one in result.verdicts
    ]
    return "\n".join(lines)


def _line(result: Result, row: Row) -> str:
    first = result.rows[0].name
    return (
        f"{row.name:<20}{time_in_words(row.median_us(CPU)):>10}"
        f"{time_in_words(row.spread_us(CPU)):>10}"
        f"{time_in_words(row.median_us(WALL)):>10}"
        f"{time_in_words(row.spread_us(WALL)):>10}"
        f"{time_in_words(result.added_us(row.name, CPU)):>11}"
        f"{time_in_words(result.added_us(row.name, WALL)):>11}"
        f"{result.ratio(row.name, first, CPU):>8.3f}"
        f"{result.ratio(row.name, first, WALL):>8.3f}"
        f"{_memory(row):>9}"
    )


def as_markdown(run: Run) -> str:
    """A run as a table, a line a case, under the machine it is from."""
    words = f"Measured on {in_words(run.machine)}. Medians of wall time."
    if run.is_quick:
        words += " A quick run: no figure counts."
    lines = [
        words,
        "",
        "| case | per | "
        + " | ".join(_COLUMNS)
        + " | also | asked | measured | verdict |",
        "|---|---|" + "---:|" * len(_COLUMNS) + "---|---|---|---|",
    ]
    lines += [
        _markdown_line(result, is_quick=run.is_quick) for result in run.results
    ]
    notes = list(_notes(run.results))
    return "\n".join([*lines, "", *notes] if notes else lines)


def _markdown_line(result: Result, *, is_quick: bool) -> str:
    by_name = {row.name: row for row in result.rows}
    cells = [
        _cell(by_name[name]) if name in by_name else "" for name in _COLUMNS
    ]
    also = "<br>".join(
        f"{row.name} {_cell(row)}"
        for row in result.rows
        if row.name not in _COLUMNS
    )
    verdicts = result.verdicts
    cells += [
        also,
        "<br>".join(map(_asked, verdicts)),
        "<br>".join(_figure(one, one.measured) for one in verdicts),
        "<br>".join(_kept(one, is_quick=is_quick) for one in verdicts),
    ]
    return f"| {result.case} | {result.unit} | {' | '.join(cells)} |"


def _notes(results: Iterable[Result]) -> Iterator[str]:
    cases: dict[str, list[str]] = {}
    for result in results:
        if result.note:
            cases.setdefault(result.note, []).append(result.case)
    for note, named in cases.items():
        yield f"- {'; '.join(named)}: {note}."


def _cell(row: Row) -> str:
    words = time_in_words(row.median_us(WALL))
    return f"{words}, {_memory(row)}" if row.memory_bytes else words


def _asked(verdict: Verdict) -> str:
    return f"{verdict.asked} ≤ {_figure(verdict, verdict.limit)}"


def _figure(verdict: Verdict, value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:.3g} {verdict.unit}".strip()


def _kept(verdict: Verdict, *, is_quick: bool) -> str:
    if is_quick or math.isnan(verdict.measured):
        return "-"
    return "kept" if verdict.is_kept else "MISSED"


def time_in_words(us: float) -> str:
    """A time with its unit, to three digits or so.

    Args:
        us: The time in microseconds.
    """
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if abs(us) >= 10 * size:
            return f"{us / size:.1f} {unit}"
    return f"{us:.1f} µs" if abs(us) < 100 else f"{us:.0f} µs"  # noqa: PLR2004


def _memory(row: Row) -> str:
    return f"{row.memory_bytes / 1e6:.0f} MB" if row.memory_bytes else ""
