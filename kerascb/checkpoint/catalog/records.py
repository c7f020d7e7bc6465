"""The checkpoints of a folder, and what is known of each."""

from __future__ import annotations

import os
import re
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kerascb.checkpoint import notes
from kerascb.checkpoint.catalog import verification
from kerascb.checkpoint.catalog.manifest import (
    FILE_NAME,
    Entry,
    FileFacts,
    Manifest,
    join,
    paths_of,
)
from kerascb.checkpoint.commit.staging import files_below
from kerascb.checkpoint.files.filesystem import filesystem_of
from kerascb.checkpoint.files.remote import lent
from kerascb.checkpoint.loading import find
from kerascb.errors import InvalidArgument
from kerascb.runtime import Format

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kerascb.checkpoint.files.filesystem import FileSystem

_INDEX = ".index"
_DATA = re.compile(r"\.data-\d{5}-of-\d{5}$")
_GRAPH = "saved_model.pb"
_NOTED = ("epoch", "batch", "step", "time", "metrics", "monitor", "mode")
_BY_SUFFIX = {
    ".keras": Format.KERAS,
    ".weights.h5": Format.WEIGHTS,
    ".h5": Format.HDF5,
    ".hdf5": Format.HDF5,
}


@dataclass(frozen=True)
class Record:
    """A checkpoint, and what was noted of it when it was written.

    Attributes:
        path: Where it is; of a TensorFlow checkpoint the prefix.
        form: What it is.
        time: When it was written, in seconds since 1970.
        size: Bytes of all its files.
        epoch: The epoch, counted from 1; `None` if it is not known.
        batch: The batch within the epoch, counted from 1; `None` for the
            state at the end of the epoch.
        step: The steps its optimizer had made.
        metrics: What the logs said, name → value.
        monitor: The metric that its callback watched.
        mode: Which way that is better, `"min"` or `"max"`.
        files: What each file was when it was written; the name continues the
            path. Empty without a manifest.
        is_missing: It should be there, and is not.
    """

    path: str
    form: Format
    time: float
    size: int
    epoch: int | None = None
    batch: int | None = None
    step: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    monitor: str | None = None
    mode: str | None = None
    files: Mapping[str, FileFacts] = field(default_factory=dict)
    is_missing: bool = field(default=False, repr=False)
    _folder: str = field(default="", repr=False)
    _candidates: tuple[Entry, ...] = field(default=(), repr=False)

    @property
    def has_checksums(self) -> bool:
        """Whether a manifest tells what its files sum to."""
        return bool(self._candidates)

    def verify(self) -> list[str]:
        """Reads the checkpoint and compares it with what was written.

        Without checksums (`has_checksums`) only damage is found that the
        format itself can tell of: none to the numbers in an HDF5 file.

        Returns:
            What is wrong, a sentence each; nothing if it is whole.
        """
        if not self._candidates:
            with lent(self.path) as path:
                return verification.damage_by_format(path, self.form)
        return verification.damage_by_checksums(
            filesystem_of(self._folder), self._folder, self._candidates
        )


@dataclass(frozen=True)
class Survey:
    """What a look into a folder brought.

    Attributes:
        records: The checkpoints, oldest first; those among them that should
            be there and are not are marked.
        unreadable: How many lines of the manifest are damaged.
    """

    records: list[Record]
    unreadable: int = 0


def checkpoints(directory: str | os.PathLike[str]) -> list[Record]:
    """The checkpoints in a directory, oldest first.

    What `ModelCheckpoint` noted in a manifest is known with its checksums;
    other checkpoints, stock Keras's too, are recognised by what they are.
    Nothing is loaded. TensorFlow is imported for its checkpoints alone, and
    only where there is no manifest.

    Args:
        directory: A directory, on this machine or far away.

    Raises:
        FileNotFoundError: If it does not exist.
        NotADirectoryError: If it is a file.

    Example:
        >>> import tempfile
        >>> from kerascb import checkpoints
        >>> checkpoints(tempfile.mkdtemp())
        []
    """
    found = survey(directory).records
    return [record for record in found if not record.is_missing]


