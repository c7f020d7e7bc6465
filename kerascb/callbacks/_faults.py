"""Whether a model has become one that must not replace what was saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascb import runtime
from kerascb.callbacks._callback_states import flat
from kerascb.callbacks.terminate_on_nan import TerminateOnNaN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kerascb.callbacks.callback import Callback
    from kerascb.runtime import Logs


def fault_in(callbacks: Iterable[Any], logs: Logs | None) -> str | None:
    """What a `TerminateOnNaN` of a fit has found, in a few words.

    Args:
        callbacks: The callbacks of the fit.
        logs: What the batch or the epoch that has ended has logged.

    Returns:
        `None` if nothing was found, or if nobody looks.
    """
    for callback in flat(callbacks):
        if isinstance(callback, TerminateOnNaN):
            fault = callback.fault(logs)
            if fault is not None:
                return fault
    return None


class FaultWatch:
    """Keeps a callback from saving a model that is not worth it.

    Args:
        callback: Whose `on_train_begin` is running.
    """

    def __init__(self, callback: Callback) -> None:
        self._name = type(callback).__name__
        self._warn = callback._warn  # noqa: SLF001 - a part of the callback
        self._siblings = runtime.siblings_of(callback) or []
        self._is_told = False

    def forbids(self, logs: Logs | None) -> bool:
        """Whether nothing may be saved any more; warns of it once.

        Args:
            logs: What the batch or the epoch that has ended has logged.
        """
        fault = fault_in(self._siblings, logs)
        if fault is not None and not self._is_told:
            self._is_told = True
            self._warn(
                f"{self._name}: {fault}. Nothing is saved from then on; what "
                "was saved before stays."
            )
        return fault is not None
