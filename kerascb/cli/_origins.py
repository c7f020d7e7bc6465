"""What a name in the code may stand for, as far as the file itself says.

A name is traced to the imports behind it, also through plain assignments
(`keras = tf.keras`). Everything else that may bind it (a parameter, a loop,
a class) makes the answer uncertain, never wrong.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import libcst as cst
from libcst.metadata import (
    Assignment,
    BaseAssignment,
    ClassScope,
    ImportAssignment,
    Scope,
)

from kerascb.cli._spellings import is_module, join, place
from kerascb.cli._tree import Chain, Tree, chain_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclasses.dataclass(frozen=True)
class Origin:
    """One thing that a name may stand for.

    Attributes:
        path: Its absolute dotted name; one that begins with a dot is
            relative to the file's package.
        alias: The part of an import statement that brings it.
        scope: The scope that the import binds a name in.
        binders: What has to be kerascb's for the name to be kerascb's: import
            aliases, and values assigned, that are a callbacks module.
    """

    path: str
    alias: cst.ImportAlias
    scope: Scope
    binders: tuple[cst.CSTNode, ...]


@dataclasses.dataclass(frozen=True)
class Meaning:
    """All that a name may stand for.

    Attributes:
        origins: The imports among it.
        is_certain: Whether there is nothing else.
    """

    origins: tuple[Origin, ...]
    is_certain: bool

    @property
    def is_unknown(self) -> bool:
        """Whether nothing in the file binds the name."""
        return self.is_certain and not self.origins


class Origins:
    """Looks names up.

    Args:
        tree: The module they are in.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        # libcst does not count the names that a `case` binds.
        self._captured = frozenset(
            node.name.value
            for node in tree.nodes
            if isinstance(node, cst.MatchAs) and node.name is not None
        )

    def of(self, chain: Chain) -> Meaning:
        """Says what a dotted name's first part may stand for."""
        return self._look_up(chain.base, frozenset())

    def _look_up(self, name: cst.Name, seen: frozenset[int]) -> Meaning:
        scope = self._tree.scope(name)
        if scope is None:
            return Meaning((), is_certain=True)
        origins: list[Origin] = []
        is_certain = name.value not in self._captured and not (
            _is_also_outside(scope, name.value)
        )
        for assignment in scope[name.value]:
            if id(assignment) in seen:
                continue
            meaning = self._trace(assignment, name.value, seen)
            origins += meaning.origins
            is_certain &= meaning.is_certain
        return Meaning(tuple(origins), is_certain)

    def _trace(
        self, assignment: BaseAssignment, name: str, seen: frozenset[int]
    ) -> Meaning:
        if isinstance(assignment, ImportAssignment):
            return Meaning(tuple(_imported(assignment, name)), is_certain=True)
        if not isinstance(assignment, Assignment):
            return Meaning((), is_certain=False)
        is_value, value = self._assigned(assignment.node)
        if is_value and (value is None or _is_none(value)):
            # "Not there yet", or "could not be imported": no meaning of its
            # own, whoever uses the name then means the other one.
            return Meaning((), is_certain=True)
        chain = chain_of(value)
        if chain is None:
            return Meaning((), is_certain=False)
        meaning = self._look_up(chain.base, seen | {id(assignment)})
        return Meaning(
            tuple(_further(origin, chain) for origin in meaning.origins),
            is_certain=meaning.is_certain and bool(meaning.origins),
        )

    def _assigned(
        self, node: cst.CSTNode
    ) -> tuple[bool, cst.BaseExpression | None]:
        parent = self._tree.parent(node)
        if isinstance(parent, cst.AnnAssign) and parent.target is node:
            return True, parent.value
        if isinstance(parent, cst.AssignTarget):
            statement = self._tree.parent(parent)
            if isinstance(statement, cst.Assign):
                return True, statement.value
        return False, None


def module_of(statement: cst.ImportFrom) -> str:
    """Returns the module of a `from` import, its leading dots included."""
    chain = chain_of(statement.module)
    return "." * len(statement.relative) + (str(chain) if chain else "")


def aliases_of(
    statement: cst.Import | cst.ImportFrom,
) -> Sequence[cst.ImportAlias]:
    """Returns what an import statement names; nothing for a star."""
    if isinstance(statement.names, cst.ImportStar):
        return ()
    return statement.names


def path_of(
    statement: cst.Import | cst.ImportFrom, alias: cst.ImportAlias
) -> str:
    """Returns the absolute dotted name that an alias asks for."""
    if isinstance(statement, cst.Import):
        return alias.evaluated_name
    module = module_of(statement)
    if module.endswith("."):
        return module + alias.evaluated_name
    return join(module, alias.evaluated_name)


def bound_name(alias: cst.ImportAlias) -> str:
    """Returns the name that an alias binds."""
    name = alias.evaluated_alias or alias.evaluated_name
    return name.partition(".")[0]


def _is_also_outside(scope: Scope, name: str) -> bool:
    # In a class body, and only there, a name that the body binds further down
    # still is the global one.
    return (
        isinstance(scope, ClassScope)
        and name in scope.assignments
        and bool(scope.parent[name])
    )


def _imported(assignment: ImportAssignment, name: str) -> Iterator[Origin]:
    statement = assignment.node
    if not isinstance(statement, (cst.Import, cst.ImportFrom)):
        return
    for alias in aliases_of(statement):
        if bound_name(alias) != name:
            continue
        path = path_of(statement, alias)
        if isinstance(statement, cst.Import) and alias.asname is None:
            path = name
        is_binder = place(path) is not None
        yield Origin(
            path,
            alias,
            assignment.scope,
            binders=(alias,) if is_binder else (),
        )


def _further(origin: Origin, chain: Chain) -> Origin:
    path = join(origin.path, *chain.names)
    where = place(path)
    if where is None or not is_module(where):
        # A class taken from a module is rewritten where it is taken.
        return dataclasses.replace(origin, path=path, binders=())
    return dataclasses.replace(
        origin, path=path, binders=(*origin.binders, chain.node)
    )


def _is_none(value: cst.BaseExpression) -> bool:
    return isinstance(value, cst.Name) and value.value == "None"
