"""The runs below one log directory."""

from __future__ import annotations

import contextlib
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

from kerascb import paths
from kerascb.events import storage

if TYPE_CHECKING:
    from collections.abc import Callable

    from kerascb.events.writer import EventWriter


def _open_event_file(
    directory: str, mark: str = "", not_before_s: int = 0
) -> EventWriter:
    # It needs the optional package.
    from kerascb.events.event_file import EventFile  # noqa: PLC0415

    return EventFile(directory, mark=mark, not_before_s=not_before_s)


class Runs:
    """Writers of one log directory, each opened when first asked for.

    A directory whose writer nobody asks for is never made. After `close`
    everything can be written again, into new files. Copies and pickles have
    no writer open. Any thread may ask for a writer and flush.

    Args:
        root: The log directory.
        open_writer: A run's directory → its writer.

    Attributes:
        root: As given, until `anchor`.

    Example:
        >>> runs = Runs("logs", open_writer=print)
        >>> runs.root
        'logs'
    """

    def __init__(
        self,
        root: str,
        open_writer: Callable[[str], EventWriter] = _open_event_file,
    ) -> None:
        self.root = root
        self._open_writer = open_writer
        self._writers: dict[str, EventWriter] = {}
        self._lock = threading.Lock()

    @classmethod
    def marked(cls, root: str, mark: str, *, not_before_s: int = 0) -> Runs:
        """Runs whose files can be told from others, see `extent`.

        Args:
            root: The log directory.
            mark: Stands in the names of the files.
            not_before_s: The least time that the names may tell, in seconds.
        """
        return cls(
            root,
            partial(_open_event_file, mark=mark, not_before_s=not_before_s),
        )

    def directory(self, run: str) -> str:
        """Where a run is written."""
        return storage.join(self.root, run)

    def anchor(self) -> None:
        """Stays in this place whatever folder is the current one later."""
        self.root = paths.anchored(self.root)

    def __getitem__(self, run: str) -> EventWriter:
        """The writer of a run."""
        with self._lock:
            if run not in self._writers:
                self._writers[run] = self._open_writer(self.directory(run))
            return self._writers[run]

    def flush(self) -> None:
        """Flushes what is open; all of it, also if one fails."""
        with self._lock:
            writers = list(self._writers.values())
        with contextlib.ExitStack() as stack:
            for writer in writers:
                stack.callback(writer.flush)

    def close(self) -> None:
        """Closes what is open; all of it, also if one fails."""
        writers, self._writers = self._writers, {}
        with contextlib.ExitStack() as stack:
            for writer in writers.values():
                stack.callback(writer.close)

    def discard(self) -> None:
        """Takes back what was written to what is open."""
        writers, self._writers = self._writers, {}
        with contextlib.ExitStack() as stack:
            for writer in writers.values():
                stack.callback(writer.discard)

    def __reduce__(self) -> tuple[Any, ...]:
        return Runs, (self.root, self._open_writer)
