"""What TensorBoard shows of a Keras 2 model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascb.runtime._inspection import CustomSummaries, Embedding, Profiler

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt


class Inspection2:
    """Answers `Inspection` for Keras 2.

    Args:
        keras: The package that holds this Keras.
    """

    def __init__(self, keras: Any) -> None:
        self._keras = keras

    def channels_last(self) -> bool:
        """As Keras is configured."""
        form = self._keras.backend.image_data_format()
        return bool(form == "channels_last")

    def weights(self, model: Any) -> Iterator[tuple[str, Any]]:
        """Under their names."""
        for layer in getattr(model, "layers", ()):
            for weight in layer.weights:
                yield weight.name.replace(":", "_"), weight

    def embedding_names(self, model: Any) -> list[str]:
        """Names of the `Embedding` layers."""
        return [layer.name for layer in self._embedding_layers(model)]

    def embeddings(self, model: Any) -> list[Embedding]:
        """Tables of the layers that are built, as a checkpoint names them."""
        layers = [one for one in self._embedding_layers(model) if one.built]
        names = _checkpoint_names(model) if layers else {}
        return [
            Embedding(
                layer.name,
                f"{names[id(layer)]}/embeddings/.ATTRIBUTES/VARIABLE_VALUE",
                layer.embeddings,
            )
            for layer in layers
        ]

    def _embedding_layers(self, model: Any) -> list[Any]:
        return [
            layer
            for layer in model._flatten_layers(include_self=False)
            if isinstance(layer, self._keras.layers.Embedding)
        ]

    def save_embeddings(
        self, path: str, tables: Mapping[str, npt.NDArray[Any]]
    ) -> bool:
        """A checkpoint of the tables, under the names stock's has for them."""
        from kerascb.runtime._tensorflow_events import save_tensors

        save_tensors(path, tables)
        return True

    def has_layer_graph(self, model: Any) -> bool:
        """True of Sequential and functional models."""
        return bool(getattr(model, "_is_graph_network", False)) or isinstance(
            model, self._keras.Sequential
        )

    def op_graph(self, model: Any) -> bytes | None:
        """The traced train function."""
        from kerascb.runtime._tensorflow_events import serialised_graph

        return serialised_graph(getattr(model, "train_tf_function", None))

    def scheduled_rates(self, model: Any) -> dict[str, float]:
        """The rate of an optimizer that has a schedule, and of no other."""
        optimizer = getattr(model, "optimizer", None)
        # The attribute of a new optimizer shows the latest value, not the
        # schedule; that of a legacy one shows the schedule.
        rate = getattr(optimizer, "_learning_rate", None) or getattr(
            optimizer, "lr", None
        )
        schedules = self._keras.optimizers.schedules
        if not isinstance(rate, schedules.LearningRateSchedule):
            return {}
        return {"learning_rate": float(rate(optimizer.iterations))}  # type: ignore[union-attr]

    def custom_summaries(
        self, every: int, suffix: str = ".v2"
    ) -> CustomSummaries | None:
        """TensorFlow's default writers."""
        from kerascb.runtime._tensorflow_events import DefaultWriters

        return DefaultWriters(every, suffix)

    def profiler(self, train_dir: str, log_dir: str) -> tuple[Profiler, str]:
        """TensorFlow's; profiles go beside the runs."""
        del train_dir
        from kerascb.runtime._tensorflow_events import TensorFlowProfiler

        return TensorFlowProfiler(), log_dir


def _checkpoint_names(model: Any) -> dict[int, str]:
    """Where a checkpoint keeps each object: `id` → path from the model.

    A checkpoint names an object by the first path on which a breadth-first
    walk meets it.
    """
    import tensorflow as tf

    view = tf.train.TrackableView(model)
    names = {id(model): ""}
    waiting = [model]
    for parent in waiting:
        for name, child in view.children(parent).items():
            if id(child) not in names:
                above = names[id(parent)]
                escaped = name.replace(".", "..").replace("/", ".S")
                names[id(child)] = f"{above}/{escaped}" if above else escaped
                waiting.append(child)
    return names
