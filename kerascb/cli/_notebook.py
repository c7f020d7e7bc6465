"""`tf.keras.callbacks` in a notebook, turned to `kerascb`.

The cells share their names, so they are read as one module. The notebook's
JSON is not written anew: the strings of a changed cell are replaced where
they stand, and the rest stays as Jupyter, Colab or an editor wrote it.
"""

from __future__ import annotations

import bisect
import dataclasses
import itertools
from typing import TYPE_CHECKING

from kerascb.cli._cells import Cell, code_cells, write_cell
from kerascb.cli._draft import (
    NEWLINE,
    Edit,
    Note,
    SourceError,
    apply_edits,
    line_starts,
)
from kerascb.cli._magics import cover, is_python
from kerascb.cli._rewrite import Rewritten, is_concerned, plan
from kerascb.cli._spellings import MENTION
from kerascb.cli._tree import check_syntax

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def rewrite_notebook(notebook: str) -> Rewritten:
    """Turns the uses of stock's callbacks in a notebook to kerascb.

    A cell that is not Python, even without its magics, is left out.

    Args:
        notebook: The JSON text of an `.ipynb` file.

    Returns:
        The new text, the same outside of the strings that changed.

    Raises:
        SourceError: If it is not a notebook that we can read.
    """
    if not is_concerned(notebook):
        return Rewritten(notebook, ())
    notes: set[Note] = set()
    cells: list[Cell] = []
    pages: list[str] = []
    unseen: list[str] = []
    for cell in code_cells(notebook):
        page = _as_python(cell.text)
        hidden = dict(_hidden_lines(cell.text, page))
        unseen += hidden.values()
        notes.update(_notes_on_hidden(cell, page, hidden))
        if page is not None:
            cells.append(cell)
            pages.append(page)
    book = _Book(pages)
    draft = plan(book.text, unseen="\n".join(unseen))
    edits: dict[int, list[Edit]] = {}
    for edit in draft.edits:
        number, moved = book.locate_edit(edit)
        edits.setdefault(number, []).append(moved)
    for note in draft.notes:
        number, line = book.locate_line(note.line)
        notes.add(Note(cells[number].number, line, note.reason))
    changes = [
        _change(notebook, cells[number], own) for number, own in edits.items()
    ]
    return Rewritten(apply_edits(notebook, changes), tuple(sorted(notes)))


class _Book:
    """Several texts put together, and where each of them is in that.

    Args:
        pages: The texts.

    Attributes:
        text: All of them, each with a line end behind it.
    """

    def __init__(self, pages: Sequence[str]) -> None:
        self.text = "".join(f"{page}\n" for page in pages)
        self._starts = [0]
        for page in pages:
            self._starts.append(self._starts[-1] + len(page) + 1)
        self._lines = line_starts(self.text)

    def locate_edit(self, edit: Edit) -> tuple[int, Edit]:
        """Returns the page an edit is on, and the edit as of there."""
        number = bisect.bisect_right(self._starts, edit.start) - 1
        start = self._starts[number]
        moved = dataclasses.replace(
            edit, start=edit.start - start, end=edit.end - start
        )
        return number, moved

    def locate_line(self, line: int) -> tuple[int, int]:
        """Returns the page a line is on, and its number there, from 1."""
        offset = self._lines[line - 1]
        number = bisect.bisect_right(self._starts, offset) - 1
        first = bisect.bisect_left(self._lines, self._starts[number])
        return number, line - first


def _change(notebook: str, cell: Cell, edits: Sequence[Edit]) -> Edit:
    new = write_cell(notebook, cell, apply_edits(cell.text, edits))
    return Edit(cell.source.start, cell.source.end, new)


def _as_python(cell: str) -> str | None:
    if not is_python(cell):
        return None
    # As it is first: a line of a string may look like a magic.
    for page in (cell, cover(cell)):
        try:
            check_syntax(page)
        except SourceError:
            continue
        return page
    return None


def _hidden_lines(cell: str, page: str | None) -> Iterator[tuple[int, str]]:
    covered = [] if page is None else NEWLINE.split(page)
    lines = itertools.zip_longest(NEWLINE.split(cell), covered)
    for number, (line, other) in enumerate(lines, start=1):
        if line != other:
            yield number, line


def _notes_on_hidden(
    cell: Cell, page: str | None, hidden: Mapping[int, str]
) -> Iterator[Note]:
    """Notes what is hidden from the rewriting, and would have been wanted."""
    if page is None and is_python(cell.text):
        yield Note(cell.number, 1, "cell left: not Python that we can read")
        return
    for number, line in hidden.items():
        if mention := MENTION.search(line):
            reason = f"`{mention[0]}` left: in a magic"
            yield Note(cell.number, number, reason)
