"""What kerascb is called in a file."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import libcst as cst
from libcst.metadata import ImportAssignment

from kerascb.cli._origins import aliases_of, bound_name, path_of
from kerascb.cli._spellings import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst.metadata import BaseAssignment

    from kerascb.cli._tree import Tree


def local_name(tree: Tree) -> str:
    """Chooses what kerascb is called in a file.

    The name it is imported by already, else `kerascb`, else one that the
    file has no other use for.
    """
    taken = {
        assignment.name.partition(".")[0]
        for scope in tree.scopes()
        for assignment in scope.assignments
        if not _is_ours(assignment)
    }
    imported = [bound_name(alias) for alias in own_imports(tree)]
    fallbacks = (f"_{PACKAGE}{number}" for number in itertools.count(2))
    names = itertools.chain(imported, [PACKAGE, f"_{PACKAGE}"], fallbacks)
    return next(name for name in names if name not in taken)


def own_imports(tree: Tree) -> Iterator[cst.ImportAlias]:
    """Yields the alias of each `import kerascb` that always runs."""
    for line in tree.module.body:
        if not isinstance(line, cst.SimpleStatementLine):
            continue
        for statement in line.body:
            if isinstance(statement, cst.Import):
                for alias in statement.names:
                    if alias.evaluated_name == PACKAGE:
                        yield alias


def _is_ours(assignment: BaseAssignment) -> bool:
    if not isinstance(assignment, ImportAssignment):
        return False
    statement = assignment.node
    if not isinstance(statement, (cst.Import, cst.ImportFrom)):
        return False
    name = assignment.name.partition(".")[0]
    return all(
        path_of(statement, alias) == PACKAGE
        or (not alias.asname and _is_inside_package(statement, alias))
        for alias in aliases_of(statement)
        if bound_name(alias) == name
    )


def _is_inside_package(statement: cst.CSTNode, alias: cst.ImportAlias) -> bool:
    return isinstance(
        statement, cst.Import
    ) and alias.evaluated_name.startswith(f"{PACKAGE}.")
