"""Checkpoints that a manifest lists, made by hand."""

import os
import shutil

from kerascb.checkpoint.catalog.manifest import Entry, Manifest
from kerascb.checkpoint.commit.staging import Kind, Staging, files_below
from kerascb.checkpoint.files.filesystem import filesystem_of
from kerascb.runtime import Format

KINDS = {
    Format.TF_CHECKPOINT: Kind.PREFIX,
    Format.SAVED_MODEL: Kind.DIRECTORY,
}


def note_of(epoch, **more):
    """A note as a callback makes it."""
    return {
        "epoch": epoch,
        "step": 10 * epoch,
        "time": 1000.0 + epoch,
        "metrics": {"loss": 1 / epoch},
        "monitor": "loss",
        "mode": "min",
        **more,
    }


def put_on_list(folder, name, form, *, epoch=1, by="", **more):
    """Lists what is at a path, as if it had been written just now."""
    files = filesystem_of(str(folder))
    staging = Staging(
        files, os.path.join(folder, name), KINDS.get(form, Kind.FILE)
    )
    entry = Entry.of(name, form, staging.adopt(), note_of(epoch, **more), by)
    manifest = Manifest(files, str(folder))
    manifest.add(entry)
    manifest.settle(name)
    return entry


def put_bytes(folder, name, content=b"some bytes", **more):
    """Writes a file of any bytes, and lists it as an archive."""
    (folder / name).write_bytes(content)
    return put_on_list(folder, name, Format.KERAS, **more)


def files_of(folder, name):
    """The files of a checkpoint, whatever its kind."""
    if os.path.isdir(folder / name):
        return sorted(files_below(filesystem_of(""), str(folder / name)))
    return sorted(
        str(folder / found)
        for found in os.listdir(folder)
        if found.startswith(name)
    )


def copy_of(folder, target):
    """A copy of a folder that may be damaged."""
    return shutil.copytree(folder, target, dirs_exist_ok=True)
