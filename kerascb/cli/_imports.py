"""Import statements that name stock's callbacks, turned to kerascb."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

import kerascb
from kerascb._names import CALLBACKS
from kerascb.cli._origins import aliases_of, bound_name, module_of, path_of
from kerascb.cli._spellings import (
    PACKAGE,
    is_keras,
    is_module,
    is_offered,
    is_public,
    is_relative_of_stock,
    join,
    place,
)
from kerascb.cli._statements import (
    add_after,
    comments_in,
    remove_names,
    shares_line,
)

if TYPE_CHECKING:
    from kerascb.cli._draft import Draft
    from kerascb.cli._tree import Tree


def swap_imports(
    tree: Tree, draft: Draft, blocked: frozenset[cst.CSTNode]
) -> None:
    """Swaps each import that binds the callbacks module or names from it.

    `import keras.callbacks` binds `keras`, so it is not among them.

    Args:
        tree: The module.
        draft: Takes the edits, and notes on the imports left.
        blocked: Aliases that have to stay as they are.
    """
    for node in tree.nodes:
        if isinstance(node, cst.Import):
            _swap_plain(tree, draft, node, blocked)
        elif isinstance(node, cst.ImportFrom) and not node.relative:
            _swap_from(tree, draft, node, blocked)


def _swap_plain(
    tree: Tree,
    draft: Draft,
    statement: cst.Import,
    blocked: frozenset[cst.CSTNode],
) -> None:
    for alias in statement.names:
        where = place(alias.evaluated_name)
        if where is None or not is_module(where):
            _note_stranger(tree, draft, alias, alias.evaluated_name)
        elif alias.asname is not None and alias not in blocked:
            draft.replace(*tree.span(alias.name), join(PACKAGE, where))


def _swap_from(
    tree: Tree,
    draft: Draft,
    statement: cst.ImportFrom,
    blocked: frozenset[cst.CSTNode],
) -> None:
    module = module_of(statement)
    where = place(module)
    if where is not None and is_module(where):
        _swap_members(tree, draft, statement, where, blocked)
    elif is_keras(module):
        _swap_modules(tree, draft, statement, blocked)
    elif where is not None or is_relative_of_stock(module):
        _note_stranger(tree, draft, statement, module)
    else:
        for alias in aliases_of(statement):
            _note_stranger(tree, draft, alias, path_of(statement, alias))


def _swap_members(
    tree: Tree,
    draft: Draft,
    statement: cst.ImportFrom,
    where: str,
    blocked: frozenset[cst.CSTNode],
) -> None:
    """Swaps `from keras.callbacks import …`."""
    if statement.module is None:
        return
    old = tree.text(statement.module)
    aliases = aliases_of(statement)
    staying = []
    for alias in aliases:
        inside = join(where, alias.evaluated_name)
        if not is_offered(inside):
            lacking = f"`{inside}` still comes from {old}: kerascb has none"
            draft.note(tree.line(alias), lacking)
            staying.append(alias)
        elif alias in blocked:
            staying.append(alias)
    if aliases and len(staying) == len(aliases):
        return
    obstacle = None if aliases else _obstacle_to_star(tree, statement)
    if obstacle is not None:
        left = f"`{tree.text(statement)}` left: {obstacle}"
        draft.note(tree.line(statement), left)
        return
    if staying:
        if _is_intricate(tree, draft, statement):
            return
        comments = remove_names(tree, draft, statement, staying)
        names = [tree.text(alias) for alias in staying]
        if not any(comments.values()):
            lines = [f"from {old} import {', '.join(names)}"]
        else:
            lines = [
                f"from {old} import {name}{comments[alias]}"
                for name, alias in zip(names, staying, strict=True)
            ]
        add_after(tree, draft, statement, lines)
    draft.replace(*tree.span(statement.module), join(PACKAGE, where))


def _obstacle_to_star(tree: Tree, statement: cst.ImportFrom) -> str | None:
    if not is_public(module_of(statement)):
        return "that module brings more than callbacks"
    others = set(kerascb.__all__) - {*CALLBACKS, "experimental"}
    names = {node.value for node in tree.nodes if isinstance(node, cst.Name)}
    if clashes := sorted(others & names):
        return f"kerascb's would also bring `{clashes[0]}`"
    return None


def _swap_modules(
    tree: Tree,
    draft: Draft,
    statement: cst.ImportFrom,
    blocked: frozenset[cst.CSTNode],
) -> None:
    """Swaps `from keras import callbacks`."""
    aliases = aliases_of(statement)
    going = [
        alias
        for alias in aliases
        if place(path_of(statement, alias)) is not None and alias not in blocked
    ]
    if not going or _is_intricate(tree, draft, statement):
        return
    wanted = [_as_import(alias) for alias in going]
    if len(going) == len(aliases):
        line = f"import {', '.join(wanted)}"
        line += comments_in(tree.text(statement))
        draft.replace(*tree.span(statement), line)
        return
    comments = remove_names(tree, draft, statement, going)
    add_after(
        tree,
        draft,
        statement,
        [
            f"import {name}{comments.get(alias, '')}"
            for name, alias in zip(wanted, going, strict=True)
        ],
    )


def _as_import(alias: cst.ImportAlias) -> str:
    name = bound_name(alias)
    return PACKAGE if name == PACKAGE else f"{PACKAGE} as {name}"


def _is_intricate(tree: Tree, draft: Draft, statement: cst.ImportFrom) -> bool:
    # A comment that came to stand before a `;` would swallow what follows.
    if shares_line(tree, statement) and "#" in tree.text(statement):
        draft.note(
            tree.line(statement),
            "an import with comments in it shares its line; left",
        )
        return True
    return False


def _note_stranger(
    tree: Tree, draft: Draft, node: cst.CSTNode, path: str
) -> None:
    where = place(path)
    if where is not None and not is_module(where):
        reason = f"`{path}` left: kerascb has no module `{where}`"
        draft.note(tree.line(node), reason)
    elif is_relative_of_stock(path):
        reason = f"`{path}` left: kerascb does not stand in for it"
        draft.note(tree.line(node), reason)
