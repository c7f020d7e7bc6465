"""Where a file imports kerascb, for the uses that now need it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import libcst as cst
from libcst.metadata import GlobalScope

from kerascb.cli._mentions import is_used_unseen
from kerascb.cli._naming import own_imports
from kerascb.cli._origins import bound_name, module_of
from kerascb.cli._spellings import PACKAGE, is_module, place
from kerascb.cli._statements import add_after, add_before

if TYPE_CHECKING:
    from collections.abc import Sequence

    from libcst.metadata import Scope

    from kerascb.cli._draft import Draft
    from kerascb.cli._origins import Origin
    from kerascb.cli._tree import Tree
    from kerascb.cli._uses import Use


@dataclasses.dataclass(frozen=True)
class Supply:
    """Sees to it that the uses rewritten find kerascb under its name.

    It is imported in the scope where the old name was bound, so that it can
    be seen wherever that could; right behind the old import, so that it is
    there whenever that is, in a `try` or under `TYPE_CHECKING` too.

    Attributes:
        tree: The module.
        draft: Takes the edits.
        name: What kerascb is called here.
        uses: All uses in the module.
        swapped: Those among them that now need the name.
    """

    tree: Tree
    draft: Draft
    name: str
    uses: Sequence[Use]
    swapped: frozenset[Use]

    def bring_in(self) -> frozenset[cst.CSTNode]:
        """Adds the imports that are needed, and not one more.

        Returns:
            The imports of the old module that became ours.
        """
        if not self.swapped or self._is_there():
            return frozenset()
        scopes: dict[Scope, set[cst.ImportAlias]] = {}
        for use in self.swapped:
            for origin in use.meaning.origins:
                if not _is_in_sight(self.tree, use, origin):
                    top = _first_statement(self.tree.module)
                    add_before(self.tree, self.draft, top, self._statement)
                    return frozenset()
                scopes.setdefault(origin.scope, set()).add(origin.alias)
        replaced = [
            self._import_beside(sorted(aliases, key=self.tree.span))
            for aliases in scopes.values()
        ]
        return frozenset(alias for alias in replaced if alias is not None)

    @property
    def _statement(self) -> str:
        renamed = "" if self.name == PACKAGE else f" as {self.name}"
        return f"import {PACKAGE}{renamed}"

    def _import_beside(
        self, aliases: list[cst.ImportAlias]
    ) -> cst.ImportAlias | None:
        tree = self.tree
        statements = [tree.parent(alias) for alias in aliases]
        if len({_block(tree, statement) for statement in statements}) > 1:
            # One of two branches imports: whichever it is, ours comes first.
            before = _outermost(tree, statements[0])
            add_before(tree, self.draft, before, self._statement)
            return None
        for alias in aliases:
            if self._is_replaceable(alias):
                asked = self._statement.removeprefix("import ")
                self.draft.replace(*tree.span(alias), asked)
                return alias
        add_after(tree, self.draft, statements[0], [self._statement])
        return None

    def _is_replaceable(self, alias: cst.ImportAlias) -> bool:
        """Tells whether `import keras.callbacks` may become `import kerascb`.

        It also binds `keras`, which must have no use any more, or have it
        from another import beside this one.
        """
        return (
            is_plain(self.tree, alias)
            and self.tree.span(alias) < self._first_swapped()
            and not is_used_unseen(self.tree, bound_name(alias))
            and all(
                use in self.swapped or self._is_served_beside(use, alias)
                for use in uses_of(self.uses, alias)
            )
        )

    def _is_served_beside(self, use: Use, alias: cst.ImportAlias) -> bool:
        block = _block(self.tree, self.tree.parent(alias))
        return any(
            not is_plain(self.tree, origin.alias)
            and _block(self.tree, self.tree.parent(origin.alias)) is block
            for origin in use.meaning.origins
        )

    def _first_swapped(self) -> tuple[int, int]:
        return min(self.tree.span(use.chain.node) for use in self.swapped)

    def _is_there(self) -> bool:
        return any(
            bound_name(alias) == self.name
            and self.tree.span(alias) < self._first_swapped()
            for alias in own_imports(self.tree)
        )


def is_plain(tree: Tree, alias: cst.ImportAlias) -> bool:
    """Tells whether an alias is that of an `import keras.callbacks`."""
    where = place(alias.evaluated_name)
    return (
        alias.asname is None
        and where is not None
        and is_module(where)
        and isinstance(tree.parent(alias), cst.Import)
    )


def uses_of(uses: Sequence[Use], alias: cst.ImportAlias) -> list[Use]:
    """Returns the uses that may be of what an alias imports."""
    return [
        use
        for use in uses
        if any(origin.alias is alias for origin in use.meaning.origins)
    ]


def _is_in_sight(tree: Tree, use: Use, origin: Origin) -> bool:
    # Not so where `global` lets a function bind a name outside of itself.
    if tree.scope(origin.alias) is not origin.scope:
        return False
    scope = tree.scope(use.chain.base)
    while scope is not origin.scope:
        if scope is None or isinstance(scope, GlobalScope):
            return False
        scope = scope.parent
    return True


def _block(tree: Tree, statement: cst.CSTNode) -> cst.CSTNode:
    """Returns the list of statements that an import is one of."""
    line = tree.parent(statement)
    is_line = isinstance(line, cst.SimpleStatementLine)
    return tree.parent(line) if is_line else line


def _outermost(tree: Tree, statement: cst.CSTNode) -> cst.CSTNode:
    """Climbs from a statement to the one that its scope's body lists."""
    node = statement
    while True:
        parent = tree.parent(node)
        if isinstance(parent, cst.Module):
            return node
        if isinstance(parent, cst.BaseSuite) and isinstance(
            tree.parent(parent), (cst.FunctionDef, cst.ClassDef)
        ):
            return node
        node = parent


def _first_statement(module: cst.Module) -> cst.CSTNode:
    """Returns the first that is no docstring and no `__future__` import."""
    for number, statement in enumerate(module.body):
        if not isinstance(statement, cst.SimpleStatementLine):
            return statement
        first = statement.body[0]
        is_docstring = number == 0 and module.get_docstring() is not None
        is_future = (
            isinstance(first, cst.ImportFrom)
            and module_of(first) == "__future__"
        )
        if not is_docstring and not is_future:
            return statement
    return module.body[-1]
