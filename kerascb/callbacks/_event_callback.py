"""The base of a callback that writes event files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from kerascb.callbacks import _curves as curves
from kerascb.callbacks.callback import Callback
from kerascb.events import storage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kerascb.events import Runs
    from kerascb.runtime import CustomSummaries

TRAIN, VALIDATION = "train", "validation"
"""The runs of a log directory."""


class EventCallback(Callback):
    """Has a log directory, and what is open in it.

    Attributes:
        log_dir: The directory.
    """

    log_dir: str
    _runs: Runs
    _custom: CustomSummaries | None = None
    _for_subclasses: CustomSummaries | None = None

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
            self._for_subclasses = self._runtime.inspection.custom_summaries(1)
        if self._for_subclasses is None:
            raise AttributeError(
                f"{type(self).__name__} has TensorFlow's writers only where "
                "TensorFlow is the backend."
            )
        return self._for_subclasses.writer(self._runs.directory(run))

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
        for summaries in (self._custom, self._for_subclasses):
            if summaries is not None:
                summaries.close()
        self._runs.close()

    def __getstate__(self) -> dict[str, Any]:
        # TensorFlow's writers belong to this process.
        state = super().__getstate__()
        return {**state, "_custom": None, "_for_subclasses": None}
