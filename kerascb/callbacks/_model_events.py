"""What TensorBoard's events tell of the model itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kerascb.errors import InvalidArgument
from kerascb.events import EventWriter, Runs, images, projector
from kerascb.improvement import nearest_names

if TYPE_CHECKING:
    from kerascb.runtime import Inspection

Metadata = str | Mapping[str, str] | None
"""The file with a line for each row: one for all, or one a layer."""


def write_layer_graph(
    runs: Runs,
    run: str,
    inspection: Inspection,
    model: Any,
    warn: Callable[[str], None],
) -> None:
    """Writes how the layers are connected, if that is known.

    Args:
        runs: The runs of the log directory.
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
        runs[run].keras_graph(0, "keras", model_json)


def write_weights(
    writer: EventWriter,
    inspection: Inspection,
    model: Any,
    epoch: int,
    *,
    as_images: bool,
) -> None:
    """Writes a histogram of each weight.

    Args:
        writer: Where to.
        inspection: Of the model's runtime.
        model: The model.
        epoch: The step.
        as_images: Write pictures too, of those weights that can be one.
    """
    channels_last = inspection.channels_last()
    for name, weight in inspection.weights(model):
        writer.histogram(epoch, f"{name}/histogram", weight)
        pictures = (
            images.weight_as_images(weight, channels_last=channels_last)
            if as_images
            else None
        )
        if pictures is not None:
            writer.images(epoch, f"{name}/image", pictures)


def write_embeddings(
    runs: Runs,
    run: str,
    inspection: Inspection,
    model: Any,
    epoch: int,
    metadata: Metadata,
    warn: Callable[[str], None],
) -> None:
    """Writes the embeddings' tables and what the projector needs to open them.

    Args:
        runs: The runs of the log directory.
        run: The run below which the tables go.
        inspection: Of the model's runtime.
        model: The model; without embeddings nothing is written.
        epoch: Part of the files' names.
        metadata: Files relative to the log directory.
        warn: Told if the projector will not find the tables, because the log
            directory holds checkpoints of somebody else.
    """
    tables = inspection.embeddings(model)
    if not tables:
        return
    checkpoint = f"{run}/keras_embedding.ckpt-{epoch}"
    is_checkpoint = inspection.save_embeddings(
        model, runs.directory(checkpoint)
    )
    entries = []
    for one in tables:
        path = None
        if not is_checkpoint:
            path = f"{checkpoint}.{_as_file_name(one.layer_name)}.tsv"
            projector.write_table(runs.root, path, one.table)
        entries.append(
            projector.Table(
                one.tensor_name, _metadata_of(one.layer_name, metadata), path
            )
        )
    projector.write_config(runs.root, entries)
    if is_checkpoint and not projector.point_to_checkpoint(
        runs.root, checkpoint
    ):
        warn(
            f"TensorBoard: log_dir={runs.root!r} has a file `checkpoint` that "
            "is not ours, so the projector will not find the embeddings. "
            "Choose a log_dir without checkpoints."
        )


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
