"""Results as a picture: stock's times against ours."""

from __future__ import annotations

import importlib
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.machine import in_words
from benchmarks.results import CPU, WALL, Result, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

# Row → colour and marker: they differ in shade and shape, not in hue alone.
_STYLES = {
    "stock": ("#c44e1b", "s"),
    "stock + bar": ("#e8a07c", "P"),
    "kerascb": ("#1f5fa8", "o"),
    "kerascb list": ("#0f8f6f", "D"),
    "background": ("#0f8f6f", "D"),
    "list + bar": ("#6a4fa3", "^"),
    "install + bar": ("#b09fe0", "v"),
}
_COMPARED = {"stock", "kerascb"}
_LINE_IN = 0.42  # of a case, in inches
_WIDTH_IN = 11.0
_LINEAR_US = 10.0  # around 0, where a logarithm cannot be drawn
_DPI = 120


@dataclass(frozen=True)
class _Panel:
    """One set of axes.

    Attributes:
        title: What stands above.
        label: What the horizontal axis is, with its unit.
        results: The cases, from the top down.
        names: What stands beside each.
        values: A result and a row → what is drawn of each repeat.
        is_signed: Whether values may be below 0.
    """

    title: str
    label: str
    results: Sequence[Result]
    names: Sequence[str]
    values: Callable[[Result, str], Sequence[float]]
    is_signed: bool


def draw(runs: Sequence[Run], path: Path) -> None:
    """Draws runs below each other.

    Args:
        runs: What was measured.
        path: Where the PNG goes.

    Raises:
        ImportError: If matplotlib is not installed.
        ValueError: If no case has been measured with stock and with ours.
    """
    # Only here: measuring needs none of it.
    importlib.import_module("matplotlib").use("Agg")
    pyplot = importlib.import_module("matplotlib.pyplot")
    panels = [panel for run in runs for panel in _panels(run)]
    if not panels:
        raise ValueError("no case in them has rows of stock and of kerascb")
    heights = [len(panel.results) + 2.5 for panel in panels]
    figure, axes = pyplot.subplots(
        len(panels),
        figsize=(_WIDTH_IN, _LINE_IN * (sum(heights) + len(runs) + 1)),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    for one, panel in zip(axes[:, 0], panels, strict=True):
        _draw_panel(one, panel)
    figure.supxlabel(_footer(runs), x=0.01, ha="left", fontsize=8)
    figure.savefig(path, dpi=_DPI)
    pyplot.close(figure)


def _footer(runs: Sequence[Run]) -> str:
    lines = ["Points are medians, lines go over all repeats."]
    for run in runs:
        quick = " (quick: no figure counts)" if run.is_quick else ""
        lines.append(in_words(run.machine) + quick)
    return "\n".join(lines)


def _panels(run: Run) -> list[_Panel]:
    """What of a run can be compared with stock's, by kinds."""
    compared = [
        one
        for one in run.results
        if _COMPARED.issubset(row.name for row in one.rows)
    ]
    where = f"{run.machine['runtime']}, {run.machine['device']}"
    panels = []
    for unit, title, base in (
        ("step", "What callbacks add to a training step", "a bare fit's step"),
        ("step's hooks", "What hooks cost by themselves", "stock's empty list"),
    ):
        results = [one for one in compared if one.unit == unit]
        panels.append(
            _Panel(
                f"{title}: {where}",
                f"CPU time added to {base} (µs a step)",
                results,
                [one.case for one in results],
                lambda result, name: result.differences_us(name, CPU),
                is_signed=True,
            )
        )
    others = [one for one in compared if not one.unit.startswith("step")]
    panels.append(
        _Panel(
            f"How long one of each takes: {where}",
            "Wall time (ms)",
            others,
            [f"{one.case} (per {one.unit})" for one in others],
            lambda result, name: [
                us / 1e3 for us in result.row(name).times_us(WALL)
            ],
            is_signed=False,
        )
    )
    return [panel for panel in panels if panel.results]


def _draw_panel(axes: Any, panel: _Panel) -> None:
    for place, result in enumerate(panel.results):
        names = [row.name for row in result.rows if row.name in _STYLES]
        # The first stands highest, so that equal ones can be told apart.
        for rank, name in enumerate(names):
            y = place + 0.3 * (2 * (rank + 1) / (len(names) + 1) - 1)
            _draw_row(axes, y, name, panel.values(result, name))
        axes.axhline(place + 0.5, color="#eeeeee", linewidth=1)
    axes.set_yticks(range(len(panel.names)), panel.names)
    axes.set_ylim(len(panel.names) - 0.5, -0.5)
    if panel.is_signed:
        axes.set_xscale("symlog", linthresh=_LINEAR_US)
        axes.axvline(0, color="#444444", linewidth=1)
    else:
        axes.set_xscale("log")
    axes.margins(x=0.06)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_title(panel.title, loc="left", fontsize=11)
    axes.set_xlabel(panel.label)
    axes.grid(visible=True, axis="x", color="#dddddd")
    axes.set_axisbelow(True)
    _add_legend(axes)


def _add_legend(axes: Any) -> None:
    """One line a name, however often it was drawn, beside the axes."""
    handles, names = axes.get_legend_handles_labels()
    by_name = dict(zip(names, handles, strict=True))
    ordered = [name for name in _STYLES if name in by_name]
    axes.legend(
        [by_name[name] for name in ordered],
        ordered,
        loc="center left",
        bbox_to_anchor=(1.01, 0.5),
        frameon=False,
    )


def _draw_row(axes: Any, y: float, name: str, values: Sequence[float]) -> None:
    """A point at the median, a line over all repeats."""
    colour, marker = _STYLES[name]
    axes.plot([min(values), max(values)], [y, y], color=colour, linewidth=1.5)
    middle = statistics.median(values)
    axes.plot([middle], [y], marker, color=colour, markersize=6, label=name)
