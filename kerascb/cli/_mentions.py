"""What seems to mean stock's callbacks and is not ours to rewrite."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import libcst as cst

from kerascb._names import CALLBACKS
from kerascb.cli._draft import NEWLINE
from kerascb.cli._origins import module_of
from kerascb.cli._spellings import MENTION, is_keras, join, place
from kerascb.cli._tree import chain_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kerascb.cli._draft import Draft
    from kerascb.cli._tree import Tree
    from kerascb.cli._uses import Use

_BY_NAME = frozenset({"delattr", "getattr", "hasattr", "setattr"})


def note_mentions(tree: Tree, draft: Draft, uses: list[Use]) -> None:
    """Notes strings, `getattr` and chains that lead to the module."""
    used = {use.chain.base: use for use in uses}
    for node in tree.nodes:
        if isinstance(node, (cst.SimpleString, cst.FormattedStringText)):
            _note_text(tree, draft, node, "a string names")
        elif isinstance(node, cst.Comment):
            if node.value.startswith("# type:"):
                _note_text(tree, draft, node, "a type comment names")
        elif isinstance(node, cst.Call):
            _note_getattr(tree, draft, node, used)
        elif isinstance(node, cst.Attribute):
            _note_distant(tree, draft, node)


def note_unknown(tree: Tree, draft: Draft, use: Use) -> None:
    """Notes a use that reads like the module, of a name we cannot place."""
    chain, meaning = use.chain, use.meaning
    name = chain.base.value
    if not _reads_like_stock([name, *chain.names]):
        _note_starred(tree, draft, use)
        return
    if meaning.is_unknown:
        reason = f"nothing here says what `{name}` is"
    elif not meaning.is_certain:
        reason = f"`{name}` may be something else here"
    else:
        reason = f"`{name}` comes from `{meaning.origins[0].path}`"
    draft.note(tree.line(chain.node), f"`{chain}` left: {reason}")


def is_used_unseen(tree: Tree, name: str) -> bool:
    """Tells whether a name may be used where no syntax tree shows it.

    `"tf.Tensor"` may be an annotation, `"tf"` a line of `__all__`; in
    `"a tf model"` it is a word.
    """
    name = re.escape(name)
    dotted = re.compile(rf"(?<![\w.]){name}(?=\.\w|[\"'])")
    return bool(re.search(rf"\b{name}\b", tree.unseen)) or any(
        dotted.search(tree.text(node))
        for node in tree.nodes
        if isinstance(node, (cst.SimpleString, cst.FormattedStringText))
    )


def _note_text(tree: Tree, draft: Draft, node: cst.CSTNode, what: str) -> None:
    text = tree.text(node)
    for match in MENTION.finditer(text):
        line = tree.line(node)
        line += len(NEWLINE.findall(text, 0, match.start()))
        draft.note(line, f"{what} `{match[0]}`; left")


def _note_getattr(
    tree: Tree, draft: Draft, call: cst.Call, used: Mapping[cst.Name, Use]
) -> None:
    function = call.func
    if not isinstance(function, cst.Name) or function.value not in _BY_NAME:
        return
    values = [argument.value for argument in call.args[:2]]
    chain = chain_of(values[0]) if values else None
    name = values[-1] if values else None
    if chain is None or not isinstance(name, cst.SimpleString):
        return
    use = used.get(chain.base)
    asked = str(name.evaluated_value)
    for origin in use.meaning.origins if use else ():
        path = join(origin.path, *chain.names)
        if place(path) is None and place(join(path, asked)) is not None:
            reason = f"`{tree.text(call)}` left: the module by a string"
            draft.note(tree.line(call), reason)


def _note_distant(tree: Tree, draft: Draft, node: cst.Attribute) -> None:
    is_module = (
        node.attr.value == "callbacks"
        and isinstance(node.value, cst.Attribute)
        and node.value.attr.value == "keras"
    )
    if is_module and chain_of(node) is None:
        text = " ".join(tree.text(node).split())
        reason = f"`{text}` left: what it is taken from is computed"
        draft.note(tree.line(node), reason)


def _note_starred(tree: Tree, draft: Draft, use: Use) -> None:
    chain = use.chain
    if chain.base.value != "callbacks" or not use.meaning.is_unknown:
        return
    for node in tree.nodes:
        if (
            isinstance(node, cst.ImportFrom)
            and isinstance(node.names, cst.ImportStar)
            and is_keras(module_of(node))
            and set(chain.names[:1]) & set(CALLBACKS)
        ):
            draft.note(
                tree.line(chain.node),
                f"`{chain}` left: it may come from `{tree.text(node)}`",
            )


def _reads_like_stock(names: list[str]) -> bool:
    return any(
        keras in {"keras", "tf_keras"} and callbacks == "callbacks"
        for keras, callbacks in itertools.pairwise(names)
    )
