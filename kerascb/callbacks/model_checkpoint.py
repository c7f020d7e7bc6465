"""Save the model while it trains."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Literal

from kerascb.callbacks import _checkpoint_arguments as arguments
from kerascb.callbacks._arguments import require_number
from kerascb.callbacks._epoch_under_way import EpochUnderWay
from kerascb.callbacks._save_schedule import SaveSchedule
from kerascb.callbacks._saves_last_state import SavesLastState
from kerascb.callbacks.callback import batch_hook
from kerascb.checkpoint.files.filesystem import filesystem_of
from kerascb.checkpoint.request import Policy
from kerascb.frequency import within_epoch

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from kerascb.runtime import Logs

_YES_OR_NO = (True, False)


class ModelCheckpoint(SavesLastState):
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

    Guarantees:

    - A save is whole or not there: it is written under another name, forced to
      the disk, then takes its place. What was there before stays until then,
      and for ever if the save fails.
    - What is saved is the state of one step, also with `background=True`,
      where training goes on while it is written: the values are frozen in the
      training thread, which TensorFlow does without copying them.
    - Background saves are made in order. One may be under way and one wait;
      a third makes training wait, and a warning says so once. What goes wrong
      reaches the training thread at this callback's next hook, at latest in
      `on_train_end`, which waits for all of them.
    - Two runs that write the same path do each other no harm: the last one
      to finish is what is there.
    - Of several workers the chief alone writes what a manifest lists. What
      none lists each writes for itself, as in Keras.

    What the logs said and how far training had come is noted inside the files
    themselves, where other programs overlook it. `max_to_keep`, `keep_best`
    and `verify` need more, a manifest beside the checkpoints; see
    `kerascb.checkpoints`. A model with a `save` of its own writes for itself:
    the guarantees are then those of its code.

    Args:
        filepath: Where to save; a `str` or path. May have placeholders:
            `{epoch}` (from 1), any key of the logs, and `{batch}` (from 1) with
            an integer `save_freq` or `every_n_seconds`. A key that an epoch
            lacks (`{val_loss}` in one without validation) stands there by its
            name. Folders are made.
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
        background: Write in a thread of its own while training goes on.
        max_to_keep: How many of the newest checkpoints stay (≥ 1); `None` for
            all. Only checkpoints that a callback with this `filepath` wrote
            are ever removed.
        keep_best: How many of the best by `monitor` stay (≥ 1), besides the
            newest; `None` for none.
        every_n_epochs: Epochs between two saves (≥ 1), instead of `save_freq`.
        every_n_seconds: Seconds between two saves (> 0), instead of
            `save_freq`; looked at after every batch and every epoch.
        save_on_train_end: Save the last state when training ends, unless it
            is saved already. That is the state as callbacks before this one
            in the list leave it: `EarlyStopping` that restores the best
            weights, say.
        save_on_exception: Save the last state when an error or Ctrl-C ends
            `fit`. With JAX a step that was interrupted takes the state with
            it; a warning says so.
        on_error: `"raise"`, or `"warn"` to train on when a save fails.
        retries: How often to try again to write (≥ 0), after half a second,
            a second, two, …, at most 30.
        resume_best: Read the best value so far back from the newest
            checkpoint, so that a better model is not overwritten: `"auto"` in
            a fit that goes on from an epoch above the first; `True` in every
            fit, `False` in none. A fit of another model from its first epoch
            on, the next fold of a cross-validation say, starts anew with
            `"auto"`.
        verify: Read back what was written, before it takes its place.

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
        MissingDependency: If nothing installed reaches a remote `filepath`.
        OSError: In training, if a checkpoint cannot be written.

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
    _is_begun: bool = False
    _model_before: Any = None

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
        background: bool = False,
        max_to_keep: int | None = None,
        keep_best: int | None = None,
        every_n_epochs: int | None = None,
        every_n_seconds: float | None = None,
        save_on_train_end: bool = False,
        save_on_exception: bool = False,
        on_error: Literal["raise", "warn"] = "raise",
        retries: int = 0,
        resume_best: bool | Literal["auto"] = "auto",
        verify: bool = False,
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
        filesystem_of(self.filepath or "")  # refuses what nothing reaches
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        arguments.check_save_freq(save_freq, self._runtime.name)
        self.save_freq = save_freq
        arguments.check_options(options, self.filepath, save_weights_only)
        self._options = options
        self.load_weights_on_restart = bool(load_weights_on_restart)
        every = arguments.period_or_one(period)
        arguments.check_schedule(
            save_freq=save_freq,
            period=period,
            every_n_epochs=every_n_epochs,
            every_n_seconds=every_n_seconds,
        )
        for text in arguments.deprecations(period, load_weights_on_restart):
            self._warn(text)
        self._schedule = SaveSchedule(
            save_freq, every_n_epochs or every, every_n_seconds
        )
        self.save_on_train_end = arguments.one_of(
            _YES_OR_NO, save_on_train_end=save_on_train_end
        )
        self.save_on_exception = arguments.one_of(
            _YES_OR_NO, save_on_exception=save_on_exception
        )
        self.resume_best = arguments.one_of(
            ("auto", True, False), resume_best=resume_best
        )
        self._epoch = EpochUnderWay()
        self._policy = Policy(
            background=arguments.one_of(_YES_OR_NO, background=background),
            raises=arguments.one_of(("raise", "warn"), on_error=on_error)
            == "raise",
            retries=arguments.count_from_zero(retries=retries),
            verify=arguments.one_of(_YES_OR_NO, verify=verify),
            max_to_keep=arguments.count_or_none(max_to_keep=max_to_keep),
            keep_best=arguments.count_or_none(keep_best=keep_best),
            recognises=save_on_train_end or save_on_exception,
        )
        arguments.check_keeping(self.filepath, self._policy)
        arguments.check_last_saves(
            save_best_only=save_best_only,
            save_on_train_end=save_on_train_end,
            save_on_exception=save_on_exception,
        )

    @property
    def period(self) -> int:
        """Epochs between two saves."""
        return self._schedule.epochs.every

    @period.setter
    def period(self, period: int) -> None:
        self._schedule.epochs.every = period

    @property
    def epochs_since_last_save(self) -> int:
        """Epochs counted towards `period`."""
        return self._schedule.epochs.since_last

    @epochs_since_last_save.setter
    def epochs_since_last_save(self, epochs: int) -> None:
        self._schedule.epochs.since_last = epochs

    @property
    def _batches_seen_since_last_saving(self) -> int:
        return self._schedule.batches.since_last

    @property
    def _last_batch_seen(self) -> int:
        return self._schedule.batches.last_index

    def wait(self) -> None:
        """Returns when all that was asked to be saved is on the disk.

        Raises:
            OSError: If some of it could not be written, with
                `on_error="raise"`.
        """
        self._store.wait()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Checks the path and the monitor; loads weights if asked to.

        Args:
            logs: Not used.
        """
        del logs
        self._saved_step = self._last_logs = None
        self._current_epoch = 0
        self._epoch = EpochUnderWay()
        self._is_begun = False
        self._prepare()
        if self.load_weights_on_restart:
            self._load_newest()
        self._schedule.begin()
        self._begin_watch()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Notes the epoch; with the first one, whether a run goes on.

        Args:
            epoch: Zero-based index of the epoch.
            logs: Not used.
        """
        del logs
        self._hear()
        self._current_epoch = epoch
        self._last_logs = None
        if not self._epoch.begin(epoch):
            self._schedule.batches.begin_epoch()
            if self.save_on_exception:
                self._step_at_epoch = self._runtime.iterations(self.model)
        if not self._is_begun:
            self._is_begun = True
            self._settle_best(epoch)

    @batch_hook(lambda callback: callback._schedule.is_by_batch)  # noqa: SLF001
    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Saves if enough batches, or enough time, have passed.

        Args:
            batch: Zero-based index of the batch within its epoch.
            logs: Metric name to value, averaged over the epoch so far.
        """
        self._hear()
        if not self._should_save_on_batch(batch):
            return
        if self.save_best_only and self.monitor not in (logs or {}):
            self._schedule.defer(batch)
            self._tell_of_wait()
            return
        self._save_model(epoch=self._current_epoch, batch=batch, logs=logs)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Saves if an epoch's end is when to, or was waited for.

        Args:
            epoch: Zero-based index of the epoch.
            logs: Metric name to value.
        """
        self._hear()
        self._last_logs = logs or {}
        if self._schedule.is_due_after_epoch():
            batch = self._schedule.batch_to_name()
            self._save_model(epoch=epoch, batch=batch, logs=logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Saves the last state if asked to; waits for background saves.

        Args:
            logs: Metric name to value, of the last epoch.
        """
        self._end_watch()
        self._model_before = _reference(self._model)
        try:
            if self.save_on_train_end:
                self._save_last(logs or self._last_logs)
        finally:
            try:
                self._store.close()
            finally:
                self._take_stock()

    def _should_save_on_batch(self, batch: int) -> bool:
        return self._schedule.is_due_after_batch(
            within_epoch(batch, self._steps_in_epoch)
        )

    def _resume_monitoring(self, state: Mapping[str, Any]) -> None:
        super()._resume_monitoring(state)
        self._is_begun = True

    def _settle_best(self, epoch: int) -> None:
        """Finds out what is to be beaten.

        Args:
            epoch: Zero-based index of the epoch that `fit` begins with.
        """
        is_other_model = (
            self._model_before is not None
            and self._model_before() is not self._model
        )
        if self.resume_best is False or (
            self.resume_best == "auto" and is_other_model and epoch == 0
        ):
            self.best = self._threshold
        elif self.save_best_only and (self.resume_best is True or epoch > 0):
            self._read_best()
        self._saved_best = self._best

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_model_before": None}


def _reference(model: Any) -> Any:
    """A weak reference to a model; `None` to what cannot have one."""
    try:
        return weakref.ref(model)
    except TypeError:
        return None
