"""Folders and files, local and remote.

A local path goes through Python's own functions, so that logging from JAX or
torch does not import a TensorFlow that happens to be installed. A path with a
scheme (`gs://…`, `s3://…`) goes through `tensorboard.compat`, which uses
TensorFlow's file systems where it has them and fsspec's elsewhere.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

from kerascb.paths import is_remote


def join(root: str, *parts: str) -> str:
    """A path below `root`, with slashes where the root is remote."""
    if is_remote(root):
        return "/".join([root.rstrip("/"), *parts])
    return os.path.join(root, *parts)


def open_to_write(path: str, mode: str) -> IO[Any]:
    """Opens a file for writing; makes the folders above it.

    Args:
        path: Where.
        mode: `"w"` or `"wb"`.
    """
    if is_remote(path):
        gfile = _gfile()
        gfile.makedirs(path.rpartition("/")[0])
        remote: IO[Any] = gfile.GFile(path, mode)
        return remote
    local = Path(path)
    local.parent.mkdir(parents=True, exist_ok=True)
    return local.open(mode, encoding=None if "b" in mode else "utf-8")


def write_text(path: str, text: str) -> None:
    """Puts a text in the place of a file's content."""
    with open_to_write(path, "w") as file:
        file.write(text)


def read_text(path: str) -> str | None:
    """A file's content; `None` if there is no such file."""
    if is_remote(path):
        gfile = _gfile()
        if not gfile.exists(path):
            return None
        with gfile.GFile(path, "r") as file:
            return str(file.read())
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _gfile() -> Any:
    # Only remote paths need it, and it may import TensorFlow.
    from tensorboard.compat import tf  # noqa: PLC0415

    return tf.io.gfile
