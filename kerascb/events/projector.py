"""The files from which TensorBoard's projector shows embeddings.

The projector goes through the runs. It lists one that has a file `checkpoint`
in its folder or in the one above, which points to the TensorFlow checkpoint
with the tables, or a `projector_config.pbtxt` that names files of tab-separated
numbers. It opens the first that it has listed, shows the words of a
configuration beside the checkpoint only, and reads nothing outside the
configuration's folder. Therefore all files, copies of the metadata among them,
go into the folder of one run: it is the only one listed, wherever below its
`--logdir` TensorBoard finds it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kerascb.events import storage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kerascb.events.writer import Array

CONFIG_FILE = "projector_config.pbtxt"
_POINTER_FILE = "checkpoint"


@dataclass(frozen=True)
class Table:
    """One embedding as the projector knows it.

    Attributes:
        name: The tensor's name in the checkpoint, and the one shown.
        metadata_path: A file with one line a row, or `None`.
        path: The file with the numbers, or `None` if they are in the
            checkpoint. Both paths are relative to the configuration.
    """

    name: str
    metadata_path: str | None = None
    path: str | None = None


def write_config(directory: str, tables: Iterable[Table]) -> None:
    """Names the tables and their metadata."""
    storage.write_text(
        storage.join(directory, CONFIG_FILE),
        "".join(_as_message(table) for table in tables),
    )


def point_to_checkpoint(directory: str, checkpoint: str) -> bool:
    """Makes a checkpoint the one that the projector opens.

    Args:
        directory: Where the projector's configuration is.
        checkpoint: The checkpoint's name in it, `<stem>-<number>`.

    Returns:
        False if the directory holds checkpoints of somebody else, whose
        pointer was left as it is.
    """
    path = storage.join(directory, _POINTER_FILE)
    present = storage.read_text(path)
    stem = checkpoint.rpartition("-")[0]
    if present and f'model_checkpoint_path: "{stem}-' not in present:
        return False
    storage.write_text(
        path,
        f'model_checkpoint_path: "{checkpoint}"\n'
        f'all_model_checkpoint_paths: "{checkpoint}"\n',
    )
    return True


def write_table(directory: str, path: str, rows: Array) -> None:
    """Writes a table as tab-separated numbers.

    Args:
        directory: Where the projector's configuration is.
        path: The file, relative to it.
        rows: Shape `(rows, dimensions)`.
    """
    with storage.open_to_write(storage.join(directory, path), "w") as file:
        np.savetxt(file, rows, fmt="%.9g", delimiter="\t")


def _as_message(table: Table) -> str:
    """A table in the text format of protocol buffers."""
    fields = {
        "tensor_name": table.name,
        "metadata_path": table.metadata_path,
        "tensor_path": table.path,
    }
    lines = [
        # Strings are quoted as in JSON.
        f"  {name}: {json.dumps(value, ensure_ascii=False)}\n"
        for name, value in fields.items()
        if value is not None
    ]
    return "".join(["embeddings {\n", *lines, "}\n"])
