"""The runs below one log directory."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from kerascb.events import storage

if TYPE_CHECKING:
    from collections.abc import Callable

    from kerascb.events.writer import EventWriter


def _open_event_file(directory: str) -> EventWriter:
    # It needs the optional package.
    from kerascb.events.event_file import EventFile  # noqa: PLC0415

    return EventFile(directory)


class Runs:
    """Writers of one log directory, each opened when first asked for.

    A directory whose writer nobody asks for is never made. After `close`
    everything can be written again, into new files. Copies and pickles have
    no writer open.

    Args:
        root: The log directory.
        open_writer: A run's directory → its writer.

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

    def directory(self, run: str) -> str:
        """Where a run is written."""
        return storage.join(self.root, run)

    def __getitem__(self, run: str) -> EventWriter:
        """The writer of a run."""
        if run not in self._writers:
            self._writers[run] = self._open_writer(self.directory(run))
        return self._writers[run]

    def flush(self) -> None:
        """Flushes what is open; all of it, also if one fails."""
        with contextlib.ExitStack() as stack:
            for writer in self._writers.values():
                stack.callback(writer.flush)

    def close(self) -> None:
        """Closes what is open; all of it, also if one fails."""
        writers, self._writers = self._writers, {}
        with contextlib.ExitStack() as stack:
            for writer in writers.values():
                stack.callback(writer.close)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_writers": {}}
