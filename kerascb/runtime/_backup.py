"""Where a run is backed up, and how it is found again.

`BackupAndRestore` decides when; the stores know the files. This module has
what the stores share, and the store that keeps a weights file: Keras 3's.
`kerascb.runtime._backup2` has Keras 2's.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import h5py

from kerascb.errors import UnreadableBackup
from kerascb.runtime._files import files_of
from kerascb.runtime._optimizers import build_optimizer

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable

UNBUILT = (
    "To use the BackupAndRestore callback, you model must be built before you "
    "call `fit()`. Model {model} is unbuilt. You can build it beforehand by "
    "calling it on a batch of data."
)
_WEIGHTS_NAME = "latest.weights.h5"
_METADATA_NAME = "training_metadata.json"
_PREVIOUS_SUFFIX = ".bkp"
_ATTRIBUTE = "kerascb_training_metadata"
_UNREADABLE = (OSError, KeyError, json.JSONDecodeError, UnicodeDecodeError)


@dataclass(frozen=True)
class Position:
    """Where a run goes on.

    Attributes:
        epoch: The epoch to go on in (zero-based).
        batch: The first batch of it that has not been trained; 0 for all of
            the epoch.
    """

    epoch: int
    batch: int = 0


@dataclass(frozen=True)
class BackupPlan:
    """What a store has to know of the run.

    Attributes:
        directory: Where the backups lie.
        keep_previous: Whether the backup before the latest is kept too.
        by_batch: Whether backups are made within epochs.
        steps: Batches of an epoch; `None` if unknown.
        before_preemption: Whether to save when the machine is taken away.
    """

    directory: str
    keep_previous: bool = False
    by_batch: bool = False
    steps: int | None = None
    before_preemption: bool = False


@dataclass(frozen=True)
class BackupFiles:
    """The two files of a backup as Keras 3 lays it out.

    Attributes:
        weights: Path of the weights, with the optimizer's state.
        metadata: Path of the JSON file that says where to go on.
    """

    weights: str
    metadata: str

    @classmethod
    def latest_in(cls, folder: str) -> BackupFiles:
        """The latest backup in a folder.

        Args:
            folder: Where the backups lie.
        """
        return cls(
            os.path.join(folder, _WEIGHTS_NAME),
            os.path.join(folder, _METADATA_NAME),
        )

    @property
    def previous(self) -> BackupFiles:
        """The backup before this one."""
        return BackupFiles(
            self.weights + _PREVIOUS_SUFFIX, self.metadata + _PREVIOUS_SUFFIX
        )


class BackupStore(Protocol):
    """The backups of one run."""

    def restore(self) -> Position | None:
        """Puts the model back to its latest backup.

        Returns:
            Where to go on; `None` if there is no backup, or if it does not
            say.

        Raises:
            UnreadableBackup: If there are backups and none can be read.
        """

    def save(self, position: Position) -> None:
        """Backs up the model; the old backup stays until this is complete.

        Args:
            position: Where a run that is restored from it shall go on.
        """

    def save_if_preempted(self, position: Position) -> None:
        """Backs up the model if the machine is about to be taken away."""

    def delete(self) -> None:
        """Removes the backups; never a file that is not one."""


class WeightsBackups:
    """Backups as Keras 3 lays them out: a weights file and a JSON file.

    The weights file carries a copy of what the JSON file says, as an
    attribute. So the two never disagree, whenever the process is killed.

    Args:
        model: Returns the model, its variables up to date.
        plan: The run.
        writes: Whether this process is the one that writes.
    """

    def __init__(
        self, model: Callable[[], Any], plan: BackupPlan, *, writes: bool = True
    ) -> None:
        self._model = model
        self._directory = plan.directory
        self._keep_previous = plan.keep_previous
        self._writes = writes
        self._files = files_of(plan.directory)
        self._latest = BackupFiles.latest_in(plan.directory)
        self._is_latest_damaged = False

    def restore(self) -> Position | None:
        """Takes the previous backup where the latest cannot be read.

        The epoch is always gone through from its first batch: Keras 3 has no
        way to begin within one.
        """
        build_optimizer(self._model())
        failure: Exception | None = None
        for files in (self._latest, self._latest.previous):
            if not self._files.exists(files.weights):
                continue
            try:
                return self._load(files)
            except _UNREADABLE as error:
                failure = failure or error
                self._is_latest_damaged = True
        if failure is None:
            return None
        raise UnreadableBackup(self._directory, failure) from failure

    def _load(self, files: BackupFiles) -> Position | None:
        with self._files.reading(files.weights, name=_WEIGHTS_NAME) as path:
            with h5py.File(path, "r") as file:
                text = file.attrs.get(_ATTRIBUTE)
            if text is None:
                text = self._read(files.metadata)
            position = None if text is None else _position_in(text)
            self._model().load_weights(path)
        return position

    def _read(self, metadata: str) -> str | None:
        if not self._files.exists(metadata):
            return None
        with (
            self._files.reading(metadata, name=_METADATA_NAME) as path,
            open(path, encoding="utf-8") as file,
        ):
            return file.read()

    def save(self, position: Position) -> None:
        """Weights first, then the JSON file for those who read only that."""
        if not self._writes:
            return
        text = json.dumps(
            {"epoch": position.epoch, "batch": max(position.batch - 1, 0)}
        )
        previous = self._latest.previous
        self._files.make_folder(self._directory)
        with self._replacing(self._latest.weights, previous.weights) as path:
            self._model().save_weights(path)
            # A stand-in for a model, in a test, may write nothing.
            if os.path.exists(path):
                with h5py.File(path, "r+") as file:
                    file.attrs[_ATTRIBUTE] = text
        with (
            self._replacing(self._latest.metadata, previous.metadata) as path,
            open(path, "w", encoding="utf-8") as file,
        ):
            file.write(text)
        self._is_latest_damaged = False

    def _replacing(
        self, path: str, previous: str
    ) -> contextlib.AbstractContextManager[str]:
        # A damaged file must not take the place of the good one before it.
        keeps = self._keep_previous and not self._is_latest_damaged
        return self._files.replacing(path, keep_as=previous if keeps else None)

    def save_if_preempted(self, position: Position) -> None:
        """Nothing: Keras 3 hears of no preemption."""

    def delete(self) -> None:
        """Removes the folder as well if nothing else is in it."""
        if not self._writes:
            return
        for files in (self._latest, self._latest.previous):
            self._files.remove(files.weights)
            self._files.remove(files.metadata)
        self._files.remove_if_empty(self._directory)


def _position_in(metadata: str) -> Position:
    content = json.loads(metadata)
    if not isinstance(content, dict) or "epoch" not in content:
        raise OSError(f"no epoch in the metadata {metadata!r}")
    return Position(content["epoch"])
