"""The metrics of a Keras 3 model, and how they will be called in the logs."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

# How metrics are named is not public in Keras 3.
from keras.src.utils.naming import get_object_name, to_snake_case

from kerascb.runtime import _metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kerascb.runtime._metrics import KnownMetrics, NamedMetric

_SEVERAL = 2


def known(model: Any) -> KnownMetrics:
    """What `fit` will log of a model's metrics."""
    return _metrics.known(
        named(model),
        outputs=_outputs(model),
        are_settled=_are_settled(model),
        are_logged=getattr(model, "compiled", False)
        and not _metrics.makes_own_logs(model),
    )


def named(model: Any) -> Iterator[NamedMetric]:
    """All metrics; before the first batch those compiled may be as given."""
    container = getattr(model, "_compile_metrics", None)
    if container is not None and container.built:
        for metric in container.metrics:
            yield metric.name, metric
    elif container is not None:
        for given in ("_user_metrics", "_user_weighted_metrics"):
            for metric in _metrics.flatten(getattr(container, given)):
                yield _name(metric), metric
    for metric in getattr(model, "metrics", None) or ():
        if metric is not container:
            yield metric.name, metric


def _are_settled(model: Any) -> bool:
    # Layers that are built take no further metric; one that only says it is
    # built is not locked.
    return all(
        layer.built
        and (_metrics.is_of_keras(type(layer)) or layer._tracker.locked)
        for layer in getattr(model, "_flatten_layers", tuple)()
    )


def _outputs(model: Any) -> list[str] | None:
    """Names that metrics of single outputs may get; `None` if unknown."""
    if not _metrics.is_of_keras(getattr(type(model), "call", None)):
        return None
    if len(getattr(model, "outputs", None) or ()) < _SEVERAL:
        return []
    return [*model.output_names, *_keys(model._outputs_struct)]


def _keys(struct: Any) -> Iterator[str]:
    """The keys of dicts in a structure; they go before an output's name."""
    if isinstance(struct, Mapping):
        yield from map(str, struct)
        struct = struct.values()
    elif not isinstance(struct, (list, tuple)):
        return
    for item in struct:
        yield from _keys(item)


def _name(metric: Any) -> str | None:
    if isinstance(metric, str):
        return metric
    if inspect.isclass(metric):
        return _metrics.default_name(metric, to_snake_case)
    name = get_object_name(metric)
    return name if isinstance(name, str) else None
