"""What the models of Keras 2 are made of."""

from __future__ import annotations

import contextlib
import importlib
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from kerascb.runtime.runs.naming import (
    reference_in,
    without_number,
    without_numbers,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_NO_NAME = "Variable"
"""What TensorFlow calls variables that get no name."""


class Parts2:
    """Answers `walk.Parts` for Keras 2.

    Args:
        keras: The package that holds this Keras.
    """

    # Counters of evaluations, and of what a step is, are no part of a run;
    # that of the steps made is among what a model hides.
    ignored = frozenset(
        {
            "_inbound_nodes_value",
            "_outbound_nodes_value",
            "_losses",
            "_train_counter",
            "_test_counter",
            "_predict_counter",
            "_steps_per_execution",
        }
    )

    def __init__(self, keras: Any) -> None:
        self._keras = keras
        optimizers = keras.optimizers
        self._optimizers = (
            optimizers.Optimizer,
            optimizers.legacy.Optimizer,
        )
        self._snake_case = importlib.import_module(
            f"{keras.__name__}.src.utils.generic_utils"
        ).to_snake_case

    def is_layer(self, item: Any) -> bool:
        """A metric is a layer to Keras 2, but no part of a model."""
        return isinstance(item, tf.Module) and not self.is_metric(item)

    def is_metric(self, item: Any) -> bool:
        """Whether something is a metric."""
        return isinstance(item, self._keras.metrics.Metric)

    def is_optimizer(self, item: Any) -> bool:
        """Whether something is an optimizer, of either generation."""
        return isinstance(item, self._optimizers)

    def variable_in(self, item: Any) -> Any:
        """Takes a generator out of Keras's own class around one."""
        generator = getattr(item, "_generator", None)
        if generator is not None:
            item = generator
        if isinstance(item, tf.random.Generator):
            return item.state
        return item if isinstance(item, tf.Variable) else None

    def own_variables(self, layer: Any) -> Iterator[Any]:
        """Weights; of a plain module all variables."""
        if isinstance(layer, self._keras.layers.Layer):
            yield from layer._trainable_weights
            yield from layer._non_trainable_weights
        elif isinstance(layer, tf.Module):
            yield from layer.variables

    def layers_in(self, layer: Any) -> Iterable[Any]:
        """Those that Keras tracks."""
        if not isinstance(layer, self._keras.layers.Layer):
            return ()
        return list(layer._flatten_modules(recursive=False, include_self=False))

    def variables_of(self, model: Any) -> Iterable[Any]:
        """None of a model that is not built: it refuses to tell."""
        with contextlib.suppress(ValueError):
            return list(getattr(model, "variables", ()))
        return ()

    def metrics_of(self, model: Any) -> Iterable[Any]:
        """Those compiled are there once they are built."""
        metrics = getattr(model, "metrics", None) or ()
        return [one for one in metrics if self.is_metric(one)]

    def hidden_in(self, item: Any) -> Mapping[str, Any]:
        """The state of a loss scale; counters and losses of a model."""
        if self.is_optimizer(item):
            scale = getattr(item, "_loss_scale", None)
            return {
                name.lstrip("_"): value
                for name, value in getattr(scale, "__dict__", {}).items()
                if isinstance(value, tf.Variable)
            }
        losses = getattr(item, "compiled_loss", None)
        if losses is None:
            return {}
        hidden = {"compiled_loss": list(losses.metrics)}
        counter = getattr(item, "_train_counter", None)
        return (
            hidden if counter is None else {**hidden, "train_counter": counter}
        )

    def kind(self, item: Any) -> str:
        """The class, in snake case."""
        kind: str = self._snake_case(type(item).__name__)
        return kind

    def variable_name(self, variable: Any) -> str:
        """Without the names of the layers around."""
        name = _bare(getattr(variable, "name", _NO_NAME)).rpartition("/")[2]
        return without_number(name, _NO_NAME)

    def slot_names(
        self, variables: Iterable[Any], known: Mapping[str, Any]
    ) -> Iterator[str]:
        """Keras has the slot in front of the variable's path, or behind it.

        And before that, at times, the name of the optimizer.
        """
        paths = {_bare(one.name): name for name, one in known.items()}
        for variable in variables:
            parts = _bare(variable.name).split("/")
            found = reference_in(parts, "/", paths)
            if found is None:
                yield without_numbers(parts[-1])
            else:
                ours, slot = found
                yield f"{slot[-1]}/{ours}"


def _bare(name: str) -> str:
    return name.partition(":")[0]
