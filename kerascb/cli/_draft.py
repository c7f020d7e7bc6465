"""What a rewriting is made of: edits to a text, and notes on what was left.

Nothing is generated from a syntax tree: the tree only says where to cut. So
whatever no edit covers stays as it was, to the byte.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

NEWLINE = re.compile(r"\r\n?|\n")


class SourceError(ValueError):
    """A text that we cannot read, and so leave alone."""


@dataclasses.dataclass(frozen=True, order=True)
class Edit:
    """Puts `text` in the place of the characters `start` to `end`."""

    start: int
    end: int
    text: str


@dataclasses.dataclass(frozen=True, order=True)
class Note:
    """Something that was left, or that wants a look, and where.

    Attributes:
        cell: The notebook cell, from 1; 0 outside of notebooks.
        line: The line in the text, or in the cell, from 1.
        reason: What was left and why, as half a sentence.
    """

    cell: int
    line: int
    reason: str


@dataclasses.dataclass
class Draft:
    """The edits and notes collected so far."""

    edits: list[Edit] = dataclasses.field(default_factory=list)
    notes: list[Note] = dataclasses.field(default_factory=list)

    def replace(self, start: int, end: int, text: str) -> None:
        """Puts `text` in the place of the characters `start` to `end`."""
        self.edits.append(Edit(start, end, text))

    def insert(self, offset: int, text: str) -> None:
        """Puts `text` before the character at `offset`."""
        self.replace(offset, offset, text)

    def note(self, line: int, reason: str) -> None:
        """Records what was left."""
        self.notes.append(Note(0, line, reason))

    def sorted_notes(self) -> tuple[Note, ...]:
        """Returns the notes by place, each once."""
        return tuple(sorted(set(self.notes)))


def apply_edits(source: str, edits: Iterable[Edit]) -> str:
    """Applies edits that do not overlap.

    Args:
        source: The text that the edits were made for.
        edits: In any order; insertions at one offset keep the order given.

    Returns:
        The new text.
    """
    pieces = []
    done = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        pieces += [source[done : edit.start], edit.text]
        done = edit.end
    return "".join([*pieces, source[done:]])


def line_starts(source: str) -> list[int]:
    """Returns the offset at which each line of a Python source begins."""
    return [0, *(match.end() for match in NEWLINE.finditer(source))]
