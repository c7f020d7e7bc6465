"""What a running `fit`, `evaluate` or `predict` would tell its callbacks.

It tells those of a list that it makes itself. A list that it is given it takes
as it is, and tells it nothing.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

_CALLERS = ("fit", "evaluate", "predict")


@dataclass(frozen=True)
class Told:
    """What the callbacks of a plain call get to know.

    Attributes:
        caller: `"fit"`, `"evaluate"` or `"predict"`.
        model: The model.
        params: `verbose`, as Keras hands it out, `epochs` and `steps`.
    """

    caller: str
    model: Any
    params: dict[str, Any]


def told_by_caller(callbacks: Any) -> Told | None:
    """What is to be told to the callbacks of a list that was passed as it is.

    Args:
        callbacks: A list one of whose events is running.

    Returns:
        `None` if no method of a model is calling it, or if it is the
        validation of a `fit`, which had told them before.
    """
    callers = list(_callers(callbacks))
    if not callers or (len(callers) > 1 and callers[-1][0] == "fit"):
        return None
    caller, local = callers[0]
    return Told(
        caller,
        local["self"],
        {
            "verbose": local["verbose"],
            "epochs": local.get("epochs", 1),
            "steps": _steps(local),
        },
    )


def _callers(callbacks: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Keras's own methods that have the list, from the innermost outwards."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_name
        if name in _CALLERS:
            local = frame.f_locals
            is_keras = "epoch_iterator" in local or "data_handler" in local
            if is_keras and local.get("callbacks") is callbacks:
                yield name, local
        frame = frame.f_back


def _steps(local: Mapping[str, Any]) -> int | None:
    """Steps of an epoch, as Keras 3 and as Keras 2 has them."""
    if "epoch_iterator" in local:
        steps: int | None = local["epoch_iterator"].num_batches
        return steps
    return getattr(local["data_handler"], "inferred_steps", None)
