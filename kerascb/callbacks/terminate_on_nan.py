"""Stop a run whose loss is no longer a finite number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kerascb.callbacks.callback import Callback
from kerascb.frequency import within_epoch

if TYPE_CHECKING:
    from kerascb.runtime import Logs


class TerminateOnNaN(Callback):
    """Stops training at the first batch whose loss is NaN or infinite.

    The default stop is graceful: the loop ends after the current batch and
    every callback still gets `on_epoch_end` and `on_train_end`. With
    `raise_error=True` the error leaves `fit` at once, so that callbacks that
    clean up at the end of training (`BackupAndRestore`) keep their files.

    Cost: one scalar read a batch; on an accelerator, reading waits for it.

    Args:
        raise_error: Raise instead of stopping gracefully.

    Raises:
        RuntimeError: Out of `fit`, if `raise_error` is true.

    Example:
        >>> from kerascb import TerminateOnNaN
        >>> from kerascb.testing import drive
        >>> run = drive([TerminateOnNaN()], losses=[0.3, float("nan"), 0.2])
        Batch 1: Invalid loss, terminating training
        >>> run.batches_seen
        2
    """

    _supports_tf_logs = True

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Checks the loss; a batch without one passes.

        Args:
            batch: Zero-based index of the batch within its epoch.
            logs: Metric name to value, averaged over the epoch so far.
        """
        loss = logs.get("loss") if logs else None
        if loss is not None and not self._is_finite(loss):
            batch = within_epoch(batch, self._steps_in_epoch)
            self._terminate(f"Batch {batch}", f"batch {batch}", loss)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Checks once more, for loops that report no batches.

        Args:
            epoch: Zero-based index of the epoch.
            logs: Metric name to value.
        """
        loss = logs.get("loss") if logs else None
        if loss is None or self._is_finite(loss):
            return
        if not getattr(self._bare_model, "stop_training", False):
            self._terminate(
                f"Epoch {epoch + 1}", f"the end of epoch {epoch + 1}", loss
            )

    def _is_finite(self, loss: Any) -> bool:
        if isinstance(loss, float):
            return math.isfinite(loss)
        return math.isfinite(self._runtime.scalar(loss))

    def _terminate(self, label: str, place: str, loss: Any) -> None:
        if self.raise_error:
            raise RuntimeError(
                f"NaN or Inf loss encountered at {place}. "
                f"Loss value: {loss}. Terminating training immediately."
            )
        self._say(f"{label}: Invalid loss, terminating training")
        self._bare_model.stop_training = True
