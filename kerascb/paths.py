"""What can be known of a path before anything is written there.

No Keras and no file-system library: local paths only; of a remote one nothing
is known beforehand.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from kerascb.errors import UnwritablePath

if TYPE_CHECKING:
    from collections.abc import Callable


def is_remote(path: str) -> bool:
    """Whether a path names something behind a protocol: `gs://…`.

    Args:
        path: A path of the operating system, or a URL.
    """
    return "://" in path


def anchored(path: str) -> str:
    """A path that means the same after a later `os.chdir`.

    Nothing else about it is changed: `a/../b` is not shortened, for `a` may
    be a link.

    Args:
        path: A path of the operating system, or a URL, which is one already.

    Raises:
        OSError: If the path is relative and the current folder is gone.

    Example:
        >>> anchored("gs://bucket/m.keras"), anchored("m.keras") == "m.keras"
        ('gs://bucket/m.keras', False)
    """
    if is_remote(path) or os.path.isabs(path):
        return path
    return os.path.join(os.getcwd(), path)


def existing_part(folder: str) -> Path:
    """What of a path is there: itself, or what is next above it.

    Args:
        folder: A path of the operating system; `""` is the current folder.
    """
    existing = Path(folder).absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    return existing


def obstacle_in(folder: str) -> str | None:
    """Why a folder could not be made, or not be written in.

    Nothing is made or written to find out.

    Args:
        folder: A path of the operating system; `""` is the current folder.

    Returns:
        A clause that names the obstacle; `None` if there is none.
    """
    existing = existing_part(folder)
    if not existing.is_dir():
        return f"{str(existing)!r} is a file, where a folder is needed"
    if not os.access(existing, os.W_OK | os.X_OK):
        return f"there is no permission to write in {str(existing)!r}"
    return None


def refuse_unwritable(
    folder: str,
    argument: str,
    ask: Callable[[str], str | None] = obstacle_in,
) -> None:
    """Refuses a folder that could not be made, or not be written in.

    Args:
        folder: The folder; a remote one passes.
        argument: The name of the argument it was given in.
        ask: Names an obstacle; one that asks more than `obstacle_in` does.

    Raises:
        UnwritablePath: If there is one: a file in the way, or no permission.
    """
    obstacle = None if is_remote(folder) else ask(folder)
    if obstacle:
        raise UnwritablePath(
            f"Cannot write to {argument}: got {argument}={folder!r}, but "
            f"{obstacle}. Choose another folder."
        )
