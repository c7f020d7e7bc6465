"""A callback that hears of every event after all others have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from kerascb import runtime
from kerascb.callbacks.callback import Callback, batch_hook

if TYPE_CHECKING:
    from kerascb.runtime import Logs


class Listener(Protocol):
    """Who wants to act when every callback of a list has done its part."""

    def after_train_begin(self) -> None:
        """Training has begun for every callback."""

    def after_epoch_begin(self, epoch: int) -> None:
        """An epoch has begun for every callback."""

    def after_train_batch(self, batch: int, logs: Logs | None) -> None:
        """A batch has ended for every callback; if `hears_batches`."""

    def after_epoch(self, epoch: int, logs: Logs | None) -> None:
        """An epoch has ended for every callback."""

    def after_train(self, logs: Logs | None) -> None:
        """Training has ended for every callback."""

    @property
    def hears_batches(self) -> bool:
        """Whether the ends of batches are to be told."""


class LastWord(Callback):
    """Stands last in a list of callbacks, for as long as a fit takes.

    What a listener does then does not depend on where in the list the user
    has put it.

    Args:
        listener: Who is told.
        model: The model of the fit.
        params: What `fit` has told the callbacks.

    Attributes:
        is_over: Whether the fit is, and with it the telling.
    """

    _supports_tf_logs = True

    def __init__(
        self, listener: Listener, model: Any, params: dict[str, Any]
    ) -> None:
        super().__init__()
        self.set_model(model)
        self.set_params(params)
        self._listener = listener
        self._acts_for: Callback | None = None
        self.is_over = False

    def join(self, callback: Callback) -> list[Any] | None:
        """Takes the last place in the list that is calling a callback.

        Args:
            callback: Whose `on_train_begin` is running.

        Returns:
            The callbacks of the list, this one last; `None` if no list is
            calling, but the user's own code.
        """
        self._acts_for = callback
        siblings = runtime.siblings_of(callback)
        if siblings is None:
            return None
        for one in [*siblings]:
            if isinstance(one, LastWord) and one.is_over:
                siblings.remove(one)
        siblings.append(self)
        return siblings

    def leave(self) -> None:
        """Tells nothing any more; may be called a second time.

        The place is given up when the next fit of the same list begins: the
        list may be calling its callbacks just now, and would pass one over.
        """
        self.is_over = True

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Tells the listener."""
        del logs
        if not self.is_over:
            self._listener.after_train_begin()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Tells the listener."""
        del logs
        if not self.is_over:
            self._listener.after_epoch_begin(epoch)

    @batch_hook(lambda self: not self.is_over and self._listener.hears_batches)
    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Tells the listener."""
        self._listener.after_train_batch(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Tells the listener."""
        if not self.is_over:
            self._listener.after_epoch(epoch, logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Tells the listener."""
        if not self.is_over:
            self._listener.after_train(logs)
