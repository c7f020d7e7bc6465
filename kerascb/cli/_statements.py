"""Putting a statement beside another, and taking names out of an import."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from kerascb.cli._draft import NEWLINE
from kerascb.cli._origins import aliases_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kerascb.cli._draft import Draft
    from kerascb.cli._tree import Tree

# What follows a name that has a line of its own: comma, comment, line end.
_REST_OF_LINE = re.compile(r"[ \t]*,?[ \t]*(#[^\r\n]*)?(?:\r\n?|\n)")
_COMMA = re.compile(r"[ \t]*,?[ \t]*")
_COMMENT = re.compile(r"#[^\r\n]*")


def shares_line(tree: Tree, statement: cst.CSTNode) -> bool:
    """Tells whether a simple statement has its line with others."""
    line = tree.parent(statement)
    return not isinstance(line, cst.SimpleStatementLine) or len(line.body) > 1


def add_after(
    tree: Tree, draft: Draft, statement: cst.CSTNode, lines: Sequence[str]
) -> None:
    """Adds statements after one, in the way that one is laid out.

    A statement that shares its line with others, or with the `try:` it is
    under, gets company on that line.
    """
    start, end = tree.span(statement)
    if shares_line(tree, statement):
        draft.insert(end, "".join(f"; {line}" for line in lines))
        return
    # At the line's end, not at the next one's start: there may be no next
    # line, or, in a notebook, it may belong to another cell.
    line_end = NEWLINE.search(tree.source, end)
    offset = line_end.start() if line_end else len(tree.source)
    glue = _newline(tree, end) + _indent(tree, start)
    draft.insert(offset, "".join(glue + line for line in lines))


def add_before(
    tree: Tree, draft: Draft, statement: cst.CSTNode, line: str
) -> None:
    """Adds a statement before one, on a line of its own where it can."""
    start, _ = tree.span(statement)
    for decorator in getattr(statement, "decorators", ()):
        start = min(start, tree.span(decorator)[0])
    indent = _indent(tree, start)
    glue = "; " if indent.strip() else _newline(tree, start) + indent
    draft.insert(start, line + glue)


def remove_names(
    tree: Tree,
    draft: Draft,
    statement: cst.ImportFrom,
    gone: Sequence[cst.ImportAlias],
) -> dict[cst.ImportAlias, str]:
    """Takes some of its names, not all, out of a `from` import.

    Returns:
        The comments that went with them.
    """
    aliases = aliases_of(statement)
    start, _ = tree.span(aliases[0])
    _, end = tree.span(aliases[-1])
    if statement.lpar is None or not NEWLINE.search(tree.text(statement)):
        kept = [tree.text(alias) for alias in aliases if alias not in gone]
        draft.replace(start, end, ", ".join(kept))
        return {}
    return {alias: _remove_name(tree, draft, alias) for alias in gone}


def comments_in(text: str) -> str:
    """Returns the comments in an import statement, to go at a line's end."""
    return "".join(f"  {comment}" for comment in _COMMENT.findall(text))


def _remove_name(tree: Tree, draft: Draft, alias: cst.ImportAlias) -> str:
    start, end = tree.span(alias)
    rest = _REST_OF_LINE.match(tree.source, end)
    indent = _indent(tree, start)
    if rest and not indent.strip():
        draft.replace(start - len(indent), rest.end(), "")
        return f"  {rest[1]}" if rest[1] else ""
    # In brackets a comma too many is harmless, and there is never one too
    # few: each name goes with the comma behind it.
    if comma := _COMMA.match(tree.source, end):
        end = comma.end()
    if NEWLINE.match(tree.source, end):
        start = len(tree.source[:start].rstrip(" \t"))
    draft.replace(start, end, "")
    return ""


def _indent(tree: Tree, start: int) -> str:
    before = tree.source[:start]
    return re.split(r"[\r\n]", before)[-1]


def _newline(tree: Tree, offset: int) -> str:
    found = NEWLINE.search(tree.source, offset)
    return found[0] if found else tree.module.default_newline
