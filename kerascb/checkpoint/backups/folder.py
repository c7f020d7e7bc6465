"""The backups of one run, in a folder of their own."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from kerascb.checkpoint.backups.lock import RunLock
from kerascb.checkpoint.backups.run_state import RunState
from kerascb.checkpoint.commit import Kind, clean_leftovers, commit
from kerascb.checkpoint.files.direct import DirectFileSystem
from kerascb.checkpoint.files.filesystem import filesystem_of
from kerascb.checkpoint.files.local import LocalFileSystem
from kerascb.checkpoint.files.remote import at_hand
from kerascb.checkpoint.retries import attempts
from kerascb.errors import UnreadableBackup
from kerascb.layouts import state_archive
from kerascb.layouts.state_archive import DamagedArchive, NpzLayout
from kerascb.paths import anchored

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kerascb.checkpoint.commit import Staging, Written
    from kerascb.checkpoint.files.remote import RemoteFileSystem
    from kerascb.checkpoint.snapshot import Arena

LATEST_NAME = "latest.npz"
PREVIOUS_NAME = "previous.npz"

_log = logging.getLogger(__name__)


class BackupFolder:
    """The newest backup of a run, and the one before.

    Guarantees:

    - At every instant, after a kill and after a power cut, there is a whole
      backup, once one has been written.
    - A backup is on disk when `write` returns.
    - A damaged backup is never taken for one, and never replaces a whole one.
    - No file is removed or replaced but `latest.npz`, `previous.npz`, the lock
      and what killed runs of kerascb have left unfinished.
    - On this machine's file systems one run at a time holds the folder, from
      `acquire` to `release`. Far away there is no lock: nothing that an object
      store offers goes away with a process that is killed.

    Args:
        path: The folder, here or far away; it is made when it is needed.
        warn: Tells the user something; by default the log does.
        retries: How often to try again to write where a drive is busy (≥ 0).

    Attributes:
        path: As given.
        latest: Path of the newest backup.
        previous: Path of the backup before it.

    Raises:
        MissingDependency: If nothing installed reaches the path.

    Example:
        >>> import tempfile
        >>> from kerascb.checkpoint.snapshot import Arena
        >>> from kerascb.runtime import Position
        >>> folder = BackupFolder(tempfile.mkdtemp())
        >>> folder.write(RunState(Position(3), {}), Arena())
        >>> folder.read().position
        Position(epoch=3, batch=0)
        >>> folder.delete()
        >>> folder.exists()
        False
    """

    def __init__(
        self,
        path: str,
        warn: Callable[[str], None] | None = None,
        *,
        retries: int = 2,
    ) -> None:
        self.path = path
        self.latest = os.path.join(path, LATEST_NAME)
        self.previous = os.path.join(path, PREVIOUS_NAME)
        self._warn = warn or _log.warning
        self._retries = retries
        self._files = filesystem_of(path)
        self._place = anchored(path)
        self._latest = os.path.join(self._place, LATEST_NAME)
        self._previous = os.path.join(self._place, PREVIOUS_NAME)
        self._lock = RunLock(self._place, path, self._warn)
        self._direct: DirectFileSystem | None = None
        self._is_latest_whole: bool | None = None

    def acquire(self, is_over: Callable[[], bool] | None = None) -> None:
        """Keeps other runs out, and removes what killed ones left unfinished.

        Args:
            is_over: Tells whether the fit that uses the folder is over; see
                `RunLock.acquire`.

        Raises:
            BackupInUse: If another run uses the folder.
            OSError: If the folder cannot be made.
        """
        if isinstance(self._files, LocalFileSystem):
            self._files.make_folder(self._place)
            self._lock.acquire(is_over)
        clean_leftovers(self._files, self._place)

    def release(self) -> None:
        """Lets other runs have the folder."""
        self._direct = None
        self._lock.release()

    def exists(self) -> bool:
        """Whether there is a backup, damaged or not."""
        return any(map(self._is_there, (self._latest, self._previous)))

    def read(self) -> RunState | None:
        """The newest backup that is whole; warns if that is not the latest.

        Returns:
            The backup; `None` if there is none.

        Raises:
            UnreadableBackup: If there are only damaged ones.
        """
        damage: list[str] = []
        self._is_latest_whole = None
        for name, path in (
            (LATEST_NAME, self._latest),
            (PREVIOUS_NAME, self._previous),
        ):
            if not self._is_there(path):
                continue
            try:
                state = self._load(path)
            except (DamagedArchive, OSError) as error:
                self._is_latest_whole = False
                damage.append(f"{name}: {error}")
                continue
            if damage:
                self._warn(
                    f"BackupAndRestore: the newest backup in {self.path!r} is "
                    f"damaged ({damage[0]}); the run goes on from the one "
                    f"before it, of epoch {state.position.epoch + 1}."
                )
            else:
                self._is_latest_whole = True
            return state
        if damage:
            raise UnreadableBackup(self.path, DamagedArchive("; ".join(damage)))
        return None

    def write(self, state: RunState, arena: Arena) -> None:
        """Puts a backup in the place of the newest, which becomes the previous.

        From any thread, but by one at a time.

        Args:
            state: The backup. What it shares with variables is copied first.
            arena: Where to.

        Raises:
            TypeError: If something in the state cannot be stored.
            SaveFailed: If the disk is full or broken.
            OSError: If anything else about the files goes wrong.
        """
        state.settle(arena)
        text, arrays = state_archive.encode(state.to_state())
        layout = NpzLayout.of(text, arrays)
        values = [state_archive.raw(array) for array in arrays.values()]
        for attempt in attempts(self._retries, self.latest):
            with attempt:
                self._commit(layout, values)

    def delete(self) -> None:
        """Removes the backups, and the folder if nothing else is in it.

        Far away no folder is removed: where a store has any, this may be one
        that means more.
        """
        for path in (self._previous, self._latest):  # what is left is newest
            if self._is_there(path):
                self._files.remove(path)
        clean_leftovers(self._files, self._place)
        self._is_latest_whole = None
        self.release()
        if isinstance(self._files, LocalFileSystem):
            self._files.remove_if_empty(self._place)

    def _is_there(self, path: str) -> bool:
        return self._files.kind(path) == "file"

    def _load(self, path: str) -> RunState:
        with at_hand(path) as local:
            state = state_archive.read(local)
        try:
            return RunState.from_state(state)
        except (KeyError, TypeError, ValueError) as error:
            raise DamagedArchive(str(error)) from error

    def _commit(self, layout: NpzLayout, values: Sequence[memoryview]) -> None:
        def fill(staging: Staging) -> None:
            staging.write("", layout.render(values, b""))

        commit(
            self._files_for_writing(),
            self._latest,
            Kind.FILE,
            fill,
            before_visible=self._keep_latest,
            checksums=False,
            shown=self.latest,
        )
        self._is_latest_whole = True

    def _keep_latest(self, written: tuple[Written, ...]) -> None:
        """Makes the newest backup the previous one, unless it is damaged."""
        del written
        if self._is_latest_known_whole():
            self._files.move(self._latest, self._previous)

    def _is_latest_known_whole(self) -> bool:
        if not self._is_there(self._latest):
            return False
        if self._is_latest_whole is None:  # nobody has read it
            try:
                self._load(self._latest)
            except (DamagedArchive, OSError):
                return False
        return self._is_latest_whole is not False

    def _files_for_writing(self) -> LocalFileSystem | RemoteFileSystem:
        if type(self._files) is not LocalFileSystem:
            return self._files
        if self._direct is None:
            self._direct = DirectFileSystem()
        return self._direct
