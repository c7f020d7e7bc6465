"""What killed runs have left behind."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from kerascb.checkpoint.files.local import LocalFileSystem
from kerascb.checkpoint.files.staged_names import (
    is_abandoned,
    is_own,
    is_staged,
    set_aside,
)
from kerascb.checkpoint.path_template import home_of, literal, pattern_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kerascb.checkpoint.files.filesystem import FileSystem

_NEWEST = "checkpoint"
"""The file in which TensorFlow notes which checkpoint is the newest."""
_log = logging.getLogger(__name__)


def clean_all_leftovers(files: FileSystem, template: str) -> None:
    """Does what `clean_leftovers` does wherever saves may have left something.

    That is where the manifest is, and in every folder that the template has
    become. On this machine also beside what a link there leads to, for that
    is what is replaced, and inside the directories that the template has
    become, for they may be such that cannot be renamed. What does not match
    the template is not looked into.

    Args:
        files: The file system.
        template: The path of checkpoints, with or without placeholders.
    """
    places = [home_of(template)]
    for folder in _folders_of(files, os.path.dirname(template)):
        places.append(folder)
        if not files.is_remote:
            name = os.path.basename(template)
            places += _off_the_folder(files, folder, name)
    for place in dict.fromkeys(places):
        clean_leftovers(files, place)


def clean_leftovers(files: FileSystem, folder: str) -> None:
    """Removes what runs that were killed had not finished; only kerascb's.

    What a run that still goes on is writing stays, and so does, for a week,
    what another machine wrote. A directory that was put out of the way for a
    new one that never came is put back, this process's as well. What cannot
    be removed is logged.

    Args:
        files: The file system.
        folder: Where checkpoints lie; need not exist.
    """
    for name in _names(files, folder):
        path = f"{folder}/{name}" if folder else name
        try:
            former = set_aside(name)
            place = path.removesuffix(name) + (former or "")
            if is_abandoned(files, folder or ".", name):
                if former and files.kind(place) is None:
                    files.move(path, place)
                else:
                    files.remove(path)
            elif former and is_own(name) and isinstance(files, LocalFileSystem):
                _put_back(files, folder or ".", path, place)
        except OSError as error:  # somebody else may do the same
            _log.warning("Cannot remove %s: %s", path, error)


def _folders_of(files: FileSystem, template: str) -> list[str]:
    """The folders that the template of a folder has become."""
    folder = literal(template)
    if folder is not None:
        return [folder]
    above, last = os.path.split(template)
    return [
        found
        for folder in _folders_of(files, above)
        for name in _matching(files, folder, last)
        if files.kind(found := os.path.join(folder, name)) == "folder"
    ]


def _off_the_folder(
    files: FileSystem, folder: str, template: str
) -> Iterator[str]:
    """Where else than in their folder checkpoints are prepared."""
    for name in (*_matching(files, folder, template), _NEWEST):
        path = os.path.join(folder, name)
        if os.path.islink(path):
            yield os.path.dirname(os.path.realpath(path))
        if os.path.isdir(path):
            yield path


def _matching(files: FileSystem, folder: str, template: str) -> list[str]:
    pattern = pattern_of(template)
    return [
        name
        for name in _names(files, folder)
        if pattern.fullmatch(name) and not is_staged(name)
    ]


def _names(files: FileSystem, folder: str) -> list[str]:
    try:
        return files.names(folder or os.curdir)
    except PermissionError as error:  # who may not look may write all the same
        _log.warning("Cannot look for what killed runs left: %s", error)
        return []


def _put_back(
    files: LocalFileSystem, folder: str, path: str, place: str
) -> None:
    """Unless another thread was about to show the new one."""
    with files.locked(folder):
        if files.kind(path) is not None and files.kind(place) is None:
            files.move(path, place)
