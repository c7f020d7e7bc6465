"""Whether a path can be written to, before anything is spent on it."""

from __future__ import annotations

import os
import string
from pathlib import Path

from kerascb.errors import UnwritablePath
from kerascb.paths import is_remote, obstacle_in
from kerascb.runtime import Format


def check_writable(template: str, form: Format, owner: str) -> None:
    """Refuses a path where nothing can ever be written.

    Only what is before the first placeholder can be judged; of a remote path,
    nothing.

    Args:
        template: A path or a template of one.
        form: What will be written there.
        owner: The class that writes, for the message.

    Raises:
        UnwritablePath: If a file is where a folder must be, the other way
            round, or if the folder does not let us write.
    """
    if is_remote(template):
        return
    is_template = any(
        name is not None for _, name, _, _ in string.Formatter().parse(template)
    )
    if not is_template:
        path = template.format()
        check_kind(path, form, owner)
        if os.path.isfile(path) and os.access(path, os.W_OK):
            return  # Written over, which needs no permission for the folder.
    obstacle = obstacle_in(os.path.dirname(_fixed_part(template)))
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


def _fixed_part(template: str) -> str:
    """The path up to the first placeholder."""
    fixed = ""
    for text, name, _, _ in string.Formatter().parse(template):
        fixed += text
        if name is not None:
            break
    return fixed
