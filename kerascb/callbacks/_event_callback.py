"""The base of a callback that writes event files."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any

from kerascb.callbacks import _curves as curves
from kerascb.callbacks.callback import Callback
from kerascb.events import Runs, extent, storage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kerascb.runtime import CustomSummaries

TRAIN, VALIDATION = "train", "validation"
"""The runs of a log directory."""


class EventCallback(Callback):
    """Has a log directory, and what is open in it.

    The names of its files have a mark that no other callback's have; one that
    resumes its fit in another process takes the mark over.

    Args:
        log_dir: The directory.

    Attributes:
        log_dir: As given.
    """

    _custom: CustomSummaries | None = None
    _for_subclasses: CustomSummaries | None = None

    def __init__(self, log_dir: str | os.PathLike[str]) -> None:
        super().__init__()
        self.log_dir = os.fspath(log_dir)
        self._mark = secrets.token_hex(4)
        self._runs = Runs.marked(self.log_dir, self._mark)
        self._measured: tuple[object, extent.Extent] = (None, {})

    @property
    def _train_writer(self) -> Any:
        """TensorFlow's own writer beside ours, for `tf.summary` in subclasses.

        Stock has it under this name, and recipes for images use it.

        Raises:
            AttributeError: If TensorFlow is not the backend.
        """
        return self._tensorflow_writer(TRAIN)

    @property
    def _val_writer(self) -> Any:
        """The same for the validation run."""
        return self._tensorflow_writer(VALIDATION)

    def _tensorflow_writer(self, run: str) -> Any:
        if self._for_subclasses is None:
            self._for_subclasses = self._new_custom_summaries(1)
        if self._for_subclasses is None:
            raise AttributeError(
                f"{type(self).__name__} has TensorFlow's writers only where "
                "TensorFlow is the backend."
            )
        return self._for_subclasses.writer(self._runs.directory(run))

    def _new_custom_summaries(self, every: int) -> CustomSummaries | None:
        return self._runtime.inspection.custom_summaries(
            every, extent.suffix_of(self._mark)
        )

    def _push_custom(self, run: str, step: int, freq: int | str) -> None:
        """Sends what the model writes itself to a run.

        Args:
            run: The run.
            step: Where the model is.
            freq: Batches between two summaries; `"epoch"` for none.
        """
        if self._custom is None and freq != "epoch":
            self._custom = self._new_custom_summaries(int(freq))
            if self._custom is not None:
                # A file of ours must be made after TensorFlow's, see `open`.
                self._runs.close()
                self._custom.open(self._runs.directory(TRAIN))
        if self._custom is not None:
            self._custom.push(self._runs.directory(run), step)

    def _directory(self) -> str:
        # Workers that are not the chief write aside.
        inside = storage.join(self.log_dir, TRAIN)
        return os.path.dirname(self._runtime.write_path(inside, self._model))

    def _write(self, run: str, step: int, values: dict[str, float]) -> None:
        if values:
            self._runs[run].scalars(step, values)

    def _numbers(self, logs: Mapping[str, Any] | None) -> dict[str, float]:
        return curves.numbers(logs, self._runtime.scalar)

    def _learning_rates(self) -> dict[str, float]:
        return {
            f"learning_rate_{rate.optimizer_name}".rstrip("_"): rate.read()
            for rate in self._runtime.learning_rates(
                getattr(self._model, "optimizer", None)
            )
        }

    def _flush(self) -> None:
        """Brings to the files what there is, TensorFlow's as well."""
        self._runs.flush()
        for summaries in (self._custom, self._for_subclasses):
            if summaries is not None:
                summaries.flush()

    def _close(self) -> None:
        self._close_summaries()
        self._runs.close()

    # -- what is in the files -----------------------------------------------

    def _files_state(self) -> dict[str, Any]:
        """Which files there are, and how long; all is flushed for it."""
        self._flush()
        summaries = (self._custom, self._for_subclasses)
        written = self._mark, self._runs.root, self._runs.times_asked
        if self._measured[0] != written or any(summaries):
            # Asking costs little here, but a tenth of a second far away.
            self._measured = (
                written,
                extent.extent_of(
                    self._runs.root, (TRAIN, VALIDATION), self._mark
                ),
            )
        return {"mark": self._mark, "files": self._measured[1]}

    def _take_up_files(self, state: Mapping[str, Any]) -> bool:
        """Cuts the files of an interrupted fit back, and goes on beside them.

        Args:
            state: What `_files_state` returned.

        Returns:
            Whether there are such files.
        """
        runs = self._runs
        cut = extent.cut_back(
            runs.root, (TRAIN, VALIDATION), state["mark"], state["files"]
        )
        if cut.is_found:
            runs.discard()  # All that this fit has written stands there.
        runs.close()
        if cut.is_found and cut.incomplete:
            self._warn(
                f"{type(self).__name__}: {cut.incomplete} have lost events "
                "since the training was interrupted. The curves have a gap."
            )
        if self._mark != state["mark"]:
            self._mark = state["mark"]
            self._close_summaries()
            self._custom = self._for_subclasses = None
        self._runs = Runs.marked(
            runs.root, self._mark, not_before_s=cut.newest_s + 1
        )
        return cut.is_found

    def _close_summaries(self) -> None:
        for summaries in (self._custom, self._for_subclasses):
            if summaries is not None:
                summaries.close()

    def __getstate__(self) -> dict[str, Any]:
        # TensorFlow's writers belong to this process.
        state = super().__getstate__()
        return {**state, "_custom": None, "_for_subclasses": None}
