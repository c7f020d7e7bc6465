"""Save a model in Orbax's format while training goes on."""

from __future__ import annotations

import contextvars
import importlib
import os
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from kerascb.callbacks._arguments import require_number
from kerascb.callbacks._checkpoint_arguments import check_save_freq
from kerascb.callbacks.callback import batch_hook
from kerascb.callbacks.monitor_callback import MonitorCallback
from kerascb.errors import InvalidArgument, MissingDependency
from kerascb.frequency import BatchCounter, as_count, within_epoch
from kerascb.paths import is_remote, refuse_unwritable

if TYPE_CHECKING:
    from collections.abc import Callable

    from kerascb.runtime import Logs


class OrbaxCheckpoint(MonitorCallback):
    """Saves checkpoints with Orbax, one folder a step; for Keras 3.

    `keras.saving.load_model(directory)` gives back the newest one whole,
    `model.load_weights(directory)` its weights. Keras looks variables up by
    their paths, made of the names of the model and its layers. A `Sequential`
    model names its variables otherwise once it is loaded, so that Keras 3.15
    restores nothing of it and says nothing: use a functional one.

    The steps are the epochs, or with an integer `save_freq` the batches
    trained since the optimizer was made. Where a run would come below the
    newest step that is there, as one does that begins with epoch 0 in the
    folder of another, its steps are counted on from that one, and a warning
    says so: nothing is overwritten, and the newest step is the last one saved.

    Guarantees: saves are made in order, one at a time. The error of one made
    in the background is raised when the next epoch begins or ends, by the next
    save, by `wait_until_finished`, or at the end of training, whichever comes
    first; on JAX by the last three. A thread lives as long as a save.

    Args:
        directory: The folder for the checkpoints; it is made if missing.
        monitor: The key of the logs that says what is best, e.g. `"val_loss"`.
        verbose: 1 to print a line at each save, 0 for silence.
        save_best_only: Save only when `monitor` has become better.
        mode: `"min"`, `"max"` or `"auto"`; see `MonitorCallback`.
        save_freq: `"epoch"`, or a number of batches (≥ 1), counted over the
            borders of epochs.
        initial_value_threshold: The value to beat at first; `None` for none.
        max_to_keep: How many of the newest checkpoints stay (≥ 1); `None` for
            all.
        save_on_background: Write in the background; training goes on at once,
            on JAX as soon as the values have been copied.
        save_weights_only: Leave out the optimizer, the metrics, the config
            and the assets.

    Raises:
        MissingDependency: If orbax-checkpoint is not installed.
        InvalidArgument: If `save_freq`, `initial_value_threshold` or
            `max_to_keep` is none of the above; in training, if the value of
            `monitor` is not one number.
        UnwritablePath: When training begins, if the folder cannot be written
            to.
        UnsupportedRuntime: When training begins, if this Keras cannot load
            Orbax checkpoints.

    Attributes:
        directory: As given.
        checkpointer: Orbax's `Checkpointer` for the folder; made when needed.
        best: See `MonitorCallback`.

    Example:
        >>> import tempfile
        >>> callback = OrbaxCheckpoint(tempfile.mkdtemp(), save_freq=100)
        >>> callback.is_primary_host()
        True
    """

    _checkpointer: Any = None
    _pending: Any = None

    def __init__(
        self,
        directory: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        mode: str = "auto",
        save_freq: Any = "epoch",
        initial_value_threshold: float | None = None,
        max_to_keep: int | None = 1,
        save_on_background: bool = True,
        save_weights_only: bool = False,
    ) -> None:
        _orbax()
        if initial_value_threshold is not None:
            require_number(
                self, initial_value_threshold=initial_value_threshold
            )
        super().__init__(monitor, mode, initial_value_threshold)
        check_save_freq(save_freq, "keras3")
        if max_to_keep is not None and as_count(max_to_keep) is None:
            raise InvalidArgument(
                "OrbaxCheckpoint has to keep a checkpoint; got "
                f"max_to_keep={max_to_keep!r}. Pass an integer of at least 1, "
                "or None for all."
            )
        self.directory = directory
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_freq = save_freq
        self.max_to_keep = max_to_keep
        self.save_on_background = save_on_background
        self.save_weights_only = save_weights_only
        self._counter = (
            None if save_freq == "epoch" else BatchCounter(save_freq)
        )
        self._total_batches_seen = 0
        self._batches_before_epoch = 0
        self._offset = 0

    @property
    def checkpointer(self) -> Any:
        """Orbax's own object, which reads and writes the folder.

        Reading it waits for what is being written, which Orbax knows nothing
        of: whoever closes the object or looks for the latest step means that
        too.
        """
        if isinstance(self._pending, Future):
            wait([self._pending])
        if self._checkpointer is None:
            training = _orbax().v1.training
            keep = self.max_to_keep
            self._checkpointer = training.Checkpointer(
                directory=_absolute(os.fspath(self.directory)),
                save_decision_policy=(
                    training.save_decision_policies.FixedIntervalPolicy(1)
                ),
                preservation_policy=(
                    None
                    if keep is None
                    else training.preservation_policies.LatestN(keep)
                ),
            )
        return self._checkpointer

    def set_model(self, model: Any) -> None:
        """Takes the batches trained so far from the model's optimizer.

        Args:
            model: The model.
        """
        super().set_model(model)
        self._total_batches_seen = self._runtime.iterations(model) or 0
        self._batches_before_epoch = self._total_batches_seen

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Finds out what would go wrong later.

        Args:
            logs: Not used.
        """
        del logs
        refuse_unwritable(os.fspath(self.directory), "directory")
        self._runtime.require_orbax()
        self._offset = 0
        _ = self.checkpointer  # makes the folder
        if self.save_best_only:
            self._begin_monitoring()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Goes on counting batches from the last epoch's.

        Args:
            epoch: Not used.
            logs: Not used.
        """
        del epoch, logs
        self._raise_if_failed()
        self._batches_before_epoch = self._total_batches_seen
        if self._counter is not None:
            self._counter.begin_epoch()

    @batch_hook(lambda self: self.save_freq != "epoch")
    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Saves every `save_freq` batches.

        Args:
            batch: Zero-based index of the batch within its epoch.
            logs: Metric name to value; `monitor` is looked for in it.
        """
        batch = within_epoch(batch, self._steps_in_epoch)
        self._total_batches_seen = self._batches_before_epoch + batch + 1
        if (
            self._counter is not None
            and self._counter.is_due_after(batch)
            and self._is_wanted(logs, f"batch {batch}")
        ):
            self._save_checkpoint(self._total_batches_seen)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Saves, unless that is done by batches.

        Args:
            epoch: Zero-based index of the epoch.
            logs: Metric name to value; `monitor` is looked for in it.
        """
        self._raise_if_failed()
        if self.save_freq == "epoch" and self._is_wanted(
            logs, f"epoch {epoch}"
        ):
            self._save_checkpoint(epoch)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Waits for what is being written, and lets go of the folder.

        Args:
            logs: Not used.

        Raises:
            Exception: What went wrong in the background.
        """
        del logs
        try:
            self._finish_pending()
        finally:
            checkpointer, self._checkpointer = self._checkpointer, None
            if checkpointer is not None:
                checkpointer.close()
        self._sync_processes("checkpoint_cleanup")

    def wait_until_finished(self) -> None:
        """Waits until everything is on the disk, on every host.

        Raises:
            Exception: What went wrong in the background.
        """
        self._finish_pending()
        self.checkpointer.wait()
        self._sync_processes("checkpoint_wait_complete")

    def is_multihost_enabled(self) -> bool:
        """Whether several processes save together; only JAX's do."""
        return self._runtime.backend == "jax" and bool(
            _orbax().multihost.is_jax_distributed_client_initialized()
        )

    def is_primary_host(self) -> bool:
        """Whether this process leads the others, or is the only one."""
        return not self.is_multihost_enabled() or bool(
            _orbax().multihost.is_primary_host(primary_host=0)
        )

    def _is_wanted(self, logs: Logs | None, when: str) -> bool:
        """Whether to save now; takes note of a new best value."""
        if not self.save_best_only:
            return True
        value = self._monitored(logs)
        if value is None:
            if self._is_worth_telling():
                self._warn(
                    f"Can save best model only with {self.monitor} available, "
                    f"skipping save at {when}."
                )
            return False
        value = self._as_number(value)
        if not self._is_improvement(value, self.best):
            return False
        self.best = value
        return True

    def _save_checkpoint(self, step: int, logs: Logs | None = None) -> None:
        del logs
        self._finish_pending()
        step = self._above_latest(step)
        items = self._runtime.orbax_items(
            self._model, weights_only=self.save_weights_only
        )
        if self.verbose > 0:
            path = os.path.join(os.fspath(self.directory), str(step))
            self._say(f"\nSaving checkpoint to {path}")
        if not self.save_on_background:
            self.checkpointer.save_checkpointables(step, items())
        elif self._runtime.backend == "jax":
            # Arrays of JAX, which processes may share, are Orbax's own trade.
            self._pending = self.checkpointer.save_checkpointables_async(
                step, items()
            )
        else:
            self._pending = self._in_background(step, items)

    def _in_background(
        self, step: int, items: Callable[[], dict[str, Any]]
    ) -> Future[None]:
        """Saves in a thread of ours: Orbax copies arrays before it answers."""
        checkpointer = self.checkpointer
        thread = ThreadPoolExecutor(1, "OrbaxCheckpoint")
        pending = thread.submit(
            contextvars.copy_context().run,  # what users have set for Orbax
            lambda: checkpointer.save_checkpointables(step, items()),
        )
        thread.shutdown(wait=False)  # It ends with the save.
        return pending

    def _above_latest(self, step: int) -> int:
        """The step to save under; Orbax saves none below the latest."""
        latest = self.checkpointer.latest
        if latest is not None and step + self._offset <= latest.step:
            self._offset = latest.step + 1 - step
            self._warn(
                f"OrbaxCheckpoint: {os.fspath(self.directory)!r} already holds "
                f"step {latest.step}, and this run is at step {step}; its "
                f"steps are counted from {step + self._offset} on. Use another "
                "directory to keep runs apart."
            )
        return step + self._offset

    def _raise_if_failed(self) -> None:
        """Raises what went wrong in the background, as far as is known."""
        if isinstance(self._pending, Future) and self._pending.done():
            self._finish_pending()

    def _finish_pending(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def _sync_processes(self, key: str) -> None:
        if self.is_multihost_enabled():
            _orbax().multihost.sync_global_processes(key)

    def __getstate__(self) -> dict[str, Any]:
        return {
            **super().__getstate__(),
            "_checkpointer": None,
            "_pending": None,
        }


def _absolute(directory: str) -> str:
    """The path as Orbax wants it: it refuses relative ones."""
    return directory if is_remote(directory) else os.path.abspath(directory)


def _orbax() -> Any:
    try:
        return importlib.import_module("orbax.checkpoint")
    except ImportError as error:
        raise MissingDependency(
            "OrbaxCheckpoint", "orbax-checkpoint", "orbax"
        ) from error
