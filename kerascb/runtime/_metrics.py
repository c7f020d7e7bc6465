"""What compiled metrics tell before the first batch: names and directions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kerascb.improvement import Direction, direction_by_name


def flatten(metrics: Any) -> Iterator[Any]:
    """The single metrics of what `compile(metrics=…)` was given."""
    if metrics is None:
        return
    if isinstance(metrics, Mapping):
        metrics = metrics.values()
    if isinstance(metrics, Iterable) and not isinstance(metrics, str):
        for item in metrics:
            yield from flatten(item)
        return
    yield metrics


def name_of(metric: Any) -> str | None:
    """Under which name a metric will appear in the logs."""
    if isinstance(metric, str):
        return metric
    return getattr(metric, "name", None) or getattr(metric, "__name__", None)


def direction_of(metrics: Iterable[Any], monitor: str) -> Direction | None:
    """The direction of the metric that a monitor stands for.

    A monitor is a metric's name, maybe behind `val_` and an output's name. Of
    several metrics that fit the one with the longest name is meant.

    Args:
        metrics: Metric objects, functions or names.
        monitor: A key of the logs.
    """
    wanted = monitor.removeprefix("val_")
    fitting = [
        (name, metric)
        for metric in metrics
        if (name := name_of(metric)) and is_name_of(wanted, name)
    ]
    if not fitting:
        return None
    _, metric = max(fitting, key=lambda pair: len(pair[0]))
    return _own_direction(metric)


def is_name_of(wanted: str, name: str) -> bool:
    """Whether `wanted` is a metric's name, alone or behind an output's."""
    return wanted == name or wanted.endswith(f"_{name}")


def _own_direction(metric: Any) -> Direction | None:
    declared = getattr(metric, "_direction", None)
    if declared in {"up", "down"}:
        return Direction.MAX if declared == "up" else Direction.MIN
    # A metric that keeps quiet still has a telling class or function.
    for source in (metric, getattr(metric, "_fn", None), type(metric)):
        name = getattr(source, "__name__", None)
        if name and (direction := direction_by_name(name)):
            return direction
    return None
