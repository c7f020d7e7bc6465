"""Let the vocabulary of an embedding follow the data."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from kerascb.callbacks._arguments import require_number
from kerascb.callbacks.callback import Callback
from kerascb.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from kerascb.runtime import Logs


class UpdateEmbeddingCallback(Callback):
    """Updates a `DynamicEmbedding` layer of Keras 2 every so many seconds.

    An update takes the words seen most often into the layer's vocabulary,
    and sets to zero what the optimizer keeps for the layer (its moments). It
    is made in the training thread, at the end of the first batch after the
    time has run out; the first one at the end of the first batch. So no step
    ever meets a half updated layer.

    The updates are on from `start()` to `stop()`, or within a `with` block.

    Args:
        dynamic_embedding_layer: The layer, of a model that `fit` trains.
        interval: Seconds between two updates (≥ 0); infinite for the first
            one only.
        clock: Returns seconds; for tests.

    Raises:
        InvalidArgument: If the layer cannot be updated, or the interval is no
            time.
        UnsupportedRuntime: When training begins, if the model is one of Keras
            3 and `on_interval` is not a subclass's own.

    Attributes:
        interval: As given.

    Example:
        >>> class Layer:
        ...     def update_embeddings(self, strategy): ...
        >>> with UpdateEmbeddingCallback(Layer(), interval=60) as callback:
        ...     callback.is_alive()  # model.fit(..., callbacks=[callback])
        True
        >>> callback.is_alive()
        False
    """

    _supports_tf_logs = True

    def __init__(
        self,
        dynamic_embedding_layer: Any,
        interval: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        if not callable(
            getattr(dynamic_embedding_layer, "update_embeddings", None)
        ):
            raise InvalidArgument(
                "UpdateEmbeddingCallback updates a DynamicEmbedding layer; got "
                f"dynamic_embedding_layer={dynamic_embedding_layer!r}."
            )
        require_number(self, at_least=0, interval=interval)
        self.interval = interval
        self._dynamic_embedding_layer = dynamic_embedding_layer
        self._clock = clock
        self._is_on = False
        self._due_at = -math.inf

    def start(self) -> None:
        """Turns the updates on; the first one is due at once."""
        self._is_on = True
        self._due_at = -math.inf

    def stop(self) -> None:
        """Turns the updates off."""
        self._is_on = False

    def is_alive(self) -> bool:
        """Whether the updates are on."""
        return self._is_on

    def __enter__(self) -> UpdateEmbeddingCallback:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def get_state(self) -> dict[str, Any]:
        """How long it is until the next update."""
        return {"due_in": self._due_at - self._clock()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Waits as long as was left, and no longer than `interval`.

        Args:
            state: What `get_state` has answered.
        """
        due_in = state.get("due_in", -math.inf)
        self._due_at = self._clock() + min(due_in, self.interval)

    def on_interval(self) -> None:
        """Makes an update; a subclass may do something else instead."""
        self._runtime.update_embeddings(
            self._dynamic_embedding_layer, self.model
        )

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Finds out what the first update would fail of.

        Args:
            logs: Not used.
        """
        del logs
        if type(self).on_interval is UpdateEmbeddingCallback.on_interval:
            self._runtime.require_dynamic_embeddings()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Makes an update if one is due.

        Args:
            batch: Not used.
            logs: Not used.
        """
        del batch, logs
        if self._is_on and self._clock() >= self._due_at:
            self.on_interval()
            self._due_at = self._clock() + self.interval
