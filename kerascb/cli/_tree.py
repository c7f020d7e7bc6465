"""A parsed module, and where everything in it stands in the text."""

from __future__ import annotations

import dataclasses
import itertools
import re
from typing import TYPE_CHECKING

import libcst as cst
from libcst.metadata import (
    ExpressionContext,
    ExpressionContextProvider,
    MetadataWrapper,
    ParentNodeProvider,
    PositionProvider,
    Scope,
    ScopeProvider,
)

from kerascb.cli._draft import SourceError, line_starts

if TYPE_CHECKING:
    from collections.abc import Iterator

# Python takes 200 levels; libcst's parser crashes, without an exception,
# somewhere above a thousand.
_PARSER_LIMIT = 1000
_BRACKET = re.compile(r"[(){}\[\]]").findall


@dataclasses.dataclass(frozen=True)
class Chain:
    """A dotted name in the code: `tf.keras.callbacks`.

    Attributes:
        node: The whole of it.
        base: The name that it begins with.
        attributes: The nodes after that, shortest first; the last is `node`.
    """

    node: cst.BaseExpression
    base: cst.Name
    attributes: tuple[cst.Attribute, ...]

    @property
    def names(self) -> list[str]:
        """The names after the first."""
        return [attribute.attr.value for attribute in self.attributes]

    def __str__(self) -> str:
        return ".".join([self.base.value, *self.names])


def chain_of(node: cst.CSTNode | None) -> Chain | None:
    """Reads a node as a dotted name; None where it is something else."""
    attributes = []
    inner = node
    while isinstance(inner, cst.Attribute):
        attributes.append(inner)
        inner = inner.value
    if not isinstance(inner, cst.Name) or not isinstance(
        node, (cst.Name, cst.Attribute)
    ):
        return None
    return Chain(node, inner, tuple(reversed(attributes)))


class Tree:
    """A module's syntax tree, with the questions we have about it.

    Args:
        source: The text of a Python module.
        unseen: Text beside it that is in no tree.

    Attributes:
        source: As given.
        unseen: As given.
        nodes: All nodes, in the order of the text.

    Raises:
        SourceError: If it is not one.
    """

    def __init__(self, source: str, unseen: str = "") -> None:
        self.source = source
        self.unseen = unseen
        self.module = _parse(source)
        # Freshly parsed: no node appears twice, so none needs a copy.
        wrapper = MetadataWrapper(self.module, unsafe_skip_copy=True)
        try:
            self._places = wrapper.resolve(PositionProvider)
            self._scopes = wrapper.resolve(ScopeProvider)
            self._parents = wrapper.resolve(ParentNodeProvider)
            self._contexts = wrapper.resolve(ExpressionContextProvider)
        except RecursionError as error:
            raise SourceError("nested too deeply") from error
        self._starts = line_starts(source)
        self.nodes = tuple(_walk(self.module))

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """Returns the offsets of a node's first character and of its end."""
        place = self._places[node]
        start = self._starts[place.start.line - 1] + place.start.column
        return start, self._starts[place.end.line - 1] + place.end.column

    def line(self, node: cst.CSTNode) -> int:
        """Returns the line that a node begins on, from 1."""
        return int(self._places[node].start.line)

    def text(self, node: cst.CSTNode) -> str:
        """Returns a node as it is written."""
        start, end = self.span(node)
        return self.source[start:end]

    def parent(self, node: cst.CSTNode) -> cst.CSTNode:
        """Returns the node that holds `node`."""
        return self._parents[node]

    def scope(self, node: cst.CSTNode) -> Scope | None:
        """Returns the scope a node's names are looked up in, if any are."""
        return self._scopes.get(node)

    def scopes(self) -> set[Scope]:
        """Returns every scope of the module."""
        return {scope for scope in self._scopes.values() if scope is not None}

    def is_bound(self, node: cst.CSTNode) -> bool:
        """Tells whether a name or attribute is assigned to there."""
        return self._contexts.get(node) is ExpressionContext.STORE

    def is_deleted(self, node: cst.CSTNode) -> bool:
        """Tells whether a name or attribute is deleted there."""
        return self._contexts.get(node) is ExpressionContext.DEL


def check_syntax(source: str) -> None:
    """Raises `SourceError` if `source` is no Python module."""
    _parse(source)


def _parse(source: str) -> cst.Module:
    if _bracket_depth(source) > _PARSER_LIMIT:
        raise SourceError("nested too deeply")
    try:
        module = cst.parse_module(source)
        is_faithful = module.code == source
    except cst.ParserSyntaxError as error:
        raise SourceError(f"syntax error, line {error.raw_line}") from error
    except RecursionError as error:
        raise SourceError("nested too deeply") from error
    if not is_faithful:
        raise SourceError("its line structure is not understood")
    return module


def _bracket_depth(source: str) -> int:
    """Returns how deep brackets are nested, those in strings included."""
    steps = (1 if bracket in "([{" else -1 for bracket in _BRACKET(source))
    return max(itertools.accumulate(steps), default=0)


def _walk(module: cst.Module) -> Iterator[cst.CSTNode]:
    # A stack, not recursion: a sum of a thousand terms is a thousand deep.
    stack: list[cst.CSTNode] = [module]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))
