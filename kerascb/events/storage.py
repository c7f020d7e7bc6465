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


def copy(source: str, target: str) -> bool:
    """Copies a file; makes the folders above the copy.

    Args:
        source: The file, local or remote.
        target: Its copy, local or remote; replaced if it is there.

    Returns:
        False if there is no such file; nothing was made.
    """
    content: bytes
    if is_remote(source):
        gfile = _gfile()
        if not gfile.exists(source):
            return False
        with gfile.GFile(source, "rb") as file:
            content = file.read()
    else:
        try:
            content = Path(source).read_bytes()
        except FileNotFoundError:
            return False
    with open_to_write(target, "wb") as file:
        file.write(content)
    return True


def names_in(directory: str) -> list[str]:
    """The names of what is in a folder; none if it is not there."""
    if is_remote(directory):
        gfile = _gfile()
        if not gfile.isdir(directory):
            return []
        return [str(name).rstrip("/") for name in gfile.listdir(directory)]
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        return []


def size_of(path: str) -> int:
    """How many bytes a file has."""
    if is_remote(path):
        return int(_gfile().stat(path).length)
    return os.path.getsize(path)


def cut(path: str, size_bytes: int) -> None:
    """Takes the end off a file.

    A remote one is written anew beside itself and put in its place; where the
    file system cannot rename, it is written over.

    Args:
        path: The file.
        size_bytes: How much to leave of it.
    """
    if not is_remote(path):
        os.truncate(path, size_bytes)
        return
    gfile = _gfile()
    with gfile.GFile(path, "rb") as file:
        content = file.read(size_bytes)
    # The small gfile of the tensorboard package has no `rename`.
    can_rename = hasattr(gfile, "rename")
    staged = f"{path.rpartition('/')[0]}/.tmp-cut" if can_rename else path
    with gfile.GFile(staged, "wb") as file:
        file.write(content)
    if can_rename:
        gfile.rename(staged, path, overwrite=True)


def remove(path: str) -> None:
    """Removes a file; empties it where the file system cannot."""
    if not is_remote(path):
        os.remove(path)
        return
    gfile = _gfile()
    if hasattr(gfile, "remove"):
        gfile.remove(path)
    else:
        with gfile.GFile(path, "wb") as file:
            file.write(b"")


def _gfile() -> Any:
    # Only remote paths need it, and it may import TensorFlow.
    from tensorboard.compat import tf  # noqa: PLC0415

    return tf.io.gfile
