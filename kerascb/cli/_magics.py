"""Python out of notebook cells: what IPython adds is covered up.

What is covered keeps its length, so that offsets into the covered text are
offsets into the cell.
"""

from __future__ import annotations

import re

# Cell magics whose body is Python still.
_PYTHON_CELLS = frozenset(
    {"capture", "memit", "mprun", "prun", "time", "timeit"}
)
_CELL_MAGIC = re.compile(r"\s*%%(\w+)[^\r\n]*")
# A whole line: a magic, a shell command, a question. Lines that end in a
# backslash go on.
_LINE_MAGIC = re.compile(
    r"^(?P<indent>[ \t]*)"
    r"(?P<magic>(?:[!?]|%[A-Za-z_])(?:[^\r\n]*\\(?:\r\n?|\n))*[^\r\n]*"
    r"|[\w.*]+\?{1,2}[ \t]*(?=[\r\n]|\Z))",
    re.MULTILINE,
)
# The right side of an assignment: `files = !ls`.
_ASSIGNED_MAGIC = re.compile(
    r"^(?P<indent>[ \t]*[\w.\[\], \t]+=[ \t]*)"
    r"(?P<magic>(?:!|%[A-Za-z_])[^\r\n]*)",
    re.MULTILINE,
)


def is_python(cell: str) -> bool:
    """Tells whether a cell is no script of another language."""
    magic = _CELL_MAGIC.match(cell)
    return magic is None or magic[1] in _PYTHON_CELLS


def cover(cell: str) -> str:
    """Covers what is IPython's in a Python cell.

    Args:
        cell: The text of the cell.

    Returns:
        A text of the same length and lines, Python if the cell had nothing
        else in it.
    """
    first = _CELL_MAGIC.match(cell)
    if first:
        cell = _comment(first[0]) + cell[first.end() :]
    cell = _LINE_MAGIC.sub(_as_statement, cell)
    return _ASSIGNED_MAGIC.sub(_as_statement, cell)


def _as_statement(match: re.Match[str]) -> str:
    # A number is a statement and an expression, however short the magic was.
    return f"{match['indent']}0{_comment(match['magic'][1:])}"


def _comment(text: str) -> str:
    return re.sub(r"[^\r\n]", "#", text)
