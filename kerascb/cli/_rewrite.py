"""`tf.keras.callbacks` in a Python source, turned to `kerascb`.

Pure: text in; edits, and notes on what was left, out. In four steps:

1. find what each dotted name may mean (`_origins`, `_uses`);
2. see which imports of the module must stay, because something is asked of
   it that kerascb has not;
3. swap the import statements (`_imports`), then the uses through a package
   above the module (`tf.keras.callbacks.X`), and import kerascb for those
   (`_supply`);
4. note what looks like the module and could not be understood
   (`_mentions`).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import libcst as cst

from kerascb.cli._draft import Draft, Note, apply_edits
from kerascb.cli._imports import swap_imports
from kerascb.cli._mentions import (
    is_used_unseen,
    note_mentions,
    note_unknown,
)
from kerascb.cli._naming import local_name
from kerascb.cli._origins import bound_name
from kerascb.cli._spellings import join
from kerascb.cli._supply import Supply, is_plain, uses_of
from kerascb.cli._tree import Tree, check_syntax
from kerascb.cli._uses import (
    Entry,
    Use,
    blocked_binders,
    reason_to_leave,
    uses_in,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Rewritten:
    """The outcome of a rewriting.

    Attributes:
        source: The new text; the old one where nothing was to do.
        notes: What was left, in the order of the old text.
    """

    source: str
    notes: tuple[Note, ...]


def rewrite(source: str) -> Rewritten:
    """Turns the uses of stock's callbacks in a module to kerascb.

    Args:
        source: The text of a Python module, of any newline style.

    Returns:
        The new text, the same outside of what was swapped.

    Raises:
        SourceError: If it is not Python that we can read.
    """
    draft = plan(source)
    return Rewritten(apply_edits(source, draft.edits), draft.sorted_notes())


def plan(source: str, *, unseen: str = "") -> Draft:
    """Says what `rewrite` would do, as edits.

    Args:
        source: The text of a Python module.
        unseen: Text beside it that we cannot read, and that may use its
            names.

    Returns:
        Edits that do not overlap, and notes.

    Raises:
        SourceError: If it is not Python that we can read.
    """
    draft = Draft()
    if not is_concerned(source):
        return draft
    tree = Tree(source, unseen)
    uses = uses_in(tree)
    blocked = blocked_binders(tree, draft, uses)
    swap_imports(tree, draft, blocked)
    name = local_name(tree)
    swapped = frozenset(
        use for use in uses if _swap_use(tree, draft, use, name, blocked)
    )
    replaced = Supply(tree, draft, name, uses, swapped).bring_in()
    _note_idle_imports(tree, draft, uses, swapped, replaced)
    note_mentions(tree, draft, uses)
    if draft.edits:
        # What we are about to hand out has to be Python still.
        check_syntax(apply_edits(source, draft.edits))
    return draft


def is_concerned(source: str) -> bool:
    """Tells, without parsing, whether a text can use stock's callbacks."""
    return "keras" in source and "callbacks" in source


def _swap_use(
    tree: Tree,
    draft: Draft,
    use: Use,
    name: str,
    blocked: frozenset[cst.CSTNode],
) -> bool:
    """Swaps a use that no swapped import takes along; says if it did."""
    entries = use.enters()
    if entries <= {None}:
        note_unknown(tree, draft, use)
        return False
    if any(entry is not None and entry.depth == 0 for entry in entries):
        # Its import is swapped already, or it has to be left with that.
        if not use.chain.names or not use.is_settled_by(blocked):
            return False
    elif use.chain.node in blocked:
        return False
    entry, *others = entries
    if others or entry is None or not use.meaning.is_certain:
        note_unknown(tree, draft, use)
        return False
    return _replace_stretch(tree, draft, use, entry, name)


def _replace_stretch(
    tree: Tree, draft: Draft, use: Use, entry: Entry, name: str
) -> bool:
    chain = use.chain
    stretch = [chain.base, *chain.attributes][entry.depth]
    reason = reason_to_leave(
        use, join(entry.where, *chain.names[entry.depth :])
    )
    if reason is None and "#" in tree.text(stretch):
        reason = "there is a comment inside"
    if reason is not None:
        draft.note(tree.line(chain.node), f"`{chain}` left: {reason}")
        return False
    draft.replace(*tree.span(stretch), join(name, entry.where))
    return True


def _note_idle_imports(
    tree: Tree,
    draft: Draft,
    uses: Sequence[Use],
    swapped: frozenset[Use],
    replaced: frozenset[cst.CSTNode],
) -> None:
    """Notes imports that have no use now; they are the user's to remove."""
    for alias in tree.nodes:
        if not isinstance(alias, cst.ImportAlias) or alias in replaced:
            continue
        name = bound_name(alias)
        own = uses_of(uses, alias)
        rest = [use for use in own if use not in swapped]
        statement = tree.text(tree.parent(alias))
        if own and not rest and not is_used_unseen(tree, name):
            reason = f"`{statement}`: `{name}` has no use here any more"
        elif is_plain(tree, alias) and rest:
            other = rest[0].chain
            reason = f"`{statement}` left: it also serves `{other}`"
        elif is_plain(tree, alias) and not own:
            reason = f"`{statement}` left: nothing here uses it"
        else:
            continue
        draft.note(tree.line(alias), reason)
