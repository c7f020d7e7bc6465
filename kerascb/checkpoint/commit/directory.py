"""A SavedModel directory takes the place of another."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from kerascb.checkpoint.files.staged_names import is_staged, staged_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kerascb.checkpoint.files.local import LocalFileSystem

ENTRY_POINT = "saved_model.pb"
"""What makes a directory one that can be loaded; it comes last."""

_OF_THE_FORMAT = frozenset(
    {
        ENTRY_POINT,
        "saved_model.pbtxt",
        "fingerprint.pb",
        "keras_metadata.pb",
        "variables",
        "assets",
    }
)
_NO_EXCHANGE = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP})
_NOT_AS_A_WHOLE = frozenset({errno.EXDEV, errno.EBUSY})

_log = logging.getLogger(__name__)


def is_of_format(name: str) -> bool:
    """Whether a save decides alone what stands there.

    The rest is the user's: warm-up data of a server, notes, event files.

    Args:
        name: Relative to the directory.

    Example:
        >>> is_of_format("variables/variables.index"), is_of_format("README.md")
        (True, False)
    """
    top, _, rest = name.partition("/")
    return top in _OF_THE_FORMAT or (
        top == "assets.extra" and rest.startswith("kerascb.")
    )


def can_be_renamed(target: str) -> bool:
    """Whether a directory may be replaced as a whole.

    A mounted volume cannot be renamed, the current folder should not be, and
    beside some there is no permission to write.

    Args:
        target: An existing directory, absolute and without links.
    """
    return not (
        os.path.ismount(target)
        or _is_current(target)
        or not os.access(os.path.dirname(target), os.W_OK | os.X_OK)
    )


def show_directory(files: LocalFileSystem, staged: str, target: str) -> None:
    """Makes a directory visible.

    Where the system can exchange two names (Linux, macOS), a complete
    directory is visible at every instant. Where it cannot, the old one is out
    of sight between two renames; a process killed there leaves it for
    `clean_leftovers` to put back. Where a directory cannot be renamed at all,
    its files are replaced one by one, the graph last.

    What a user keeps in the directory stays there. What comes while it is
    exchanged and cannot be taken along stays in the old one, which is kept
    then. That is logged, with its name, and not raised; so is what cannot be
    tidied up once the new directory is visible.

    Args:
        files: The file system.
        staged: The complete directory; what is there afterwards can go.
        target: Where it shall be; absolute and without links.
    """
    parent = os.path.dirname(target)
    with files.locked(parent):
        if files.kind(target) is None:
            _sync_folders(files, staged)
            files.move(staged, target)
            files.sync(parent)
        elif os.path.dirname(staged) == target:
            _sync_folders(files, staged)
            _replace_files(files, staged, target)
        else:
            files.copy_mode(target, staged)
            _carry_over(files, target, staged)
            _sync_folders(files, staged)
            _replace(files, staged, target)


def _is_current(target: str) -> bool:
    try:
        return Path.cwd().is_relative_to(target)
    except FileNotFoundError:  # somebody has removed the current folder
        return False


def _replace(files: LocalFileSystem, staged: str, target: str) -> None:
    try:
        files.exchange(staged, target)
    except OSError as error:
        if error.errno in _NO_EXCHANGE:
            _replace_in_two_steps(files, staged, target)
        elif error.errno in _NOT_AS_A_WHOLE:
            _replace_files(files, staged, target)
        else:
            raise
        return
    try:
        files.sync(os.path.dirname(target))
    except BaseException:
        with contextlib.suppress(OSError):
            files.exchange(staged, target)
        raise
    _carry_over_late(files, staged, target)


def _sync_folders(files: LocalFileSystem, folder: str) -> None:
    """Has the names in a folder and in those below it reach the disk."""
    for name in files.names(folder):
        path = f"{folder}/{name}"
        if _is_folder(files, path):
            _sync_folders(files, path)
    files.sync(folder)


def _carry_over(files: LocalFileSystem, source: str, target: str) -> None:
    """Gives what is the user's a second name in another directory."""
    for name in _of_the_user(files, source):
        old, new = f"{source}/{name}", f"{target}/{name}"
        if _is_folder(files, old):
            files.make_folder(new)
        elif not os.path.lexists(new):
            files.link(old, new)


def _carry_over_late(files: LocalFileSystem, old: str, target: str) -> None:
    """Takes along what has come while the old directory was exchanged."""
    try:
        _carry_over(files, old, target)
    except BaseException as error:
        _log.warning("Cannot tidy up after saving to %s: %s", target, error)
        if not _is_carried_over(files, old, target):
            kept = staged_name(target, role="kept")
            files.move(old, kept)
            _log.warning(
                "Not all of what you keep in %s could stay there; you find it "
                "in %s, which is left to you",
                target,
                kept,
            )
        if not isinstance(error, OSError):
            raise


def _is_carried_over(files: LocalFileSystem, old: str, target: str) -> bool:
    try:
        return all(
            os.path.lexists(f"{target}/{name}")
            for name in _of_the_user(files, old)
        )
    except OSError:
        return False


def _of_the_user(
    files: LocalFileSystem, folder: str, inside: str = ""
) -> Iterator[str]:
    """What no save writes, relative to a directory; folders come first."""
    for name in files.names(f"{folder}/{inside}".rstrip("/")):
        within = inside + name
        if is_of_format(within) or is_staged(name):
            continue
        yield within
        if _is_folder(files, f"{folder}/{within}"):
            yield from _of_the_user(files, folder, f"{within}/")


def _is_folder(files: LocalFileSystem, path: str) -> bool:
    return files.kind(path) == "folder" and not os.path.islink(path)


def _replace_in_two_steps(
    files: LocalFileSystem, staged: str, target: str
) -> None:
    aside = staged_name(target, role="old")
    try:
        files.move(target, aside)
        files.move(staged, target)
        files.sync(os.path.dirname(target))
    except BaseException:
        if files.kind(aside) is not None:
            if files.kind(target) is not None:
                files.move(target, staged)
            files.move(aside, target)
        raise
    _carry_over_late(files, aside, target)
    try:
        files.remove(aside)
    except OSError as error:  # the new directory is there, and whole
        _log.warning("Cannot tidy up after saving to %s: %s", target, error)


def _replace_files(
    files: LocalFileSystem, staged: str, target: str, inside: str = ""
) -> None:
    names = files.names(staged)
    for name in sorted(names, key=lambda name: (name == ENTRY_POINT, name)):
        new, old = f"{staged}/{name}", f"{target}/{name}"
        if files.kind(new) != "folder" or files.kind(old) is None:
            files.move(new, old)
        elif not (inside + name == "variables" and _exchange(files, new, old)):
            _replace_files(files, new, old, f"{inside}{name}/")
    for name in files.names(target):
        if is_of_format(inside + name) and name not in names:
            files.remove(f"{target}/{name}")
    files.sync(target)


def _exchange(files: LocalFileSystem, one: str, other: str) -> bool:
    try:
        files.exchange(one, other)
    except OSError as error:
        if error.errno in _NO_EXCHANGE | _NOT_AS_A_WHOLE:
            return False
        raise
    return True
