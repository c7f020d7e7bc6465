"""The uses of names in a module, and which of them forbid a swap."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import libcst as cst

from kerascb.cli._origins import Meaning, Origin, Origins
from kerascb.cli._spellings import is_module, is_offered, join, place
from kerascb.cli._tree import Chain, Tree, chain_of

if TYPE_CHECKING:
    from kerascb.cli._draft import Draft


@dataclasses.dataclass(frozen=True, eq=False)
class Use:
    """A dotted name that is read, or whose last part is assigned to.

    Attributes:
        chain: The name.
        meaning: What its first part may stand for.
        is_written: Whether its last part is assigned to or deleted.
    """

    chain: Chain
    meaning: Meaning
    is_written: bool

    def enters(self) -> set[Entry | None]:
        """Says where the name enters stock's callbacks module.

        Returns:
            An entry for each thing the name may stand for; None among them
            for what lies elsewhere.
        """
        return {_entry(origin, self.chain) for origin in self.meaning.origins}

    def is_settled_by(self, binders: frozenset[cst.CSTNode]) -> bool:
        """Tells whether it is bound by one of the `binders`."""
        return any(
            binder in binders
            for origin in self.meaning.origins
            for binder in origin.binders
        )


@dataclasses.dataclass(frozen=True)
class Entry:
    """The point where a dotted name enters the callbacks module.

    Attributes:
        depth: How many of the attributes lead there; 0 where its first
            part is inside already.
        where: The place that this first stretch means.
    """

    depth: int
    where: str


def uses_in(tree: Tree) -> list[Use]:
    """Finds every use of a name, in the order of the text."""
    origins = Origins(tree)
    uses = []
    for node in tree.nodes:
        chain = _use_at(tree, node)
        if chain is not None:
            is_written = tree.is_bound(node) or tree.is_deleted(node)
            uses.append(Use(chain, origins.of(chain), is_written))
    return uses


def blocked_binders(
    tree: Tree, draft: Draft, uses: list[Use]
) -> frozenset[cst.CSTNode]:
    """Finds the imports and aliases of the module that have to stay stock's.

    Swapping `from keras import callbacks` swaps every `callbacks.…` below.
    Where one of them asks for something that kerascb has not, the import
    stays, and the uses are swapped one by one.
    """
    blocked: set[cst.CSTNode] = set()
    for use in uses:
        for origin in use.meaning.origins:
            reason = _reason_to_block(use, origin)
            if reason is None:
                continue
            draft.note(
                tree.line(use.chain.node), f"`{use.chain}` left: {reason}"
            )
            for binder in origin.binders:
                blocked.add(binder)
                draft.note(
                    tree.line(binder),
                    f"`{use.chain.base.value}` stays the stock module, "
                    f"for `{use.chain}`",
                )
    return frozenset(blocked)


def reason_to_leave(use: Use, where: str) -> str | None:
    """Says why a use of what is at a place cannot be swapped.

    Returns:
        Half a sentence; None if it can.
    """
    if not is_offered(where):
        return f"kerascb has no `{where}`"
    holder = where.rpartition(".")[0]
    if use.is_written and (not where or is_module(holder)):
        return "it is assigned to"
    return None


def _reason_to_block(use: Use, origin: Origin) -> str | None:
    where = place(origin.path)
    names = use.chain.names
    if where is None or not is_module(where) or not names:
        return None
    # `callbacks = [callbacks.EarlyStopping()]` makes the name a list, and
    # `append` no class that kerascb lacks.
    if not use.meaning.is_certain and not names[0][:1].isupper():
        return None
    return reason_to_leave(use, join(where, *names))


def _entry(origin: Origin, chain: Chain) -> Entry | None:
    path = origin.path
    where = place(path)
    if where is not None:
        return Entry(0, where)
    for depth, name in enumerate(chain.names, start=1):
        path = join(path, name)
        where = place(path)
        if where is not None:
            return Entry(depth, where)
    return None


def _use_at(tree: Tree, node: cst.CSTNode) -> Chain | None:
    if not isinstance(node, (cst.Name, cst.Attribute)):
        return None
    parent = tree.parent(node)
    if isinstance(parent, cst.Attribute):
        return None
    if isinstance(node, cst.Name) and (
        tree.scope(node) is None
        or tree.is_bound(node)
        or isinstance(parent, (cst.MatchAs, cst.MatchStar, cst.NameItem))
    ):
        return None
    chain = chain_of(node)
    # Names in import statements have no scope: they are no uses.
    return chain if chain and tree.scope(chain.base) else None
