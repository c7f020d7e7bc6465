"""Whether a checkpoint is worth saving, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Verdict:
    """What to do.

    Attributes:
        is_to_save: Whether to save.
        line: What a verbose callback prints; nothing if empty.
        warning: What to warn of; nothing if empty.
        best: The new best value, if there is one.
    """

    is_to_save: bool
    line: str = ""
    warning: str = ""
    best: float | None = None


def unjudged(path: str) -> Verdict:
    """Saves, whatever the logs say.

    Args:
        path: Where to.
    """
    return Verdict(True, line=f"saving model to {path}")


def judge(
    monitor: str,
    value: Any,
    best: float | None,
    is_better: Callable[[float, float | None], bool],
    path: str,
) -> Verdict:
    """Saves what has become better, and what cannot be compared.

    Args:
        monitor: The name of the value.
        value: A float, or an array.
        best: The best value so far.
        is_better: A value and the best so far → whether it is better.
        path: Where to.

    Example:
        >>> judge("loss", 0.5, 0.25, lambda new, old: new < old, "m.keras")
        Verdict(is_to_save=False, line='loss did not improve from 0.25000', \
warning='', best=None)
    """
    if np.ndim(value) > 0:
        return Verdict(
            True,
            warning="Can save best model only when `monitor` is a scalar "
            f"value. Received: {value}. Falling back to "
            "`save_best_only=False`.",
        )
    before = "None" if best is None else f"{best:.5f}"
    if not is_better(value, best):
        return Verdict(False, line=f"{monitor} did not improve from {before}")
    return Verdict(
        True,
        line=f"{monitor} improved from {before} to {value:.5f}, saving "
        f"model to {path}",
        best=value,
    )
