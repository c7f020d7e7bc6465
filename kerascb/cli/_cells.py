"""The code cells of a notebook, and the strings they are in its JSON."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from kerascb.cli import _json
from kerascb.cli._draft import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclasses.dataclass(frozen=True)
class Cell:
    """A code cell.

    Attributes:
        number: Its number among all cells, from 1.
        source: Its text in the JSON: one string, or an array of lines.
    """

    number: int
    source: _json.Part

    @property
    def text(self) -> str:
        """What is written in the cell."""
        source = self.source.value
        return source if isinstance(source, str) else "".join(source)


def code_cells(notebook: str) -> Iterator[Cell]:
    """Finds the code cells of a notebook.

    Args:
        notebook: The JSON text of an `.ipynb` file.

    Yields:
        The cells, in order; none if the notebook is in another language.

    Raises:
        SourceError: If it is not JSON, or not a notebook of format 4.
    """
    try:
        whole = _json.root(notebook)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"not JSON: {error}") from error
    if not isinstance(whole.value, dict):
        raise SourceError("not a notebook")
    if _language(whole.value.get("metadata")) != "python":
        return
    cells = _json.member(notebook, whole, "cells")
    if cells is None or not isinstance(cells.value, list):
        raise SourceError("not a notebook of format 4; nbconvert makes one")
    for number, cell in enumerate(_json.parts(notebook, cells), start=1):
        if isinstance(cell.value, dict) and _is_code(cell.value):
            source = _json.member(notebook, cell, "source")
            if source is not None:
                yield Cell(number, source)


def write_cell(notebook: str, cell: Cell, text: str) -> str:
    """Writes a cell's new text as the old one is written.

    Args:
        notebook: The JSON text the cell is in.
        cell: The cell.
        text: What is to be in it.

    Returns:
        JSON to put where `cell.source` stands.
    """
    if isinstance(cell.source.value, str):
        return _encode(notebook, text)
    lines = list(_json.parts(notebook, cell.source))
    raw = {line.value: notebook[line.start : line.end] for line in lines}
    first, last = lines[0], lines[-1]
    before = notebook[cell.source.start : first.start]
    after = notebook[last.end : cell.source.end]
    glue = "," + before[1:]
    if len(lines) > 1:
        glue = notebook[first.end : lines[1].start]
    new = (
        raw.get(line) or _encode(notebook, line)
        for line in text.splitlines(keepends=True)
    )
    return before + glue.join(new) + after


def _encode(notebook: str, text: str) -> str:
    return json.dumps(text, ensure_ascii=notebook.isascii())


def _is_code(cell: dict[str, Any]) -> bool:
    source = cell.get("source")
    is_text = isinstance(source, str) or (
        isinstance(source, list)
        and all(isinstance(line, str) for line in source)
    )
    return cell.get("cell_type") == "code" and bool(source) and is_text


def _language(metadata: object) -> str:
    """Returns a notebook's language; Python where it does not say."""
    if not isinstance(metadata, dict):
        return "python"
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        said = metadata.get(key)
        if isinstance(said, dict) and isinstance(said.get(name), str):
            return str(said[name]).lower()
    return "python"
