"""Whether a checkpoint is what was written.

A checksum of whole files finds every change of a byte. Without one, what the
formats have of their own must do: archives and TensorFlow checkpoints sum up
their contents, but not all that is around them; HDF5 files sum up nothing, so
that only a file that was cut, or whose structure is damaged, is noticed.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from typing import TYPE_CHECKING

import h5py

from kerascb import runtime
from kerascb.checkpoint.catalog.manifest import FileFacts, join, paths_of
from kerascb.checkpoint.commit.prefix import INDEX, data_names, shards_at
from kerascb.layouts.checksums import crc32c
from kerascb.layouts.tensor_bundle import with_shards
from kerascb.paths import is_remote
from kerascb.runtime import Format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kerascb.checkpoint.catalog.manifest import Entry
    from kerascb.checkpoint.files.filesystem import FileSystem

_ARCHIVE_IN_DIRECTORY = os.path.join("assets.extra", "kerascb.keras")
_VARIABLES = os.path.join("variables", "variables")


def damage_by_checksums(
    files: FileSystem, folder: str, candidates: Sequence[Entry]
) -> list[str]:
    """Compares a checkpoint with what its manifest says it may be.

    Args:
        files: The file system.
        folder: Where the manifest is.
        candidates: What the checkpoint may be; one entry at least.

    Returns:
        How it differs from the last of them, a sentence a file; nothing if
        it is one of them.
    """
    known: dict[str, FileFacts] = {}
    found = [_differences(files, folder, one, known) for one in candidates]
    return [] if [] in found else found[-1]


def damage_by_format(path: str, form: Format) -> list[str]:
    """Looks for damage with what a format has of its own.

    Args:
        path: The checkpoint.
        form: What it is.

    Returns:
        What is wrong, a sentence each; nothing does not mean that every byte
        is what it was.
    """
    if form is Format.TF_CHECKPOINT:
        return _damage_in_variables(path)
    if form is not Format.SAVED_MODEL:
        with runtime.files_of(path).reading(
            path, name=os.path.basename(path)
        ) as local:
            return _damage_in_file(local, path)
    found = _damage_in_variables(os.path.join(path, _VARIABLES))
    archive = os.path.join(path, _ARCHIVE_IN_DIRECTORY)
    if not is_remote(path) and os.path.exists(archive):
        found += _damage_in_file(archive, archive)
    return found


def _differences(
    files: FileSystem,
    folder: str,
    entry: Entry,
    known: dict[str, FileFacts],
) -> list[str]:
    found = []
    for path, expected in zip(
        paths_of(entry), entry.files.values(), strict=True
    ):
        difference = _difference(files, folder, path, expected, known)
        if difference:
            found.append(f"{path} {difference}")
    is_bundle = entry.form is Format.TF_CHECKPOINT
    if found and is_bundle and _is_half_renamed(files, folder, entry):
        return []
    return found


def _is_half_renamed(files: FileSystem, folder: str, entry: Entry) -> bool:
    """Whether a TensorFlow checkpoint is whole, under other names.

    So a kill may leave it that came while it took another one's place; see
    `show_prefix`.
    """
    prefix = join(folder, entry.path)
    shards = len(entry.files) - 1
    try:
        if shards_at(files, prefix) != shards + 1:
            return False
        index = b"".join(map(bytes, files.read(prefix + INDEX)))
        written = with_shards(index, shards)
        if with_shards(written, shards + 1) != index:
            return False  # its own checksum is not what it should be
        found = {INDEX: FileFacts(len(written), crc32c(written))}
        for own, name in zip(
            data_names(shards), data_names(shards + 1), strict=False
        ):
            found[own] = _facts_of(files, prefix + name)
    except (OSError, ValueError):
        return False
    return found == entry.files


def _difference(
    files: FileSystem,
    folder: str,
    path: str,
    expected: FileFacts,
    known: dict[str, FileFacts],
) -> str | None:
    try:
        if files.kind(join(folder, path)) != "file":
            return "is missing"
        size = files.size(join(folder, path))
        if size != expected.size:
            return f"has {size:,} bytes, not the {expected.size:,} written"
        if path not in known:
            known[path] = _facts_of(files, join(folder, path))
        facts = known[path]
    except OSError as error:
        return f"cannot be read: {error}"
    if facts == expected:
        return None
    return (
        f"is not what was written: its CRC-32C is {facts.checksum:08x}, not "
        f"{expected.checksum:08x}"
    )


def _facts_of(files: FileSystem, path: str) -> FileFacts:
    size = checksum = 0
    for piece in files.read(path):
        size += len(piece)
        checksum = crc32c(piece, checksum)
    return FileFacts(size, checksum)


def _damage_in_file(local: str, path: str) -> list[str]:
    try:
        if zipfile.is_zipfile(local):
            with zipfile.ZipFile(local) as archive:
                broken = archive.testzip()
            return [f"{path}: {broken} in it is damaged"] if broken else []
        with h5py.File(local, "r") as file:
            file.visititems(_read)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        return [f"{path} cannot be read: {error}"]
    except (zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        return [f"{path} cannot be read: {error}"]
    return []


def _read(name: str, item: object) -> None:
    del name
    if isinstance(item, h5py.Dataset):
        item[()]


def _damage_in_variables(prefix: str) -> list[str]:
    damage = runtime.damage_in(prefix)
    return [] if damage is None else [f"{prefix} cannot be read: {damage}"]
