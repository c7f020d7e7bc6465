"""Who hears of a batch, and who is to blame if that fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kerascb.callbacks.callback import is_default

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kerascb.runtime import Logs

    Hook = Callable[..., Any]
    Wrap = Callable[[Any, str, Hook], Hook]

_OLDER_NAMES = {
    "on_train_batch_begin": "on_batch_begin",
    "on_train_batch_end": "on_batch_end",
}
_BLAME = "Raised by the callback "


@dataclass(frozen=True)
class Listeners:
    """The callbacks that override a hook of batches, in order.

    Attributes:
        hook: Its name.
        callbacks: The callbacks.
        functions: What to call, one a callback.
        takes_tensors: Whether all of them take logs as they are.
    """

    hook: str
    callbacks: tuple[Any, ...]
    functions: tuple[Hook, ...]
    takes_tensors: bool = False

    @classmethod
    def of(
        cls,
        callbacks: Iterable[Any],
        hook: str,
        wrap: Wrap,
        *,
        takes_tensors: bool,
    ) -> Listeners:
        """Looks at the callbacks as they are now.

        Args:
            callbacks: Callbacks, or what has methods of the same names.
            hook: The name of the hook.
            wrap: The callback, the hook's name, its method → what to call.
            takes_tensors: See the attribute.
        """
        found = [
            (callback, method)
            for callback in callbacks
            if (method := _overridden(callback, hook)) is not None
        ]
        return cls(
            hook,
            tuple(callback for callback, _ in found),
            tuple(wrap(callback, hook, method) for callback, method in found),
            takes_tensors,
        )

    def tell(self, batch: int, logs: Logs) -> None:
        """Calls them one after the other.

        Args:
            batch: Index of the batch.
            logs: One dict for all of them.

        Raises:
            Exception: Theirs, with a note that says whose.
        """
        function: Hook | None = None
        try:
            for function in self.functions:
                function(batch, logs)
        except Exception as error:
            if function is not None:
                culprit = self.callbacks[self.functions.index(function)]
                blame(error, culprit, f"{self.hook}({batch})")
            raise


def name_of(callback: Any) -> str:
    """What a user knows a callback as."""
    return type(whom_it_acts_for(callback)).__name__


def whom_it_acts_for(callback: Any) -> Any:
    """The user's callback, of one that such a callback has put into the list.

    Args:
        callback: Any of a list.
    """
    # Not by `getattr`: an object may answer to every name.
    return getattr(callback, "__dict__", {}).get("_acts_for") or callback


def blame(error: BaseException, callback: Any, event: str) -> None:
    """Notes on an exception which callback it comes from.

    Python prints such notes from 3.11 on, pytest and IPython with any. Keras
    cuts off what an exception is chained to, and a note stays.

    Args:
        error: The exception; its kind and text stay what they are.
        callback: The callback; a list among callbacks knows better itself.
        event: The hook that was called, and with which index.
    """
    notes = getattr(error, "__notes__", None) or []
    if not any(note.startswith(_BLAME) for note in notes):
        error.__notes__ = [
            *notes,
            f"{_BLAME}{name_of(callback)}, in {event}.",
        ]


def _overridden(callback: Any, hook: str) -> Hook | None:
    for name in (hook, _OLDER_NAMES.get(hook)):
        method = getattr(callback, name, None) if name else None
        if method is not None and not is_default(method):
            found: Hook = method
            return found
    return None
