"""What the models of Keras 3 are made of."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import keras

# How Keras names what gets no name is not public, nor is the container of
# compiled metrics.
from keras.src.trainers.compile_utils import CompileMetrics
from keras.src.utils.naming import to_snake_case

from kerascb.runtime.runs.naming import (
    reference_in,
    without_number,
    without_numbers,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_BACKEND = keras.backend.backend()


class Parts3:
    """Answers `walk.Parts` for Keras 3."""

    ignored = frozenset({"_inbound_nodes", "_outbound_nodes", "_losses"})

    def is_layer(self, item: Any) -> bool:
        """Whether something is a layer."""
        return isinstance(item, keras.Layer)

    def is_metric(self, item: Any) -> bool:
        """Whether something is a metric."""
        return isinstance(item, keras.Metric)

    def is_optimizer(self, item: Any) -> bool:
        """Whether something is an optimizer."""
        return isinstance(item, keras.optimizers.Optimizer)

    def variable_in(self, item: Any) -> Any:
        """Only of the engine in force: augmentation may run on another."""
        if isinstance(item, keras.random.SeedGenerator):
            item = item.state
        if isinstance(item, (keras.Variable, _Buffer)):
            return item
        if _BACKEND == "tensorflow":
            tf = sys.modules["tensorflow"]
            if isinstance(item, tf.random.Generator):
                return item.state
            if isinstance(item, tf.Variable):
                return item
        return None

    def own_variables(self, layer: Any) -> Iterator[Any]:
        """Weights, and the states of seed generators."""
        yield from getattr(layer, "_trainable_variables", ())
        yield from getattr(layer, "_non_trainable_variables", ())
        yield from getattr(layer, "_seed_generators", ())

    def layers_in(self, layer: Any) -> Iterable[Any]:
        """Those that Keras tracks."""
        return list(getattr(layer, "_layers", ()))

    def variables_of(self, model: Any) -> Iterable[Any]:
        """Weights and seeds."""
        return getattr(model, "variables", ())

    def metrics_of(self, model: Any) -> Iterator[Any]:
        """Takes the compiled ones out of their container."""
        for metric in getattr(model, "metrics", None) or ():
            if isinstance(metric, CompileMetrics):
                if metric.built:
                    yield from (one for one in metric.metrics if one)
            elif self.is_metric(metric):
                yield metric

    def hidden_in(self, item: Any) -> Mapping[str, Any]:
        """Losses of single outputs; what modules of torch count."""
        hidden: dict[str, Any] = {}
        losses = getattr(item, "_compile_loss", None)
        if losses is not None:
            hidden["compile_loss"] = list(losses.metrics)
        if _BACKEND == "torch" and not self.is_optimizer(item):
            module: Any = getattr(item, "module", None)
            buffers = getattr(module, "named_buffers", tuple)
            hidden |= {name: _Buffer(module, name) for name, _ in buffers()}
        return hidden

    def kind(self, item: Any) -> str:
        """The class, in snake case."""
        kind: str = to_snake_case(type(item).__name__)
        return kind

    def variable_name(self, variable: Any) -> str:
        """Keras numbers variables that get no name."""
        if isinstance(variable, keras.random.SeedGenerator):
            variable = variable.state
        name = str(variable.name).split(":", maxsplit=1)[0]
        return without_number(name.rpartition("/")[2], "variable")

    def slot_names(
        self, variables: Iterable[Any], known: Mapping[str, Any]
    ) -> Iterator[str]:
        """Keras writes the slot behind the variable's path, with `_`."""
        paths = {
            variable.path.replace("/", "_"): name
            for name, variable in known.items()
            if hasattr(variable, "path")
        }
        for variable in variables:
            found = reference_in(variable.name.split("_"), "_", paths)
            if found is None:
                yield without_numbers(variable.name)
            else:
                ours, slot = found
                yield f"{'_'.join(slot)}/{ours}"


class _Buffer:
    """A tensor that a module of torch changes and Keras does not know of.

    Args:
        module: The module.
        name: Where in it the tensor is.
    """

    def __init__(self, module: Any, name: str) -> None:
        self._module = module
        self.name = name.replace(".", "/")
        self._path = name

    @property
    def value(self) -> Any:
        """The tensor that is there now."""
        return self._module.get_buffer(self._path)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return tuple(self.value.shape)

    def assign(self, value: Any) -> None:
        """Copies an array into the tensor."""
        tensor = self.value
        tensor.copy_(tensor.new_tensor(value))
