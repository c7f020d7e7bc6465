"""The newest of the files that one path template has become."""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING

from kerascb import runtime
from kerascb.checkpoint.commit import is_staged
from kerascb.checkpoint.files.filesystem import filesystem_of
from kerascb.checkpoint.files.remote import is_read_by_tensorflow
from kerascb.checkpoint.path_template import literal, pattern_of

if TYPE_CHECKING:
    from kerascb.checkpoint.files.filesystem import FileSystem

_INDEX = ".index"
_GRAPH = "saved_model.pb"
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
    name = os.path.basename(template)
    folder = literal(template[: len(template) - len(name)])
    if folder is None:
        return None
    pattern = pattern_of(name)
    noted = _noted(folder or os.curdir)
    if noted and pattern.fullmatch(os.path.basename(noted)):
        return folder + os.path.basename(noted)
    files = filesystem_of(folder)
    found = [
        (time, folder + name.removesuffix(_INDEX))
        for name in files.names(folder or os.curdir)
        if not (is_staged(name) or _PART_OF_CHECKPOINT.search(name))
        and pattern.fullmatch(name.removesuffix(_INDEX))
        and (time := _time_of(files, folder + name)) is not None
    ]
    return max(found)[1] if found else None


def _noted(folder: str) -> str | None:
    if not is_read_by_tensorflow(folder):
        return None
    return runtime.latest_checkpoint(folder)


def _time_of(files: FileSystem, path: str) -> float | None:
    """When a checkpoint was written; `None` if it is none, or is gone."""
    kind = files.kind(path)
    # Whatever a folder of such a name is, Keras did not write it.
    if kind is None or (kind == "folder" and _ONE_FILE.search(path)):
        return None
    with contextlib.suppress(FileNotFoundError):
        if not files.is_remote:
            return os.path.getmtime(path)
        # Stores have no time for a folder, and no folder without a file.
        return files.modified(f"{path}/{_GRAPH}" if kind == "folder" else path)
    return None
