"""A TensorFlow checkpoint takes the place of another of the same prefix.

No call of an operating system replaces two files at once. But an index says
of how many data files it knows, and that number is part of their names: data
files under the names for another number disturb nobody, and the index that
names them makes them the checkpoint in one instant.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from kerascb.checkpoint.commit.writing import write_file
from kerascb.layouts.tensor_bundle import data_suffix, shards_of, with_shards

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kerascb.checkpoint.commit.staging import Staging
    from kerascb.checkpoint.files.filesystem import FileSystem
    from kerascb.checkpoint.files.local import LocalFileSystem

INDEX = ".index"
_SPARE = ".spare"


def show_prefix(files: LocalFileSystem, staging: Staging, target: str) -> None:
    """Makes a checkpoint visible; at every instant one is there, complete.

    The new one ends up under the names that TensorFlow gives it. A process
    that is killed on the way may leave it under those for one more data file,
    which readers do not mind and the next save puts right. Two processes wait
    for each other.

    Args:
        files: The file system.
        staging: Holds the files.
        target: The prefix.
    """
    folder = os.path.dirname(target)
    with files.locked(folder):
        for file in staging.written:
            if not _is_of_bundle(file.name):
                files.move(staging.path_of(file.name), target + file.name)
        if any(file.name == INDEX for file in staging.written):
            _show_bundle(files, staging, target, folder)
        else:  # a saver with files of its own
            files.sync(folder)


def shards_at(files: FileSystem, prefix: str) -> int | None:
    """How many data files the index that is there knows; `None` without one.

    Args:
        files: The file system.
        prefix: Path of the checkpoint.
    """
    path = prefix + INDEX
    if files.kind(path) != "file":
        return None
    with contextlib.suppress(ValueError):
        return shards_of(b"".join(map(bytes, files.read(path))))
    return None


def data_names(shards: int) -> list[str]:
    """How the names of data files go on behind the prefix.

    Args:
        shards: How many there are.
    """
    return [data_suffix(shard, shards) for shard in range(shards)]


def _is_of_bundle(name: str) -> bool:
    return name == INDEX or name.startswith(".data-")


def _show_bundle(
    files: LocalFileSystem, staging: Staging, target: str, folder: str
) -> None:
    index = staging.path_of(INDEX)
    content = b"".join(map(bytes, files.read(index)))
    shards = shards_of(content)
    there = shards_at(files, target)
    named = shards + 1 if there == shards else shards
    if named != shards:
        index = staging.path_of(_SPARE)
        renamed = with_shards(content, named)
        write_file(files, index, INDEX, [renamed], checksums=False)
    pairs = list(zip(data_names(shards), data_names(named), strict=False))
    try:
        for own, name in pairs:
            files.move(staging.path_of(own), target + name)
        files.sync(folder)
        files.move(index, target + INDEX)
    except BaseException:
        # Ctrl-C may come when the index is there, and knows the data files.
        with contextlib.suppress(OSError):
            if shards_at(files, target) != named:
                _remove(files, target, [name for _, name in pairs])
        raise
    files.sync(folder)
    if named != shards:
        _take_usual_names(files, staging, target, pairs)
    unused = {*data_names(there or 0), *data_names(shards + 1)}
    _remove(files, target, unused.difference(data_names(shards)))


def _take_usual_names(
    files: LocalFileSystem,
    staging: Staging,
    target: str,
    pairs: list[tuple[str, str]],
) -> None:
    """From the names for one more data file to those TensorFlow gives."""
    folder = os.path.dirname(target)
    spare = staging.path_of(_SPARE)
    for own, name in pairs:
        files.link(target + name, spare)
        files.move(spare, target + own)
    files.sync(folder)
    files.move(staging.path_of(INDEX), target + INDEX)
    files.sync(folder)


def _remove(files: LocalFileSystem, target: str, names: Iterable[str]) -> None:
    # Nothing refers to them; the next save tries again.
    with contextlib.suppress(OSError):
        for name in names:
            files.remove(target + name)
