"""The metrics of a Keras 2 model, and how they will be called in the logs."""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

from kerascb.runtime import _metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kerascb.runtime._metrics import KnownMetrics, NamedMetric

_BY_THE_DATA = frozenset({"acc", "accuracy", "ce", "crossentropy"})


class Metrics2:
    """Knows the metrics of models of one Keras 2.

    Args:
        keras: The package.
    """

    def __init__(self, keras: Any) -> None:
        # How metrics are named is not public in Keras 2.
        source = f"{keras.__name__}.src"
        self._keras = keras
        self._metrics = importlib.import_module(f"{source}.metrics")
        self._snake_case = importlib.import_module(
            f"{source}.utils.generic_utils"
        ).to_snake_case
        self._custom_name = importlib.import_module(
            f"{source}.engine.compile_utils"
        ).get_custom_object_name

    def known(self, model: Any) -> KnownMetrics:
        """What `fit` will log of a model's metrics."""
        return _metrics.known(
            self.named(model),
            outputs=getattr(model, "output_names", None),
            are_settled=self._are_settled(model),
            are_logged=getattr(model, "_is_compiled", False)
            and not _metrics.makes_own_logs(model),
        )

    def named(self, model: Any) -> Iterator[NamedMetric]:
        """All metrics; before the first batch those compiled are as given."""
        container = getattr(model, "compiled_metrics", None)
        if container is not None and not getattr(container, "built", False):
            for given in ("_user_metrics", "_user_weighted_metrics"):
                for metric in _metrics.flatten(getattr(container, given, None)):
                    yield self._name(metric), metric
        for metric in getattr(model, "metrics", None) or ():
            yield metric.name, metric

    def _are_settled(self, model: Any) -> bool:
        # A `call` may add metrics, and for training others than it has before.
        return all(
            layer.built and _metrics.is_of_keras(type(layer).call)
            for layer in getattr(model, "_flatten_layers", tuple)()
            if not isinstance(layer, self._keras.metrics.Metric)
        )

    def _name(self, metric: Any) -> str | None:
        if isinstance(metric, str):
            return self._name_of_word(metric)
        if inspect.isclass(metric):
            return None
        name = self._custom_name(metric)
        return name if isinstance(name, str) else None

    def _name_of_word(self, word: str) -> str | None:
        """What a word becomes: itself for a function, its name for a class."""
        if word.lower() in _BY_THE_DATA:
            return word
        meant = self._keras.utils.get_registered_object(word) or getattr(
            self._metrics, word, None
        )
        if inspect.isclass(meant):
            return _metrics.default_name(meant, self._snake_case)
        return word if inspect.isfunction(meant) else None
