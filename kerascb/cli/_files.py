"""Source files: found, read, and replaced without a moment of half a file."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import shutil
import tempfile
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING

from kerascb.cli._draft import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NOTEBOOK = ".ipynb"
_SUFFIXES = frozenset({".py", ".pyi", ".pyw", NOTEBOOK})
_FOREIGN_DIRECTORIES = frozenset(
    {
        ".eggs",
        ".git",
        ".hg",
        ".ipynb_checkpoints",
        ".nox",
        ".svn",
        ".tox",
        ".venv",
        "__pycache__",
        "__pypackages__",
        "node_modules",
        "site-packages",
        "venv",
    }
)
# What a virtual environment of any name has in it, pip's and conda's.
_ENVIRONMENT_MARKS = ("pyvenv.cfg", "conda-meta")


@dataclasses.dataclass(frozen=True)
class SourceFile:
    """A file read.

    Attributes:
        path: Where it is.
        text: What is in it, with the newlines it has there.
        encoding: How to write it back.
    """

    path: Path
    text: str
    encoding: str


def find_sources(paths: Sequence[str]) -> Iterator[Path]:
    """Finds the sources in files and directories.

    A file named is taken whatever its suffix. In a directory, links, virtual
    environments and the stores of tools are passed over.

    Yields:
        Paths in a stable order, none twice.
    """
    seen = set()
    for named in paths:
        root = Path(named)
        for path in _walk(root) if root.is_dir() else [root]:
            real = path.resolve()
            if real not in seen:
                seen.add(real)
                yield path


def read_source(path: Path) -> SourceFile:
    """Reads a file as Python reads it; a notebook as JSON.

    Raises:
        OSError: If it cannot be read.
        SourceError: If it is not text in the encoding that it names.
    """
    data = path.read_bytes()
    try:
        # A notebook has no coding line, but may have a byte order mark.
        lines = io.BytesIO(data[:3] if path.suffix == NOTEBOOK else data)
        encoding, _ = tokenize.detect_encoding(lines.readline)
        text = data.decode(encoding)
        is_faithful = text.encode(encoding) == data
    except (LookupError, SyntaxError, UnicodeError) as error:
        raise SourceError(f"not text that we can decode: {error}") from error
    if not is_faithful:
        raise SourceError(f"{encoding} would not write it back as it is")
    return SourceFile(path, text, encoding)


def write_source(file: SourceFile, text: str) -> None:
    """Puts a new text in a file's place, at once and for good.

    Whoever reads the file meanwhile, or after a crash, finds the old text or
    the new one. Its mode stays; a link stays a link.

    Raises:
        OSError: If it cannot be written; the old file is there still.
    """
    target = file.path.resolve()
    descriptor, temporary = tempfile.mkstemp(
        dir=target.parent, prefix=f".{target.name}."
    )
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode(file.encoding))
            stream.flush()
            os.fsync(stream.fileno())
        shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(
            name
            for name in folders
            if name not in _FOREIGN_DIRECTORIES
            and not any(
                (here / name / mark).exists() for mark in _ENVIRONMENT_MARKS
            )
        )
        for name in sorted(names):
            path = here / name
            if path.suffix in _SUFFIXES and not path.is_symlink():
                yield path