def survey(directory: str | os.PathLike[str]) -> Survey:
    """Looks into a directory; see `checkpoints`.

    Args:
        directory: A directory, on this machine or far away.

    Raises:
        FileNotFoundError: If it does not exist.
        NotADirectoryError: If it is a file.
    """
    folder = os.fspath(directory)
    files = filesystem_of(folder)
    kind = files.kind(folder or os.curdir)
    if kind is None:
        raise FileNotFoundError(f"There is no directory {folder!r}.")
    if kind != "folder":
        raise NotADirectoryError(f"{folder!r} is not a directory.")
    names = files.names(folder or os.curdir)
    timed: list[tuple[float, Record]] = []
    taken: set[str] = set()
    unreadable = 0
    if FILE_NAME in names:
        manifest = Manifest(files, folder)
        unreadable = manifest.unreadable
        timed += _listed(files, folder, manifest, frozenset(names))
        taken = {
            path.partition("/")[0]
            for found in manifest.candidates()
            for path in paths_of(found[-1])
        }
    others = [name for name in names if name not in taken]
    timed += ((one.time, one) for one in _unlisted(files, folder, others))
    timed.sort(key=lambda pair: pair[0])
    return Survey([record for _, record in timed], unreadable)


def _listed(
    files: FileSystem, folder: str, manifest: Manifest, names: frozenset[str]
) -> Iterator[tuple[float, Record]]:
    """What the manifest lists, with times that never run backwards."""
    latest = 0.0
    for found in manifest.candidates():
        is_missing = not _is_there(files, folder, found[-1], names)
        if is_missing and not found[-1].is_settled:
            continue
        entry = _likeliest(folder, found)
        record = _record_of(folder, entry, found, is_missing, latest)
        latest = max(latest, record.time)
        yield latest, record


def _is_there(
    files: FileSystem, folder: str, entry: Entry, names: frozenset[str]
) -> bool:
    return any(
        files.kind(join(folder, path)) == "file"
        if "/" in path
        else path in names
        for path in paths_of(entry)
    )


def _likeliest(folder: str, candidates: list[Entry]) -> Entry:
    """Which of several entries of one path it is, by the note inside it."""
    *_, last = candidates
    if len(candidates) > 1:
        note = notes.read(join(folder, last.path)) or {}
        for entry in candidates:
            if entry.note.get("time") == note.get("time"):
                return entry
    return last


def _record_of(
    folder: str,
    entry: Entry,
    candidates: list[Entry],
    is_missing: bool,
    time: float,
) -> Record:
    return Record(
        join(folder, entry.path),
        entry.form,
        size=sum(facts.size for facts in entry.files.values()),
        files=entry.files,
        is_missing=is_missing,
        _folder=folder,
        _candidates=tuple(candidates),
        **_noted(entry.note, time),
    )


def _unlisted(
    files: FileSystem, folder: str, names: list[str]
) -> Iterator[Record]:
    """What no manifest lists, but is a checkpoint by its name and content."""
    shards: dict[str, list[str]] = {}
    for name in names:
        if _DATA.search(name):
            shards.setdefault(_DATA.sub("", name), []).append(name)
    for name in names:
        path = join(folder, name)
        if name.startswith("."):
            continue
        if name.endswith(_INDEX):
            prefix = name.removesuffix(_INDEX)
            parts = [name, *shards.get(prefix, ())]
            yield _unlisted_record(
                files,
                join(folder, prefix),
                Format.TF_CHECKPOINT,
                [join(folder, part) for part in parts],
            )
        elif form := _form_of_file(files, path):
            yield _unlisted_record(files, path, form, [path])
        elif files.kind(join(path, _GRAPH)) == "file":
            yield _unlisted_record(
                files,
                path,
                Format.SAVED_MODEL,
                [join(path, _GRAPH), *files_below(files, path)],
            )


def _form_of_file(files: FileSystem, path: str) -> Format | None:
    by_name = next(
        (form for end, form in _BY_SUFFIX.items() if path.endswith(end)), None
    )
    if by_name is None or files.kind(path) != "file":
        return None
    if files.is_remote:
        return by_name
    try:
        form = find(path).form
    except (OSError, InvalidArgument, ValueError, zipfile.BadZipFile):
        return by_name  # damaged, perhaps
    is_sure = form is not Format.WEIGHTS or by_name is Format.WEIGHTS
    return form if is_sure or notes.read(path) else None


def _unlisted_record(
    files: FileSystem, path: str, form: Format, parts: list[str]
) -> Record:
    noted = _noted(notes.read(path) or {}, files.modified(parts[0]))
    size = sum(map(files.size, dict.fromkeys(parts)))
    return Record(path, form, size=size, **noted)


def _noted(note: Mapping[str, Any], time: float) -> dict[str, Any]:
    found = {name: note[name] for name in _NOTED if name in note}
    return {"time": time, **found}
