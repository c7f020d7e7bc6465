"""A checkpoint is prepared here, and becomes visible far away."""

from __future__ import annotations

import errno
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from kerascb.checkpoint.commit.directory import ENTRY_POINT, is_of_format
from kerascb.checkpoint.commit.local_place import refuse_other
from kerascb.checkpoint.commit.prefix import INDEX, data_names, shards_at
from kerascb.checkpoint.commit.staging import Kind, Staging
from kerascb.checkpoint.commit.writing import read_back
from kerascb.checkpoint.files.local import LocalFileSystem
from kerascb.checkpoint.files.staged_names import staged_name
from kerascb.layouts.tensor_bundle import shards_of, with_shards

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kerascb.checkpoint.commit.writing import Written
    from kerascb.checkpoint.files.remote import RemoteFileSystem


class RemotePlace:
    """The place of one checkpoint that is far away.

    Everything is uploaded into a folder of its own beside the target, compared
    and then renamed; object stores copy on their side, which shows the old or
    the new. One file, and a TensorFlow checkpoint, whose data files go where
    the index that is there does not look, are thereby replaced at one instant.
    The files of a directory are not: they are renamed one after the other, the
    graph last, and between these instants old and new are mixed.

    Args:
        files: The file system.
        path: The checkpoint's path.
        kind: What that is.

    Attributes:
        staging: Takes the files; in a temporary folder of this machine.

    Raises:
        UnwritablePath: If something else is in the way.
        OSError: If the folder cannot be made.
    """

    def __init__(self, files: RemoteFileSystem, path: str, kind: Kind) -> None:
        path = path.rstrip("/")
        there = files.kind(path + (INDEX if kind is Kind.PREFIX else ""))
        if there is not None:
            refuse_other(path, there, kind)
        folder, _, base = path.rpartition("/")
        if not folder.endswith((":", "/")):  # the root is always there
            files.make_folder(folder)
        self._files = files
        self._path = path
        self._kind = kind
        self._staged = staged_name(path)
        self._renames: list[tuple[str, str]] = []
        self._scratch = tempfile.TemporaryDirectory(prefix="kerascb-")
        local = f"{self._scratch.name}/{base}"
        self.staging = Staging(_Scratch(), local, kind)

    def open(self) -> None:
        """Makes the folder that is uploaded to."""
        self._files.make_folder(self._staged)

    def prepare(self, verify: bool) -> tuple[Written, ...]:
        """Uploads everything to where nobody looks for it.

        Args:
            verify: Download and compare it, unless the store has a checksum.

        Returns:
            The files as they will be there.

        Raises:
            OSError: If something else has arrived.
        """
        self.staging.adopt()
        found = [
            (self.staging.path_of(f.name), f) for f in self.staging.written
        ]
        if self._is_bundle():
            found = self._beside_what_is_there(dict(found))
        for number, (local, file) in enumerate(found):
            staged = f"{self._staged}/{number}"
            self._send(local, file, staged, verify)
            self._renames.append((staged, self._target(file.name)))
        return tuple(file for _, file in found)

    def show(self) -> None:
        """Makes the checkpoint visible."""
        surplus = self._surplus()
        last = {self._target(name) for name in (INDEX, ENTRY_POINT)}
        for staged, target in sorted(self._renames, key=lambda r: r[1] in last):
            if self._is_folder():
                self._files.make_folder(target.rpartition("/")[0])
            self._files.move(staged, target)
        for path in surplus.difference(target for _, target in self._renames):
            self._files.remove(path)

    def discard(self) -> None:
        """Removes what is not to be seen."""
        self._scratch.cleanup()
        self._files.remove(self._staged)

    def _is_folder(self) -> bool:
        return os.path.isdir(self.staging.path)

    def _is_bundle(self) -> bool:
        return self._kind is Kind.PREFIX and any(
            file.name == INDEX for file in self.staging.written
        )

    def _target(self, name: str) -> str:
        return (
            f"{self._path}/{name}" if self._is_folder() else self._path + name
        )

    def _beside_what_is_there(
        self, found: dict[str, Written]
    ) -> list[tuple[str, Written]]:
        """Names data files so that the index that is there knows none."""
        index = self.staging.path_of(INDEX)
        content = Path(index).read_bytes()
        shards = named = shards_of(content)
        if shards_at(self._files, self._path) == shards:
            named = shards + 1
            Path(index).write_bytes(with_shards(content, named))
        names = dict(zip(data_names(shards), data_names(named), strict=False))
        del found[index]
        return [
            *(
                (local, replace(file, name=names.get(file.name, file.name)))
                for local, file in found.items()
            ),
            (index, read_back(_Scratch(), index, INDEX)),
        ]

    def _surplus(self) -> set[str]:
        """What belongs to the checkpoint that is there."""
        names: Iterable[str] = ()
        if self._is_bundle():
            names = data_names(shards_at(self._files, self._path) or 0)
        elif self._is_folder():
            names = filter(is_of_format, self._names_there())
        return set(map(self._target, names))

    def _names_there(self, inside: str = "") -> Iterator[str]:
        for name in self._files.names(f"{self._path}/{inside}".rstrip("/")):
            path = inside + name
            if self._files.kind(f"{self._path}/{path}") == "folder":
                yield from self._names_there(f"{path}/")
            else:
                yield path

    def _send(
        self, local: str, file: Written, target: str, verify: bool
    ) -> None:
        self._files.upload(local, target)
        size = self._files.size(target)
        checksum = self._files.checksum(target)
        if checksum is None and verify:
            checksum = read_back(self._files, target, file.name).checksum
        if size != file.size or checksum not in {None, file.checksum}:
            raise OSError(
                errno.EIO, "What was uploaded arrived differently", target
            )


class _Scratch(LocalFileSystem):
    """Of no use after a crash; nothing in it has to reach the disk."""

    def finish(self, handle: int) -> None:
        pass

    def sync(self, path: str) -> None:
        pass
