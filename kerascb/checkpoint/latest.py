"""The newest of the files that one path template has become."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from kerascb import runtime
from kerascb.checkpoint.commit import is_staged
from kerascb.checkpoint.path_template import literal, pattern_of
from kerascb.paths import is_remote

if TYPE_CHECKING:
    from collections.abc import Iterator

_INDEX = ".index"
_PART_OF_CHECKPOINT = re.compile(r"\.data-\d{5}-of-\d{5}$|^checkpoint$")
_ONE_FILE = re.compile(r"\.(keras|h5|hdf5)$")


def newest(template: str) -> str | None:
    """What was written last under a template.

    A TensorFlow checkpoint that its folder notes as the newest comes first,
    for it is more to be relied on than times. Among files of the same time
    the one with the largest name is taken; a name that needs not be the last
    one written (`{val_loss}`), but is so for `{epoch:02d}`.

    Args:
        template: A path, with or without placeholders in its last part; on
            this machine or far away.

    Returns:
        The path, for a TensorFlow checkpoint its prefix; `None` if there is
        none.
    """
    folder = literal(os.path.dirname(template))
    if folder is None:
        return None
    pattern = pattern_of(os.path.basename(template))
    noted = runtime.latest_checkpoint(folder or ".")
    if noted and pattern.fullmatch(os.path.basename(noted)):
        return os.path.join(folder, os.path.basename(noted))
    found = [
        (time, os.path.join(folder, prefix))
        for name, time in _entries(folder or ".")
        if not _PART_OF_CHECKPOINT.search(name)
        and pattern.fullmatch(prefix := name.removesuffix(_INDEX))
    ]
    return max(found)[1] if found else None


def _entries(folder: str) -> Iterator[tuple[str, float]]:
    """What may be a checkpoint in a folder: names and times of writing."""
    entries = _far(folder) if is_remote(folder) else _near(folder)
    for name, time, is_folder in entries:
        # Whatever a folder of such a name is, Keras did not write it.
        if not (is_folder and _ONE_FILE.search(name)) and not is_staged(name):
            yield name, time


def _near(folder: str) -> Iterator[tuple[str, float, bool]]:
    if os.path.isdir(folder):
        with os.scandir(folder) as entries:
            for entry in entries:
                yield entry.name, entry.stat().st_mtime, entry.is_dir()


def _far(folder: str) -> Iterator[tuple[str, float, bool]]:
    files = runtime.gfile()
    if files.isdir(folder):
        for entry in files.listdir(folder):
            name = entry.rstrip("/")
            status = files.stat(os.path.join(folder, name))
            yield name, status.mtime_nsec, status.is_directory
