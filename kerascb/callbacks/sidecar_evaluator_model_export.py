"""Export the best of the checkpoints that a sidecar evaluates."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from kerascb.callbacks.model_checkpoint import ModelCheckpoint
from kerascb.checkpoint import latest
from kerascb.errors import InvalidArgument

if TYPE_CHECKING:
    from kerascb.runtime import Logs

_NUMBER = re.compile(r"ckpt-(\d+)")


class SidecarEvaluatorModelExport(ModelCheckpoint):
    """Saves the model after each evaluation that was the best so far.

    For `keras.utils.SidecarEvaluator`, which evaluates the checkpoints that
    another process writes: the number of the newest checkpoint fills
    `{epoch}` in the path of the export.

    Args:
        export_filepath: Where the best models go; may have placeholders, see
            `ModelCheckpoint`.
        checkpoint_filepath: Where training writes its checkpoints, with
            `ckpt-` before their number: `"run/ckpt-{epoch:04d}"`.
        **kwargs: As for `ModelCheckpoint`, but `save_best_only`, which is
            always true. `save_freq` may also be `"eval"`, as the default is:
            after each evaluation.

    Attributes:
        export_index: Number of the newest checkpoint, from 0; 0 if there is
            none.

    Raises:
        InvalidArgument: If there is no number in the name of a checkpoint, and
            see `ModelCheckpoint`.

    Example:
        >>> from kerascb import SidecarEvaluatorModelExport
        >>> from kerascb.testing import FakeModel
        >>> export = SidecarEvaluatorModelExport(
        ...     "best-{epoch}.keras", "ckpt-{epoch}", monitor="loss"
        ... )
        >>> export.set_model(FakeModel())
        >>> export.on_test_begin()
        >>> export.on_test_end({"loss": 0.5})
        >>> export.model.saved
        ['best-1.keras']
    """

    export_index: int = 0
    _is_prepared: bool = False

    def __init__(
        self,
        export_filepath: str | os.PathLike[str],
        checkpoint_filepath: str | os.PathLike[str],
        **kwargs: Any,
    ) -> None:
        if kwargs.get("save_freq") == "eval":
            kwargs["save_freq"] = "epoch"
        super().__init__(export_filepath, save_best_only=True, **kwargs)
        self._checkpoint_filepath = os.fspath(checkpoint_filepath)
        if "ckpt-" not in os.path.basename(self._checkpoint_filepath):
            raise InvalidArgument(
                "Checkpoints are told apart by the number behind `ckpt-`; got "
                f"checkpoint_filepath={self._checkpoint_filepath!r}. Name "
                "them 'ckpt-{epoch:04d}', say, there and in training."
            )

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Notes the number of the newest checkpoint.

        Args:
            logs: Not used.
        """
        del logs
        if not self._is_prepared:
            self._prepare()
            self._is_prepared = True
        self.export_index = self._newest_number()

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Saves the model if this evaluation was the best so far.

        Args:
            logs: Metric name to value.
        """
        if self._schedule.epochs.is_due():
            self._save_model(epoch=self.export_index, batch=None, logs=logs)

    def _newest_number(self) -> int:
        newest = latest.newest(self._checkpoint_filepath)
        if newest is None:
            return 0
        number = _NUMBER.search(os.path.basename(newest))
        if number is None:
            raise InvalidArgument(
                f"{newest!r} matches checkpoint_filepath="
                f"{self._checkpoint_filepath!r} but has no number behind "
                "`ckpt-`."
            )
        return int(number[1]) - 1
