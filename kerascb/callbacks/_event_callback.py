"""The base of a callback that writes event files."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any

from kerascb import paths
from kerascb.callbacks.callback import Callback
from kerascb.checkpoint.writer import BackgroundWriter
from kerascb.events import Journal, Runs, extent, storage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kerascb.runtime import CustomSummaries

TRAIN, VALIDATION = "train", "validation"
"""The runs of a log directory."""


class EventCallback(Callback):
    """Has a log directory, and a journal that is written in it.

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
        self._journal = self._new_journal(self.log_dir)
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
        return self._for_subclasses.writer(self._journal.runs.directory(run))

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
                self._journal.close()
                self._custom.open(self._journal.runs.directory(TRAIN))
        if self._custom is not None:
            self._custom.push(self._journal.runs.directory(run), step)

    def _directory(self) -> str:
        # Workers that are not the chief write aside.
        inside = storage.join(self.log_dir, TRAIN)
        return os.path.dirname(self._runtime.write_path(inside, self._model))

    def _new_journal(self, root: str, *, not_before_s: int = 0) -> Journal:
        runs = Runs.marked(root, self._mark, not_before_s=not_before_s)
        return Journal(runs, BackgroundWriter)

    def _flush(self) -> None:
        """Brings to the files what there is, TensorFlow's as well.

        Remote ones are not waited for.
        """
        summaries = self._summaries()
        if paths.is_remote(self._journal.runs.root):
            for one in summaries:
                self._journal.write(_flushing(one))
        self._journal.flush()
        if not paths.is_remote(self._journal.runs.root):
            for one in summaries:
                one.flush()

    def _close(self) -> None:
        self._close_summaries()
        self._journal.close()

    def _abandon(self) -> None:
        """Closes what a fit that failed has left open."""
        self._close_summaries()
        self._journal.abandon()

    # -- what is in the files -----------------------------------------------

    def _files_state(self) -> dict[str, Any]:
        """Which files there are, and how long; waits until all is in them."""
        self._flush()
        self._journal.settle()
        root = self._journal.runs.root
        written = self._mark, root, self._journal.times_asked
        if self._measured[0] != written or self._summaries():
            # Asking costs little here, but a tenth of a second far away.
            measured = extent.extent_of(root, (TRAIN, VALIDATION), self._mark)
            self._measured = written, measured
        return {"mark": self._mark, "files": self._measured[1]}

    def _take_up_files(self, state: Mapping[str, Any]) -> bool:
        """Cuts the files of an interrupted fit back, and goes on beside them.

        Args:
            state: What `_files_state` returned.

        Returns:
            Whether there are such files.
        """
        journal = self._journal
        journal.settle()
        root = journal.runs.root
        cut = extent.cut_back(
            root, (TRAIN, VALIDATION), state["mark"], state["files"]
        )
        if cut.is_found:
            journal.discard()  # All that this fit has written stands there.
        journal.close()
        if cut.is_found and cut.incomplete:
            self._warn(
                f"{type(self).__name__}: {cut.incomplete} have lost events "
                "since the training was interrupted. The curves have a gap."
            )
        if self._mark != state["mark"]:
            self._mark = state["mark"]
            self._close_summaries()
            self._custom = self._for_subclasses = None
        self._journal = self._new_journal(root, not_before_s=cut.newest_s + 1)
        return cut.is_found

    def _close_summaries(self) -> None:
        for one in self._summaries():
            one.close()

    def _summaries(self) -> list[CustomSummaries]:
        return [one for one in (self._custom, self._for_subclasses) if one]

    def __getstate__(self) -> dict[str, Any]:
        # TensorFlow's writers belong to this process.
        state = super().__getstate__()
        return {**state, "_custom": None, "_for_subclasses": None}


def _flushing(summaries: CustomSummaries) -> Callable[[Runs], None]:
    return lambda runs: summaries.flush()
