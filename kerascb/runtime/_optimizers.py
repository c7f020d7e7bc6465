"""Optimizers whose state is about to be restored."""

from __future__ import annotations

import contextlib
import logging
from typing import Any

_LOG = logging.getLogger(__name__)


def build_optimizer(model: Any) -> None:
    """Makes the variables of a compiled model's optimizer, if it can.

    Keras restores what it finds variables for, and leaves out the rest.

    Args:
        model: A model of any Keras, compiled or not, built or not.
    """
    optimizer = getattr(model, "optimizer", None)
    is_built = getattr(optimizer, "built", getattr(optimizer, "_built", False))
    if optimizer is None or is_built or not getattr(model, "built", True):
        return
    # The latter is how those of Keras 2's `optimizers.legacy` do it.
    for name in ("build", "_create_all_weights"):
        make = getattr(optimizer, name, None)
        if callable(make):
            with _scope_of(model):
                make(model.trainable_variables)
            return


def warn_of_fresh(optimizer: Any, path: str) -> None:
    """Says that a file had nothing for an optimizer.

    Args:
        optimizer: The optimizer.
        path: The file.
    """
    _LOG.warning(
        "%s does not hold the state of this model's %s; the optimizer starts "
        "anew.",
        path,
        type(optimizer).__name__,
    )


def _scope_of(model: Any) -> contextlib.AbstractContextManager[Any]:
    """Where TensorFlow wants the variables of a distributed model made."""
    strategy = getattr(model, "distribute_strategy", None)
    scope: contextlib.AbstractContextManager[Any] = (
        contextlib.nullcontext() if strategy is None else strategy.scope()
    )
    return scope
