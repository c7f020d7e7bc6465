"""Whether a path can be written to, before anything is spent on it."""

from __future__ import annotations

import errno
import os
import string
from pathlib import Path

from kerascb.checkpoint.commit.directory import can_be_renamed
from kerascb.checkpoint.files.staged_names import staged_name
from kerascb.errors import UnwritablePath
from kerascb.paths import existing_part, is_remote, obstacle_in
from kerascb.runtime import Format

_BY_THE_MODEL = frozenset({Format.OWN, Format.OWN_WEIGHTS})
_FOR_EVER = frozenset(
    {
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOENT,  # by the system itself: a folder such as /proc
        errno.ENOSYS,
        errno.ENOTSUP,
    }
)
"""Errors that no free space and no second try do away with."""


def check_writable(template: str, form: Format, owner: str) -> None:
    """Refuses a path where nothing can ever be written.

    Only what is before the first placeholder can be judged; of a remote path,
    nothing. What permissions do not tell (root has all of them, and a server
    may refuse) is found out by making a folder, which is removed at once.

    Args:
        template: A path or a template of one.
        form: What will be written there.
        owner: The class that writes, for the message.

    Raises:
        UnwritablePath: If a file is where a folder must be, the other way
            round, if a file is write-protected, or if the folder does not let
            us write.
    """
    if is_remote(template):
        return
    is_template = any(
        name is not None for _, name, _, _ in string.Formatter().parse(template)
    )
    if is_template:
        obstacle = obstacle_found_in(os.path.dirname(_fixed_part(template)))
    else:
        check_kind(template.format(), form, owner)
        obstacle = _obstacle_to(template.format(), form)
    if obstacle:
        raise UnwritablePath(
            f"{owner} cannot write to filepath={template!r}: {obstacle}. "
            "Choose another path."
        )


def check_kind(path: str, form: Format, owner: str) -> None:
    """Refuses a directory where a file will be written, and a file for one.

    Args:
        path: A path without placeholders.
        form: What will be written there.
        owner: The class that writes, for the message.

    Raises:
        UnwritablePath: If the other kind is there.
    """
    if is_remote(path):
        return
    if form.is_one_file and Path(path).is_dir():
        raise UnwritablePath(
            f"Please specify a non-directory filepath for {owner}. Filepath "
            f"used is an existing directory: {path}"
        )
    if form is Format.SAVED_MODEL and Path(path).is_file():
        raise UnwritablePath(
            f"{owner} needs a directory for {form.value}; filepath={path!r} "
            "is an existing file. Remove it or choose another path."
        )


def obstacle_found_in(folder: str) -> str | None:
    """Why a folder could not be made, or not be written in.

    What permissions do not tell is found out by making something in it, or in
    what is next above it, which is removed at once. A disk that is only full
    is no obstacle: somebody may make room.

    Args:
        folder: A path of the operating system; `""` is the current folder.

    Returns:
        A clause that names the obstacle; `None` if there is none.
    """
    return obstacle_in(folder) or _refusal_of(existing_part(folder))


def _obstacle_to(path: str, form: Format) -> str | None:
    """Why a save could not put what it writes in the place of a path."""
    is_there = os.path.isfile(path)
    is_open = os.access(path, os.W_OK)
    if form in _BY_THE_MODEL and is_there and is_open:
        return None  # written over, perhaps
    if form.is_one_file and is_there and not is_open:
        return f"{path!r} is write-protected"
    return obstacle_found_in(_folder_of(path, form))


def _folder_of(path: str, form: Format) -> str:
    """Where a save makes something new, to rename it."""
    if form is Format.TF_CHECKPOINT or form in _BY_THE_MODEL:
        return os.path.dirname(path)
    target = os.path.realpath(path)
    if os.path.isdir(target) and not can_be_renamed(target):
        return target
    return os.path.dirname(target)


def _refusal_of(folder: Path) -> str | None:
    """Why the system lets nothing new be in a folder, if it says so."""
    trial = staged_name(str(folder / "trial"))
    try:
        os.mkdir(trial)
        os.rmdir(trial)
    except OSError as error:
        if error.errno in _FOR_EVER:
            return f"nothing can be made in {str(folder)!r} ({error.strerror})"
    return None


def _fixed_part(template: str) -> str:
    """The path up to the first placeholder."""
    fixed = ""
    for text, name, _, _ in string.Formatter().parse(template):
        fixed += text
        if name is not None:
            break
    return fixed
