"""What TensorBoard shows of a Keras 3 model."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any

import keras

from kerascb.events.layer_graph import as_graph_def
from kerascb.runtime._arrays3 import to_numpy
from kerascb.runtime._inspection import CustomSummaries, Embedding, Profiler
from kerascb.runtime._learning_rate import inner_optimizers

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt


class Inspection3:
    """Answers `Inspection` for Keras 3.

    Args:
        backend: The engine in force.
    """

    def __init__(self, backend: str) -> None:
        self._backend = backend

    def channels_last(self) -> bool:
        """As Keras is configured."""
        return bool(keras.config.image_data_format() == "channels_last")

    def weights(self, model: Any) -> Iterator[tuple[str, Any]]:
        """Under their paths."""
        for layer in getattr(model, "layers", ()):
            for weight in layer.weights:
                yield weight.path.replace(":", "_"), weight

    def embedding_names(self, model: Any) -> list[str]:
        """Names of the `Embedding` layers."""
        return [layer.name for _, layer in _embedding_layers(model)]

    def embeddings(self, model: Any) -> list[Embedding]:
        """Tables of the layers that are built."""
        return [
            Embedding(layer.name, name, layer.embeddings)
            for name, layer in _embedding_layers(model)
            if layer.built
        ]

    def save_embeddings(
        self, path: str, tables: Mapping[str, npt.NDArray[Any]]
    ) -> bool:
        """A checkpoint on TensorFlow.

        Stock writes Keras's own weights file, which the projector cannot
        open.
        """
        if self._backend != "tensorflow":
            return False
        from kerascb.runtime._tensorflow_events import save_tensors

        save_tensors(path, tables)
        return True

    def has_layer_graph(self, model: Any) -> bool:
        """True of Sequential and functional models."""
        # Functional is not exported; `Model(inputs, outputs)` becomes one.
        return any(
            kind.__name__ in {"Functional", "Sequential"}
            and kind.__module__.startswith("keras.")
            for kind in type(model).__mro__
        )

    def op_graph(self, model: Any) -> bytes | None:
        """The step that the train function closes over, on TensorFlow.

        On JAX and torch, which have no such graph, the layers stand for it.
        """
        if self._backend != "tensorflow":
            return _drawn_layers(model) if self.has_layer_graph(model) else None
        function = getattr(model, "train_function", None)
        if not inspect.isfunction(function):
            return None
        from kerascb.runtime._tensorflow_events import serialised_graph

        enclosed = inspect.getclosurevars(function).nonlocals
        return serialised_graph(enclosed.get("multi_step_on_iterator"))

    def scheduled_rates(self, model: Any) -> dict[str, float]:
        """The rate of every optimizer, scheduled or not."""
        optimizer = getattr(model, "optimizer", None)
        found = [
            one
            for one in inner_optimizers(optimizer)
            # Several that are not built yet have no rate.
            if isinstance(one, keras.optimizers.Optimizer)
            and hasattr(one, "learning_rate")
        ]
        return {
            "learning_rate"
            if len(found) == 1
            else f"learning_rate_{one.name}": float(to_numpy(one.learning_rate))
            for one in found
        }

    def custom_summaries(
        self, every: int, suffix: str = ".v2"
    ) -> CustomSummaries | None:
        """TensorFlow's default writers, on any engine beside TensorFlow."""
        if "tensorflow" not in sys.modules:
            return None
        from kerascb.runtime._tensorflow_events import DefaultWriters

        return DefaultWriters(every, suffix)

    def profiler(self, train_dir: str, log_dir: str) -> tuple[Profiler, str]:
        """The engine's own; profiles go to the training run."""
        del log_dir
        if self._backend == "jax":
            return JaxProfiler(), train_dir
        from kerascb.runtime._tensorflow_events import TensorFlowProfiler

        return TensorFlowProfiler(), train_dir


class JaxProfiler:
    """Answers `Profiler` with JAX's, which collects no graphs."""

    def warm_up(self) -> None:
        """JAX needs none."""

    def start(self, directory: str) -> None:
        """Begins a profile."""
        import jax

        jax.profiler.start_trace(directory)

    def annotate(self, batch: int) -> contextlib.AbstractContextManager[Any]:
        """Marks a batch."""
        import jax

        mark: contextlib.AbstractContextManager[Any] = (
            jax.profiler.TraceAnnotation(f"Profiled batch {batch}")
        )
        return mark

    def stop(self) -> None:
        """Ends and writes the profile."""
        import jax

        jax.profiler.stop_trace()

    def start_graph(self) -> None:
        """There is nothing to collect."""

    def stop_graph(self, directory: str, name: str, step: int) -> None:
        """There is nothing to write."""


def _drawn_layers(model: Any) -> bytes | None:
    try:
        model_json = model.to_json()
    except Exception:  # noqa: BLE001 - told when the graph of layers was due
        return None
    return as_graph_def(model_json)


def _embedding_layers(layer: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Embedding layers, named as a TensorFlow checkpoint would name them."""
    index = 0
    for part in layer._flatten_layers(include_self=False, recursive=False):
        if not part.weights:
            continue
        here = f"{above}layer_with_weights-{index}/"
        index += 1
        if isinstance(part, keras.layers.Embedding):
            yield f"{here}embeddings/.ATTRIBUTES/VARIABLE_VALUE", part
        else:
            yield from _embedding_layers(part, here)
