"""Save the model while it trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.callbacks import _checkpoint_arguments as arguments
from kerascb.callbacks import _checkpoint_path as paths
from kerascb.callbacks import _checkpoint_verdict as verdict
from kerascb.callbacks._arguments import require_number
from kerascb.callbacks.callback import batch_hook
from kerascb.callbacks.monitor_callback import MonitorCallback
from kerascb.checkpoint import latest, path_template, places
from kerascb.checkpoint.loading import load_weights
from kerascb.errors import InvalidArgument
from kerascb.frequency import (
    BatchCounter,
    EpochCounter,
    as_count,
    within_epoch,
)

if TYPE_CHECKING:
    import os

    from kerascb.checkpoint.formats import Target
    from kerascb.runtime import Logs


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, at the end of epochs or of batches.

    Every path of every dialect is taken, on every Keras:

    | path | `save_weights_only=False` | `save_weights_only=True` |
    |---|---|---|
    | `m.keras` | Keras archive | Keras 2: HDF5; Keras 3: archive |
    | `m.weights.h5` | HDF5, whole model | weights, with the optimizer |
    | `m.h5`, `m.hdf5` | HDF5, whole model | weights in Keras 2's layout |
    | any other | SavedModel directory | TensorFlow checkpoint |

    With Keras 3 a directory holds both what TensorFlow Serving loads and the
    model itself, which `kerascb.load_model` restores with its optimizer;
    a path that Keras 3 would refuse is told of once. A model whose class
    brings a `save` or `save_weights` of its own decides itself.

    With an integer `save_freq` and `save_best_only`, a value that the batch
    has in its logs is judged at once. One that only the end of an epoch
    brings (`val_loss`) is waited for: what fell due within the epoch is judged
    and saved at its end, so that the file holds the weights that had the
    value.

    An instance may serve several fits; it goes on from the best it has seen.

    Args:
        filepath: Where to save; a `str` or path. May have placeholders:
            `{epoch}` (from 1), any key of the logs, and `{batch}` (from 1) if
            `save_freq` is an integer. A key that an epoch lacks (`{val_loss}`
            in one without validation) stands there by its name. Folders are
            made.
        monitor: The key of the logs to judge by.
        verbose: 1 to print what is saved and why, 0 not to.
        save_best_only: Save only when `monitor` became better. NaN is never
            better. While the value is missing nothing is saved; but with
            Keras 3, as long as there is no best to lose, the model is.
        save_weights_only: Save the weights only.
        mode: `"min"`, `"max"` or `"auto"`, see `MonitorCallback`.
        save_freq: `"epoch"`, or after how many batches to save (≥ 1), counted
            over the borders of epochs and of fits.
        options: `tf.train.CheckpointOptions` for weights,
            `tf.saved_model.SaveOptions` for whole models; used where
            TensorFlow writes, the latter by Keras 2 only. A number in this
            place is taken for `initial_value_threshold`, which comes here in
            Keras 3.
        initial_value_threshold: The best to begin with.
        period: Epochs between two saves (≥ 1), with `save_freq="epoch"`.
            Keras has deprecated it; it works, and warns.
        load_weights_on_restart: At the start of training, load the newest
            file that `filepath` may have become. Deprecated likewise.

    Attributes:
        filepath: As given, a `str`.
        best: The best value so far, see `MonitorCallback`.
        epochs_since_last_save: Epochs counted towards `period`.

    Raises:
        InvalidArgument: If `save_freq`, `period`, `filepath`, `options` or
            `initial_value_threshold` can mean nothing; before training also
            if a placeholder can never be filled, or if nothing can write the
            format here.
        TypeError: If `options` are those of the other format.
        UnwritablePath: Before training, if `filepath` lies where nothing can
            be written.

    Example:
        >>> from kerascb import ModelCheckpoint
        >>> from kerascb.testing import drive
        >>> best = ModelCheckpoint(
        ...     "best-{epoch:02d}.keras", monitor="loss", save_best_only=True
        ... )
        >>> run = drive([best], epochs=[{"loss": x} for x in (0.5, 0.7, 0.4)])
        >>> run.model.saved
        ['best-01.keras', 'best-03.keras']
        >>> best.best
        0.4
    """

    _supports_tf_logs = True
    _chief_worker_only = False
    _current_epoch: int = 0
    _due_batch: int | None = None
    _is_told_of_path: bool = False
    _is_told_of_wait: bool = False
    _is_told_of_name: bool = False

    def __init__(
        self,
        filepath: str | os.PathLike[str] | None,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        options: Any = None,
        initial_value_threshold: float | None = None,
        *,
        period: int | None = None,
        load_weights_on_restart: bool | None = None,
    ) -> None:
        if arguments.is_number(options):
            options, initial_value_threshold = initial_value_threshold, options
        if initial_value_threshold is not None:
            require_number(
                self, initial_value_threshold=initial_value_threshold
            )
        super().__init__(monitor, mode, initial_value_threshold)
        self.verbose = verbose
        self.filepath = arguments.path_text(filepath)
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        arguments.check_save_freq(save_freq, self._runtime.name)
        self.save_freq = save_freq
        arguments.check_options(options, self.filepath, save_weights_only)
        self._options = options
        self.load_weights_on_restart = bool(load_weights_on_restart)
        self._epochs = EpochCounter(arguments.period_or_one(period))
        for text in arguments.deprecations(period, load_weights_on_restart):
            self._warn(text)
        self._batches = BatchCounter(as_count(save_freq) or 1)

    @property
    def period(self) -> int:
        """Epochs between two saves."""
        return self._epochs.every

    @period.setter
    def period(self, period: int) -> None:
        self._epochs.every = period

    @property
    def epochs_since_last_save(self) -> int:
        """Epochs counted towards `period`."""
        return self._epochs.since_last

    @epochs_since_last_save.setter
    def epochs_since_last_save(self, epochs: int) -> None:
        self._epochs.since_last = epochs

    @property
    def _batches_seen_since_last_saving(self) -> int:
        return self._batches.since_last

    @property
    def _last_batch_seen(self) -> int:
        return self._batches.last_index

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Checks the path and the monitor; loads weights if asked to.

        Args:
            logs: Not used.
        """
        del logs
        self._due_batch = None
        self._is_told_of_wait = self._is_told_of_name = False
        self._prepare()
        if self.load_weights_on_restart:
            self._load_newest()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Notes the epoch.

        Args:
            epoch: Zero-based index of the epoch.
            logs: Not used.
        """
        del logs
        self._current_epoch = epoch
        self._batches.begin_epoch()

    @batch_hook(lambda callback: callback.save_freq != "epoch")
    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Saves if enough batches have passed.

        Args:
            batch: Zero-based index of the batch within its epoch.
            logs: Metric name to value, averaged over the epoch so far.
        """
        if not self._should_save_on_batch(batch):
            return
        if self.save_best_only and self.monitor not in (logs or {}):
            self._due_batch = batch
            self._tell_of_wait()
            return
        self._save_model(epoch=self._current_epoch, batch=batch, logs=logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Saves if an epoch's end is when to, or was waited for.

        Args:
            epoch: Zero-based index of the epoch.
            logs: Metric name to value.
        """
        if self.save_freq == "epoch":
            if self._epochs.is_due():
                self._save_model(epoch=epoch, batch=None, logs=logs)
        elif self._due_batch is not None:
            batch, self._due_batch = self._due_batch, None
            self._save_model(epoch=epoch, batch=batch, logs=logs)

    def _prepare(self) -> None:
        """Finds out what is wrong before anything is spent on it."""
        target = self._target()
        own = {"epoch"} if self.save_freq == "epoch" else {"epoch", "batch"}
        paths.check(target, self._model, own, type(self).__name__)
        note = paths.note_of(target, self._options, self._runtime.name)
        if note and not self._is_told_of_path:
            self._is_told_of_path = True
            self._warn(f"{type(self).__name__}: {note}")
        if self.save_best_only:
            self._begin_monitoring()

    def _target(self) -> Target:
        return paths.target_of(
            self.filepath, self.save_weights_only, self._model
        )

    def _should_save_on_batch(self, batch: int) -> bool:
        steps = self._steps_in_epoch
        return self._batches.is_due_after(within_epoch(batch, steps))

    def _save_model(
        self, epoch: int, batch: int | None, logs: Logs | None
    ) -> None:
        """Saves the model, if it deserves it.

        Args:
            epoch: Zero-based index of the epoch.
            batch: Zero-based index of the batch; `None` at an epoch's end.
            logs: Metric name to value.
        """
        logs = self._runtime.to_python(logs)
        path, missing = self._fill(epoch, batch, logs)
        if self._should_save_model(epoch, batch, logs, path):
            self._tell_of_name(missing, path, logs)
            self._write(path)
            if self.verbose > 0 and self._runtime.name == "keras3":
                self._say(
                    f"\nEpoch {epoch + 1}: finished saving model to {path}"
                )
        self._runtime.discard_write_path(path, self._model)

    def _should_save_model(
        self, epoch: int, batch: int | None, logs: Logs, filepath: str
    ) -> bool:
        del batch
        result = self._judge(logs, filepath)
        if result.warning:
            self._warn(result.warning)
        if result.line:
            self._tell(epoch, result.line)
        if result.best is not None:
            self.best = result.best
        return result.is_to_save

    def _judge(self, logs: Logs, path: str) -> verdict.Verdict:
        if not self.save_best_only:
            return verdict.unjudged(path)
        value = self._monitored(logs)
        if value is None:
            if self._is_awaited:
                return verdict.Verdict(is_to_save=False)
            if self._is_worth_telling():
                self._tell_missing(logs)
            has_best = self._runtime.name != "keras3" or self.best is not None
            return verdict.Verdict(is_to_save=not has_best)
        if np.ndim(value) == 0:
            value = self._as_number(value)
        return verdict.judge(
            self.monitor, value, self.best, self._is_improvement, path
        )

    def _write(self, path: str) -> None:
        form = self._target().form
        places.check_kind(path, form, type(self).__name__)
        self._runtime.save(self.model, path, form, self._options)

    def _fill(
        self, epoch: int, batch: int | None, logs: Logs
    ) -> tuple[str, list[str]]:
        """The path for this worker, and the placeholders without a value."""
        values = {**logs, "epoch": epoch + 1}
        if batch is not None:
            values.setdefault("batch", batch + 1)
        path, missing = path_template.fill(self._target().path, values)
        return self._runtime.write_path(path, self._model), missing

    def _tell_of_name(self, missing: list[str], path: str, logs: Logs) -> None:
        if not missing or self._is_told_of_name:
            return
        self._is_told_of_name = True
        self._warn(
            f"{type(self).__name__}: the logs have no value for "
            f"{', '.join(map(repr, missing))} in filepath="
            f"{self.filepath!r}; the name stands in its place: {path!r}. "
            f"Available are: {', '.join(logs)}."
        )

    def _get_most_recently_modified_file_matching_pattern(
        self, pattern: str
    ) -> str | None:
        return latest.newest(pattern)

    def _load_newest(self) -> None:
        path = latest.newest(self._target().path)
        if path is None:
            return
        try:
            load_weights(self.model, path)
        except (OSError, ValueError) as error:
            raise InvalidArgument(
                f"Error loading file from {path}. Reason: {error}"
            ) from error

    def _tell(self, epoch: int, message: str) -> None:
        if self.verbose > 0:
            self._say(f"\nEpoch {epoch + 1}: {message}")

    def _tell_of_wait(self) -> None:
        if self._is_told_of_wait:
            return
        self._is_told_of_wait = True
        self._warn(
            f"{type(self).__name__}: only the end of an epoch can bring "
            f"`{self.monitor}`. What save_freq={self.save_freq} makes due "
            "within an epoch is judged and saved at its end."
        )

    def _missing_text(self, available: str) -> str:
        del available
        end = "." if self._runtime.name == "keras3" else ", skipping."
        return f"Can save best model only with {self.monitor} available{end}"
