"""A checkpoint is prepared and becomes visible on this machine."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from kerascb.checkpoint.commit.directory import can_be_renamed, show_directory
from kerascb.checkpoint.commit.prefix import INDEX, show_prefix
from kerascb.checkpoint.commit.staging import Kind, Staging
from kerascb.checkpoint.files.staged_names import staged_name
from kerascb.errors import UnwritablePath

if TYPE_CHECKING:
    from kerascb.checkpoint.commit.writing import Written
    from kerascb.checkpoint.files.filesystem import Entry
    from kerascb.checkpoint.files.local import LocalFileSystem


class LocalPlace:
    """The place of one checkpoint on a disk of this machine.

    Args:
        files: The file system.
        path: The checkpoint's path.
        kind: What that is.
        checksums: Sum up what is written.

    Attributes:
        staging: Takes the files.

    Raises:
        UnwritablePath: If something else is in the way.
        PermissionError: If the file that is there is write-protected.
        OSError: If the folder cannot be made.
    """

    def __init__(
        self,
        files: LocalFileSystem,
        path: str,
        kind: Kind,
        *,
        checksums: bool = True,
    ) -> None:
        self._files = files
        self._target = _target_of(path, kind)
        folder = os.path.dirname(self._target)
        files.make_folder(folder)
        _refuse_obstacle(files, path, self._target, kind)
        self._staged = staged_name(self._target)
        inner = self._staged
        if kind is Kind.PREFIX:
            inner = f"{self._staged}/{os.path.basename(self._target)}"
        elif (
            kind is Kind.DIRECTORY
            and files.kind(self._target)
            and not can_be_renamed(self._target)
        ):
            name = os.path.basename(self._staged)
            self._staged = inner = f"{self._target}/{name}"
        self._kind = kind
        self.staging = Staging(files, inner, kind, checksums=checksums)

    def open(self) -> None:
        """Makes the folder that the staging needs."""
        if self._kind is Kind.PREFIX:
            self._files.make_folder(self._staged)

    def prepare(self, verify: bool) -> tuple[Written, ...]:
        """Completes what is staged.

        Args:
            verify: Have the disk give it back, and compare.

        Raises:
            OSError: If that is something else.
        """
        self.staging.adopt()
        if verify and (path := self.staging.altered()):
            raise OSError(
                errno.EIO, "What was written reads back differently", path
            )
        return self.staging.written

    def show(self) -> None:
        """Makes the checkpoint visible."""
        if self._kind is Kind.PREFIX:
            show_prefix(self._files, self.staging, self._target)
        elif self._files.kind(self._staged) == "folder":
            show_directory(self._files, self._staged, self._target)
        else:
            self._show_file()

    def discard(self) -> None:
        """Removes what is not, or no longer, to be seen."""
        self._files.remove(self._staged)

    def _show_file(self) -> None:
        if self._files.kind(self._target):
            self._files.copy_mode(self._target, self._staged)
        self._files.move(self._staged, self._target)
        self._files.sync(os.path.dirname(self._target))


def refuse_other(path: str, there: Entry, kind: Kind) -> None:
    """Refuses to replace what no checkpoint of that kind can be.

    Args:
        path: Where it stands.
        there: What it is.
        kind: What the path is to be.

    Raises:
        UnwritablePath: If it is none that can be replaced.
    """
    wanted = "folder" if kind is Kind.DIRECTORY else "file"
    if there != wanted:
        found = "device or pipe" if there == "other" else there
        raise UnwritablePath(
            f"Cannot save to {path!r}: a {wanted} is to be written there, and "
            f"a {found} has that name. Choose another path, or remove it."
        )


def _target_of(path: str, kind: Kind) -> str:
    """What is to be replaced: not a link, but what it leads to."""
    if kind is not Kind.PREFIX:
        return os.path.realpath(path)
    folder, base = os.path.split(path)
    return os.path.join(os.path.realpath(folder), base)


def _refuse_obstacle(
    files: LocalFileSystem, path: str, target: str, kind: Kind
) -> None:
    if kind is Kind.PREFIX:
        path, target = path + INDEX, target + INDEX
    there = files.kind(target)
    if there is None:
        return
    refuse_other(path, there, kind)
    if there == "file":
        files.check_writable(target)
