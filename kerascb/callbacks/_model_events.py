"""What TensorBoard's events tell of the model itself."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kerascb.errors import InvalidArgument
from kerascb.events import Journal, Runs, images, projector, storage
from kerascb.improvement import nearest_names

if TYPE_CHECKING:
    from kerascb.runtime import Embedding, Inspection, Runtime

Metadata = str | Mapping[str, str] | None
"""The file with a line for each row: one for all, or one a layer."""


def write_layer_graph(
    journal: Journal,
    run: str,
    inspection: Inspection,
    model: Any,
    warn: Callable[[str], None],
) -> None:
    """Writes how the layers are connected, if that is known.

    Args:
        journal: Takes down what is written.
        run: The run to write to; left alone where there is no graph.
        inspection: Of the model's runtime.
        model: The model.
        warn: Told of a model that has no JSON.
    """
    if not inspection.has_layer_graph(model):
        return
    try:
        model_json = model.to_json()
    except Exception as error:  # noqa: BLE001 - it runs the user's code
        warn(f"Model failed to serialize as JSON. Ignoring... {error}")
    else:
        journal.write(
            lambda runs: runs[run].keras_graph(0, "keras", model_json)
        )


def write_weights(
    journal: Journal,
    run: str,
    runtime: Runtime,
    model: Any,
    epoch: int,
    *,
    as_images: bool,
) -> None:
    """Writes a histogram of each weight, as the weights are now.

    Args:
        journal: Takes down what is written.
        run: The run to write to.
        runtime: The Keras of the model.
        model: The model.
        epoch: The step.
        as_images: Write pictures too, of those weights that can be one.
    """
    named = list(runtime.inspection.weights(model))
    channels_last = runtime.inspection.channels_last()
    frozen = runtime.freeze([variable for _, variable in named])
    names = [name for name, _ in named]
    wall_s = time.time()

    def write(runs: Runs) -> None:
        writer = runs[run]
        # Each is let go of as soon as it is counted.
        frozen.reverse()
        for name in names:
            weight = frozen.pop().array()
            writer.histogram(epoch, f"{name}/histogram", weight, wall_s)
            pictures = (
                images.weight_as_images(weight, channels_last=channels_last)
                if as_images
                else None
            )
            if pictures is not None:
                writer.images(epoch, f"{name}/image", pictures, wall_s)

    if named:
        journal.prepare(write)


def write_op_graph(
    journal: Journal, run: str, inspection: Inspection, model: Any
) -> None:
    """Writes the graph of operations of a training step, if there is one.

    Args:
        journal: Takes down what is written.
        run: The run to write to.
        inspection: Of the model's runtime.
        model: A model that has been trained a step.
    """
    graph, wall_s = inspection.op_graph(model), time.time()
    if graph is not None:
        journal.write(lambda runs: runs[run].op_graph(graph, wall_s))


def write_embeddings(
    journal: Journal,
    run: str,
    runtime: Runtime,
    model: Any,
    epoch: int,
    metadata: Metadata,
    warn: Callable[[str], None],
) -> None:
    """Writes the embeddings' tables and what the projector needs to open them.

    Args:
        journal: Takes down what is written.
        run: The run below which the tables go.
        runtime: The Keras of the model.
        model: The model; without embeddings nothing is written.
        epoch: Part of the files' names.
        metadata: Files relative to the log directory. What is there is
            copied beside the tables, the only place that the projector reads.
        warn: Told if the projector will not find the tables, because the
            run's folder holds checkpoints of somebody else.
    """
    inspection = runtime.inspection
    embeddings = inspection.embeddings(model)
    if not embeddings:
        return
    frozen = runtime.freeze([one.variable for one in embeddings])
    checkpoint = f"keras_embedding.ckpt-{epoch}"

    def write(runs: Runs) -> None:
        directory = runs.directory(run)
        tables = [value.array() for value in frozen]
        is_checkpoint = inspection.save_embeddings(
            storage.join(directory, checkpoint),
            {e.tensor_name: t for e, t in zip(embeddings, tables, strict=True)},
        )
        _write_projection(
            runs, run, embeddings, metadata,
            None if is_checkpoint else (checkpoint, tables),
        )  # fmt: skip
        if is_checkpoint and not projector.point_to_checkpoint(
            directory, checkpoint
        ):
            warn(
                f"TensorBoard: {directory!r} has a file `checkpoint` that is "
                "not ours, so the projector will not find the embeddings. "
                "Choose a log_dir without checkpoints."
            )

    journal.prepare(write)


def _write_projection(
    runs: Runs,
    run: str,
    embeddings: list[Embedding],
    metadata: Metadata,
    as_text: tuple[str, list[Any]] | None,
) -> None:
    """Writes the projector's configurations, and what lies beside them.

    Args:
        runs: The runs of the log directory.
        run: The one that the projector shall list.
        embeddings: What there is to show.
        metadata: Files relative to the log directory.
        as_text: What the names of tables begin with, and the tables, where
            they are in no checkpoint.
    """
    directory = runs.directory(run)
    shown, as_stock = [], []
    for index, one in enumerate(embeddings):
        name = _as_file_name(one.layer_name)
        path, words = None, _metadata_of(one.layer_name, metadata)
        as_stock.append(projector.Table(one.tensor_name, words))
        if words is not None:
            source = storage.join(runs.root, words)
            words = f"keras_embedding.{name}.metadata.tsv"
            storage.copy(source, storage.join(directory, words))
        if as_text is not None:
            prefix, tables = as_text
            path = f"{prefix}.{name}.tsv"
            projector.write_table(directory, path, tables[index])
        shown.append(projector.Table(one.tensor_name, words, path))
    projector.write_config(directory, shown)
    # Scripts look here. The projector does not list it: no table is beside it.
    projector.write_config(runs.root, as_stock)


def refuse_unknown_layers(
    inspection: Inspection, model: Any, metadata: Metadata
) -> None:
    """Checks that metadata belong to layers of the model.

    Raises:
        InvalidArgument: If one is no embedding layer.
    """
    if metadata is None or isinstance(metadata, str):
        return
    known = inspection.embedding_names(model)
    unknown = [name for name in metadata if name not in known]
    if not unknown:
        return
    near = nearest_names(unknown[0], known, count=1)
    raise InvalidArgument(
        "Unrecognized `Embedding` layer names passed to "
        "`keras.callbacks.TensorBoard` `embeddings_metadata` argument: "
        f"{unknown}. The model has {sorted(known)}."
        + (f" Did you mean {near[0]!r}?" if near else "")
    )


def _metadata_of(layer_name: str, metadata: Metadata) -> str | None:
    if metadata is None or isinstance(metadata, str):
        return metadata
    return metadata.get(layer_name)


def _as_file_name(layer_name: str) -> str:
    return re.sub(r"[^\w.-]", "_", layer_name)
