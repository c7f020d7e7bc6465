"""What a model's metrics tell before the first batch: names, directions."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kerascb.improvement import Direction, direction_by_name

_MAKERS_OF_LOGS = (
    "train_step",
    "test_step",
    "compute_metrics",
    "get_metrics_result",
    "metrics",
    "make_train_function",
    "make_test_function",
    "evaluate",
)
_KERAS = frozenset({"keras", "tf_keras"})
_NUMBER = re.compile(r"_\d+$")

NamedMetric = tuple[str | None, Any]
"""The name in the logs, `None` if it cannot be known; and the metric."""


@dataclass(frozen=True)
class KnownMetrics:
    """What `fit` will log of a model's metrics.

    Attributes:
        names: Names that will come, without `val_`; behind the name of an
            output and before a running number, maybe. Empty if the model
            makes its logs itself.
        are_all: No other metric can come.
        are_settled: No layer can bring another metric, as one may that is
            not built.
    """

    names: frozenset[str]
    are_all: bool
    are_settled: bool


def known(
    named: Iterable[NamedMetric],
    *,
    outputs: Iterable[str] | None,
    are_settled: bool,
    are_logged: bool,
) -> KnownMetrics:
    """Sums up what is known of a model's metrics.

    Args:
        named: The metrics of the model and its layers.
        outputs: What may stand before the metrics of single outputs; `None`
            if that is not known.
        are_settled: No layer can bring another metric.
        are_logged: Keras itself makes the logs, out of these.
    """
    if not are_logged:
        return KnownMetrics(frozenset(), False, are_settled)
    named = list(named)
    names = {"loss", *(name for name, _ in named if name)}
    for output in outputs or ():
        if output.startswith("val"):  # Looks as if it came of validation.
            names |= {f"{output}_{name}" for name in names}
    return KnownMetrics(
        frozenset(names),
        outputs is not None
        and are_settled
        and all(name and _is_one(metric) for name, metric in named),
        are_settled,
    )


def makes_own_logs(model: Any) -> bool:
    """Whether a model does itself what Keras would do for it.

    Args:
        model: The model.
    """
    makers = (
        inspect.getattr_static(model, name, None) for name in _MAKERS_OF_LOGS
    )
    return any(one is not None and not is_of_keras(one) for one in makers)


def is_of_keras(member: Any) -> bool:
    """Whether a class, function or property is part of Keras."""
    member = getattr(member, "fget", member)
    module = getattr(member, "__module__", None) or ""
    return module.partition(".")[0] in _KERAS


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


def default_name(kind: type, snake_case: Callable[[str], str]) -> str | None:
    """How Keras names an instance of a class of metrics that gets no name.

    The instance itself is not made: it would use up a number, and the next
    one would be called `auc_1`.

    Args:
        kind: The class; of one that is not Keras's own nothing is known.
        snake_case: How this Keras makes a name out of that of a class.
    """
    if not is_of_keras(kind):
        return None
    name = inspect.signature(kind).parameters.get("name")
    if name is not None and isinstance(name.default, str):
        return name.default
    return snake_case(kind.__name__)


def direction_of(
    named: Iterable[NamedMetric], monitor: str
) -> Direction | None:
    """The direction of the metric that a monitor stands for.

    Of several metrics that fit the one with the longest name is meant.

    Args:
        named: The metrics of the model.
        monitor: A key of the logs.
    """
    wanted = monitor.removeprefix("val_")
    fitting = [
        (name, metric)
        for name, metric in named
        if name and is_name_of(wanted, name)
    ]
    if not fitting:
        return None
    _, metric = max(fitting, key=lambda pair: len(pair[0]))
    return _own_direction(metric)


def is_name_of(wanted: str, name: str) -> bool:
    """Whether a key of the logs may belong to a metric.

    In front of a metric's name Keras writes that of its output and
    `weighted_`, behind it a number.

    Args:
        wanted: The key, without `val_`.
        name: The metric's name.
    """
    return any(
        key == name or key.endswith(f"_{name}")
        for key in (wanted, _NUMBER.sub("", wanted))
    )


def _is_one(metric: Any) -> bool:
    # A metric of the user's own may have a dict for its result, of which
    # every key is logged.
    result = inspect.getattr_static(type(metric), "result", None)
    return result is None or is_of_keras(result)


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
