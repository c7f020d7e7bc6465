"""Write what happens in training for TensorBoard."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kerascb import events
from kerascb.callbacks import _model_events as model_events
from kerascb.callbacks import _tensorboard_arguments as arguments
from kerascb.callbacks._batch_profiler import BatchProfiler
from kerascb.callbacks._curve_events import CurveEvents
from kerascb.callbacks._event_callback import TRAIN, VALIDATION
from kerascb.callbacks._fit_progress import FitProgress
from kerascb.callbacks._global_step import GlobalStep, is_due
from kerascb.callbacks.callback import batch_hook
from kerascb.events import storage
from kerascb.paths import refuse_unwritable

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from kerascb.runtime import Logs


def _has_batch_curves(callback: TensorBoard) -> bool:
    return callback.update_freq != "epoch"


def _counts_batches(callback: TensorBoard) -> bool:
    return _has_batch_curves(callback) or callback._is_profiling  # noqa: SLF001


class TensorBoard(CurveEvents):
    """Writes curves, histograms, pictures and graphs for TensorBoard.

    Show them with `tensorboard --logdir logs`. Training is written to
    `<log_dir>/train`, validation to `<log_dir>/validation`; a directory
    appears with its first event. TensorFlow is not needed.

    Curves, with a metric's name for `<m>`:

    - `epoch_<m>`, by epoch, of training and of validation;
    - `batch_<m>`, by batch, if `update_freq` asks for it. The steps continue
      those the optimizer has made, so that a second `fit` carries the curve on;
    - `evaluation_<m>_vs_iterations`, at the end of each validation and of
      `evaluate`, by the steps of the optimizer;
    - `epoch_learning_rate`, on Keras 2 only with a schedule (but see
      `write_learning_rate`).

    What a model writes itself with `tf.summary` goes to the same directories
    while `update_freq` is not `"epoch"`.

    Guarantees:
        - Without `update_freq` and `profile_batch` nothing is done at a
          batch, and Keras is told so; with them, batches are counted, and
          logs read only at those that are written, in another thread.
        - Events reach the file system at the end of each epoch and
          evaluation, and after half a minute while batches are written;
          histograms, pictures and embeddings, which are worked out while
          training goes on, before `fit` ends. A remote `log_dir` is waited
          for at the end only, and by backups.
        - What cannot be written is raised by the next hook, at the latest
          when `fit` ends.
        - Files of a fit that failed are closed by the next fit, or when the
          callback is collected; nothing that was written is lost.
        - A fit that `BackupAndRestore` resumes cuts the files of the killed
          one back to its backup, writes on beside them, and counts on: every
          point is there once. In another `log_dir` it begins new files.
        - The profiler cannot end a fit.

    Args:
        log_dir: Where to write. Give each run of a script its own, and no
            other callback the same.
        histogram_freq: Epochs between two histograms of every weight; 0 for
            none.
        write_graph: Write the graph of layers (of Sequential and functional
            models) and, on TensorFlow, after the first epoch, the graph of
            operations.
        write_images: Show weights as pictures too, with each histogram.
        write_steps_per_second: Write `epoch_steps_per_second`, and
            `batch_steps_per_second` where there are batch curves.
        update_freq: `"epoch"` for no batch curves, a number of batches
            (≥ 1) between two points, or `"batch"` for every one. A point is
            the running value of the epoch.
        profile_batch: The batch to profile, or the first and the last of
            several, as a pair or as `"10,20"`, counted from 1 at the start of
            each fit; 0 for none. On TensorFlow and, with Python ≥ 3.12, JAX.
        embeddings_freq: Epochs between two states of every `Embedding`
            layer for the projector; 0 for none.
        embeddings_metadata: The file, relative to `log_dir`, that has a line
            for each row of an embedding; or a dict from layer names to such
            files. It is not changed. The projector shows the files as they
            are when the embeddings are written.
        write_learning_rate: `"auto"` writes the learning rate where Keras
            does, `"epoch"` always, `"batch"` also as `batch_learning_rate`
            with the batch curves. Where the model's optimizer is made of
            several, their names are appended.
        notes: Markdown that is shown among the texts of the training run.
        **legacy_arguments: `write_grads`, `batch_size`,
            `embeddings_layer_names` and `embeddings_data`, from the days of
            TensorFlow 1: warned of, and without effect.

    Raises:
        MissingDependency: If the `tensorboard` package is not installed.
        InvalidArgument: If nothing can be made of an argument, or, when
            training begins, if `embeddings_metadata` names no layer.
        UnknownArgument: If there is no such argument.
        UnwritablePath: If nothing can be written to `log_dir`.

    Example:
        >>> import os
        >>> from tempfile import TemporaryDirectory
        >>> from kerascb import TensorBoard
        >>> from kerascb.testing import drive
        >>> with TemporaryDirectory() as folder:
        ...     board = TensorBoard(folder)
        ...     _ = drive([board], epochs=[{"loss": 0.5}])
        ...     os.listdir(folder)
        ['train']
    """

    _supports_tf_logs = True

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: int | str = "epoch",
        profile_batch: int | str | tuple[int, int] = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: str | Mapping[str, str] | None = None,
        *,
        write_learning_rate: str = "auto",
        notes: str | None = None,
        **legacy_arguments: Any,
    ) -> None:
        super().__init__(log_dir)
        events.require_tensorboard("TensorBoard")
        arguments.take_legacy(legacy_arguments, self._warn)
        moved = arguments.in_order(
            arguments.Positional(
                write_steps_per_second,
                update_freq,
                profile_batch,
                embeddings_freq,
                embeddings_metadata,
            ),
            self._warn,
        )
        self.histogram_freq = arguments.epochs_between(
            "histogram_freq", histogram_freq
        )
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = moved.write_steps_per_second
        self.update_freq = arguments.update_freq_of(moved.update_freq)
        self.embeddings_freq = arguments.epochs_between(
            "embeddings_freq", moved.embeddings_freq
        )
        self.embeddings_metadata = arguments.metadata_of(
            moved.embeddings_metadata
        )
        self.write_learning_rate = arguments.learning_rate_freq_of(
            write_learning_rate
        )
        self.notes = arguments.notes_of(notes)
        self.profile_batch = arguments.profiled_batches(
            moved.profile_batch, self._runtime.backend, self._warn
        )
        self._profile = BatchProfiler(*self.profile_batch)
        refuse_unwritable(self.log_dir, "log_dir")
        self._progress = FitProgress()

    # -- hooks, in the order of their calls ---------------------------------

    def set_model(self, model: Any) -> None:
        """Takes the model, and writes its graph of layers.

        Raises:
            InvalidArgument: If `embeddings_metadata` names a layer that the
                model does not have.
        """
        super().set_model(model)
        self._profile.end_fit()
        self._abandon()
        self._journal = self._new_journal(self._directory())
        inspection = self._runtime.inspection
        if self.embeddings_freq:
            model_events.refuse_unknown_layers(
                inspection, model, self.embeddings_metadata
            )
        if self.write_graph:
            model_events.write_layer_graph(
                self._journal, TRAIN, inspection, self.model, self._warn
            )

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Makes ready for a fit.

        Args:
            logs: Not used.

        Raises:
            InvalidArgument: If `write_learning_rate` asks for the learning
                rate of a model that has none.
        """
        del logs
        if self.write_learning_rate != "auto":
            self._learning_rates()
        self._progress = FitProgress(
            op_graph_is_due=self.write_graph,
            notes_are_due=self.notes is not None,
        )
        if self._is_profiling:
            runs = self._journal.runs
            train_dir = runs.directory(TRAIN)
            profiler, directory = self._runtime.inspection.profiler(
                train_dir, runs.root
            )
            self._profile.begin_fit(profiler, directory, train_dir)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Notes when the epoch begins."""
        del epoch, logs
        self._begin()
        if self.write_steps_per_second:
            self._progress.begin_epoch(self._runtime.iterations(self.model))

    @batch_hook(needed=_counts_batches)
    def on_train_batch_begin(
        self, batch: int, logs: Logs | None = None
    ) -> None:
        """Tells the profiler and the model's own summaries the step."""
        del logs
        progress = self._progress
        step = self._counting(progress)
        step.begin(batch)
        if self._custom is not None:
            self._custom.at(step.value + 1)
        if self._is_profiling:
            self._profile.begin_batch(step.value + 1 - progress.steps_before)
        if self.write_steps_per_second:
            self._batch_begin_s = time.perf_counter()

    @batch_hook(needed=_counts_batches)
    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Adds to the batch curves, if it is time."""
        progress = self._progress
        step = self._counting(progress)
        ended = step.end(batch, self._steps_in_epoch)
        if self.update_freq != "epoch" and is_due(
            step.value, ended, self.update_freq
        ):
            self._write_batch(step.value, ended, logs)
        if self._is_profiling:
            self._profile.end_batch(step.value - progress.steps_before)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Sends the model's own summaries to the validation run."""
        del logs
        step = self._progress.evaluated.value
        self._push_custom(VALIDATION, step, self.update_freq)

    @batch_hook(needed=_has_batch_curves)
    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Tells the model's own summaries the step."""
        del logs
        self._progress.evaluated.end(batch)
        if self._custom is not None:
            self._custom.at(self._progress.evaluated.value)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Writes the result against the steps of the optimizer."""
        self._write_evaluation(logs)
        self._flush()
        if self._custom is not None:
            self._custom.pop()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Writes what is due at the end of an epoch."""
        self._log_epoch_metrics(epoch, logs)
        self._progress.epoch_begin = None
        if self._progress.op_graph_is_due:
            self._progress.op_graph_is_due = False
            model_events.write_op_graph(
                self._journal, TRAIN, self._runtime.inspection, self.model
            )
        self._flush()
        # After the flush, which does not wait for what takes long.
        self._write_model(epoch)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Closes the files."""
        del logs
        self._write_notes()
        self._close()
        self._runtime.discard_write_path(
            storage.join(self.log_dir, TRAIN), self._model
        )

    # -- writing ------------------------------------------------------------

    def _write_model(self, epoch: int) -> None:
        """Writes weights and embeddings, if it is their epoch."""
        journal, runtime = self._journal, self._runtime
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            images = self.write_images
            model_events.write_weights(
                journal, TRAIN, runtime, self.model, epoch, as_images=images
            )
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            metadata, warn = self.embeddings_metadata, self._warn
            model_events.write_embeddings(
                journal, TRAIN, runtime, self.model, epoch, metadata, warn
            )

    # -- state --------------------------------------------------------------

    def get_state(self) -> dict[str, Any]:
        """What has been written and how far it was counted."""
        return {
            **self._files_state(),
            **self._progress.state(counts_batches=_counts_batches(self)),
            "is_profiled": self._profile.is_over,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on where an interrupted fit was, in steps and in the files.

        Args:
            state: What `get_state` returned.
        """
        if "mark" not in state:
            return
        fresh = self._progress
        self._progress = FitProgress.of(state)
        if state["is_profiled"]:
            self._profile.pass_over()
        if not self._take_up_files(state):
            # In another directory, where nothing has been written once.
            self._progress.op_graph_is_due = fresh.op_graph_is_due
            self._progress.notes_are_due = fresh.notes_are_due

    def _counting(self, progress: FitProgress) -> GlobalStep:
        step = progress.step
        return step if step and progress.is_begun else self._begin()

    @property
    def _is_profiling(self) -> bool:
        return any(self.profile_batch)

    def _begin(self) -> GlobalStep:
        """The counter; with an epoch's first call all begins that had to wait.

        Only then have all callbacks restored what they may restore, and is it
        known whether this fit resumes another one.
        """
        # It goes on where the optimizer is.
        step = self._progress.step or self._progress.start(
            self._runtime.iterations(self.model) or 0
        )
        if not self._progress.is_begun:
            self._progress.is_begun = True
            self._push_custom(TRAIN, 0, self.update_freq)
            self._write_notes()
        return step

    def _write_notes(self) -> None:
        if self._progress.notes_are_due:
            self._progress.notes_are_due = False
            notes, wall_s = self.notes or "", time.time()
            self._journal.write(
                lambda runs: runs[TRAIN].text(0, "notes", notes, wall_s)
            )

    def _close(self) -> None:
        self._profile.end_fit()
        super()._close()
