"""Lazy logs as the tree libraries see a dict.

JAX, torch and optree (which `keras.tree` uses) go by the exact type, and
would take a subclass of dict for a leaf.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from kerascb.runtime.lazy_logs import LazyLogs

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAMESPACE = "keras"


@functools.cache
def register(backend: str) -> None:
    """Makes trees of lazy logs, once for all; what is built of one is a dict.

    Args:
        backend: What Keras runs on; no other one is imported.
    """
    if backend == "jax":
        import jax

        jax.tree_util.register_pytree_node(LazyLogs, _flatten, _unflatten)
    elif backend == "torch":
        from torch.utils import _pytree

        _pytree.register_pytree_node(
            LazyLogs,
            _flatten,
            lambda values, names: _unflatten(names, values),
        )
    try:
        import optree
    except ImportError:
        return  # Keras has taken another library, which asks `isinstance`.
    trees: Any = optree  # typed for collections, which logs are not
    trees.register_pytree_node(
        LazyLogs, _flatten, _unflatten, namespace=_NAMESPACE
    )


def _flatten(logs: LazyLogs) -> tuple[list[Any], tuple[str, ...]]:
    names = tuple(sorted(logs))
    return [logs[name] for name in names], names


def _unflatten(names: tuple[str, ...], values: Iterable[Any]) -> dict[str, Any]:
    return dict(zip(names, values, strict=True))
