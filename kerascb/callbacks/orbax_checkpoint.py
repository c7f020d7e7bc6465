"""Save a model in Orbax's format while training goes on."""

from __future__ import annotations

import contextvars
import os
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from kerascb.callbacks._arguments import require_number
from kerascb.callbacks._checkpoint_arguments import check_save_freq
from kerascb.callbacks._epoch_under_way import EpochUnderWay
from kerascb.callbacks._faults import FaultWatch
from kerascb.callbacks._orbax_folder import OrbaxSteps, open_folder, orbax
from kerascb.callbacks.callback import batch_hook
from kerascb.callbacks.monitor_callback import MonitorCallback
from kerascb.errors import InvalidArgument
from kerascb.frequency import BatchCounter, as_count, within_epoch
from kerascb.paths import refuse_unwritable

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

    A run that `BackupAndRestore` takes up keeps its numbers. What it had saved
    after the backup stays until it has come as far again: steps below the
    newest one are not saved once more, the newest one is replaced.

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
    _faults: FaultWatch | None = None

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
        orbax()
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
        self._steps = OrbaxSteps()
        self._epoch = EpochUnderWay()
        self._best_before_save = self._best

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
            self._checkpointer = open_folder(
                os.fspath(self.directory), self.max_to_keep
            )
        return self._checkpointer

    def set_model(self, model: Any) -> None:
        """Takes the batches trained so far from the model's optimizer.

        Args:
            model: The model.
        """
        super().set_model(model)
        self._total_batches_seen = self._runtime.iterations(model) or 0

    def get_state(self) -> dict[str, Any]:
        """The best value, the counters, and what has been saved."""
        return {
            **super().get_state(),
            "epoch": self._epoch.epoch,
            "batches": None if self._counter is None else self._counter.state(),
            "total_batches_seen": self._total_batches_seen,
            "steps": self._steps.state(),
            "best_before_save": self._best_before_save,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on counting, and finds out what the run has saved since.

        Args:
            state: What `get_state` has answered.
        """
        is_whole = self._steps.resume(state.get("steps") or {}, self._newest())
        if not is_whole:
            # The save of the best was under way, and ended with the process.
            state = {**state, "best": state.get("best_before_save")}
        super().set_state(state)
        self._best_before_save = (
            state.get("best_before_save") if is_whole else self._best
        )
        self._epoch.restore(state.get("epoch"))
        if self._counter is not None:
            self._counter.restore(state.get("batches") or {})
        self._total_batches_seen = state.get(
            "total_batches_seen", self._total_batches_seen
        )

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Finds out what would go wrong later.

        Args:
            logs: Not used.
        """
        del logs
        refuse_unwritable(os.fspath(self.directory), "directory")
        self._runtime.require_orbax()
        self._steps = OrbaxSteps()
        self._best_before_save = self._best
        self._epoch = EpochUnderWay()
        self._faults = FaultWatch(self)
        _ = self.checkpointer  # makes the folder
        if self.save_best_only:
            self._begin_monitoring()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Goes on counting batches from the last epoch's.

        Args:
            epoch: Zero-based index of the epoch.
            logs: Not used.
        """
        del logs
        self._raise_if_failed()
        goes_on = self._epoch.begin(epoch)
        if self._counter is not None and not goes_on:
            self._counter.begin_epoch()

    @batch_hook(lambda self: self.save_freq != "epoch")
    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Saves every `save_freq` batches.

        Args:
            batch: Zero-based index of the batch within its epoch.
            logs: Metric name to value; `monitor` is looked for in it.
        """
        batch = within_epoch(batch, self._steps_in_epoch)
        if self._counter is None:
            return
        self._total_batches_seen += self._counter.batches_until(batch)
        if self._counter.is_due_after(batch):
            self._save_if_wanted(
                self._total_batches_seen, logs, f"batch {batch}"
            )

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Saves, unless that is done by batches.

        Args:
            epoch: Zero-based index of the epoch.
            logs: Metric name to value; `monitor` is looked for in it.
        """
        self._raise_if_failed()
        self._epoch.end()
        if self.save_freq == "epoch":
            self._save_if_wanted(epoch, logs, f"epoch {epoch}")

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
            orbax().multihost.is_jax_distributed_client_initialized()
        )

    def is_primary_host(self) -> bool:
        """Whether this process leads the others, or is the only one."""
        return not self.is_multihost_enabled() or bool(
            orbax().multihost.is_primary_host(primary_host=0)
        )

    def _save_if_wanted(self, step: int, logs: Logs | None, when: str) -> None:
        is_forbidden = self._faults is not None and self._faults.forbids(logs)
        if is_forbidden or self._steps.is_passed(step):
            return
        best = self._best
        if self._is_wanted(logs, when):
            self._best_before_save = best
            self._save_checkpoint(step)

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
        step = self._number(step)
        # A resumed run comes to what it had saved before it was killed.
        replace = {"overwrite": True} if step == self._newest() else {}
        items = self._runtime.orbax_items(
            self._model, weights_only=self.save_weights_only
        )
        if self.verbose > 0:
            path = os.path.join(os.fspath(self.directory), str(step))
            self._say(f"\nSaving checkpoint to {path}")
        checkpointer = self.checkpointer
        if not self.save_on_background:
            checkpointer.save_checkpointables(step, items(), **replace)
        elif self._runtime.backend == "jax":
            # Arrays of JAX, which processes may share, are Orbax's own trade.
            self._pending = checkpointer.save_checkpointables_async(
                step, items(), **replace
            )
        else:
            self._pending = self._in_background(
                lambda: checkpointer.save_checkpointables(
                    step, items(), **replace
                )
            )

    def _in_background(self, save: Callable[[], Any]) -> Future[None]:
        """Saves in a thread of ours: Orbax copies arrays before it answers."""
        thread = ThreadPoolExecutor(1, "OrbaxCheckpoint")
        pending = thread.submit(
            contextvars.copy_context().run,  # what users have set for Orbax
            save,
        )
        thread.shutdown(wait=False)  # It ends with the save.
        return pending

    def _newest(self) -> int | None:
        """The newest step in the folder."""
        latest = self.checkpointer.latest
        return None if latest is None else int(latest.step)

    def _number(self, step: int) -> int:
        """The step to save under; Orbax saves none below the latest."""
        newest = self._newest()
        number = self._steps.number(step, newest)
        if self._steps.has_moved:
            self._warn(
                f"OrbaxCheckpoint: {os.fspath(self.directory)!r} already holds "
                f"step {newest}, and this run is at step {step}; its steps are "
                f"counted from {number} on. Use another directory to keep runs "
                "apart."
            )
        return number

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
            orbax().multihost.sync_global_processes(key)

    def __getstate__(self) -> dict[str, Any]:
        return {
            **super().__getstate__(),
            "_checkpointer": None,
            "_pending": None,
            "_faults": None,
        }
