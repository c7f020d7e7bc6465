"""The files from which TensorBoard's projector shows embeddings.

The projector opens `projector_config.pbtxt` of a log directory and finds the
tables it names in the latest TensorFlow checkpoint, which a file `checkpoint`
beside it points to; or, where there is no TensorFlow, in files of
tab-separated numbers.
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
            checkpoint. Both paths are relative to the log directory.
    """

    name: str
    metadata_path: str | None = None
    path: str | None = None


def write_config(log_dir: str, tables: Iterable[Table]) -> None:
    """Names the tables and their metadata."""
    storage.write_text(
        storage.join(log_dir, CONFIG_FILE),
        "".join(_as_message(table) for table in tables),
    )


def point_to_checkpoint(log_dir: str, checkpoint: str) -> bool:
    """Makes a checkpoint the one that the projector opens.

    Args:
        log_dir: Where the projector's configuration is.
        checkpoint: The checkpoint's prefix, relative to `log_dir`.

    Returns:
        False if the log directory holds checkpoints of somebody else, whose
        pointer was left as it is.
    """
    path = storage.join(log_dir, _POINTER_FILE)
    present = storage.read_text(path)
    run = checkpoint.partition("/")[0]
    if present and f'model_checkpoint_path: "{run}/' not in present:
        return False
    storage.write_text(
        path,
        f'model_checkpoint_path: "{checkpoint}"\n'
        f'all_model_checkpoint_paths: "{checkpoint}"\n',
    )
    return True


def write_table(log_dir: str, path: str, rows: Array) -> None:
    """Writes a table as tab-separated numbers.

    Args:
        log_dir: Where the projector's configuration is.
        path: The file, relative to `log_dir`.
        rows: Shape `(rows, dimensions)`.
    """
    with storage.open_to_write(storage.join(log_dir, path), "w") as file:
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
