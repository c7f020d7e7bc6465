"""An event file, written through the `tensorboard` package."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from tensorboard.compat.proto import event_pb2, summary_pb2

from kerascb.events import extent, storage, summaries
from kerascb.events.points import PointEncoder
from kerascb.events.records import framed
from kerascb.events.writer import Point

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kerascb.events.writer import Array, Pixels

_numbers = itertools.count()


class EventFile:
    """Answers `EventWriter` with one new file in a directory.

    Guarantees:
        - Events stand in the file in the order in which they were written.
        - What was written is handed to the file system when `flush` is
          called, and with the first event after `flush_interval_s`.
        - The file is closed, and nothing lost, when the object is collected,
          even if nobody calls `close`.
        - Several threads may write; each event stays whole.
        - A write that fails raises in the caller.

    Args:
        directory: Where the file goes; made if it is not there.
        flush_interval_s: Seconds an event may stay in memory.
        clock: Tells the time in seconds; tests give their own.
        mark: Stands in the file's name; see `extent`.
        not_before_s: The least time that its name may tell, in seconds. So
            its name sorts after those of older files, whatever the clock.
    """

    def __init__(
        self,
        directory: str,
        *,
        flush_interval_s: float = 30.0,
        clock: Callable[[], float] = time.time,
        mark: str = "",
        not_before_s: int = 0,
    ) -> None:
        self._clock = clock
        self._flush_interval_s = flush_interval_s
        self._last_flush_s = clock()
        name = _file_name(max(int(clock()), not_before_s), mark)
        self._path = storage.join(directory, name)
        file = storage.open_to_write(self._path, "wb")
        self._file = file
        self._lock = threading.RLock()
        self._encoder = PointEncoder()
        self._close_file = weakref.finalize(self, file.close)
        # At exit its owner may have something to write yet.
        self._close_file.atexit = False
        self._write(None, file_version="brain.Event:2")
        self.flush()

    def points(self, points: Iterable[Point]) -> None:
        """Adds points to curves, those of one step in one record."""
        encode = self._encoder.encode
        with self._lock:
            self._append(b"".join(framed(encode(point)) for point in points))

    def scalars(
        self,
        step: int,
        values: Mapping[str, float],
        wall_s: float | None = None,
    ) -> None:
        """Adds a point to each curve, all in one record."""
        self.points([Point(self._time_of(wall_s), step, values)])

    def histogram(
        self, step: int, tag: str, values: Array, wall_s: float | None = None
    ) -> None:
        """Adds the distribution of the finite values."""
        self._summarise(step, summaries.histogram(tag, values), wall_s)

    def images(
        self, step: int, tag: str, images: Pixels, wall_s: float | None = None
    ) -> None:
        """Adds the first three pictures."""
        self._summarise(step, summaries.images(tag, images), wall_s)

    def text(
        self, step: int, tag: str, text: str, wall_s: float | None = None
    ) -> None:
        """Adds a text in Markdown."""
        self._summarise(step, summaries.text(tag, text), wall_s)

    def keras_graph(
        self, step: int, tag: str, model_json: str, wall_s: float | None = None
    ) -> None:
        """Adds a model's conceptual graph."""
        self._summarise(step, summaries.keras_graph(tag, model_json), wall_s)

    def op_graph(self, graph_def: bytes, wall_s: float | None = None) -> None:
        """Sets the graph of operations."""
        self._write(wall_s, graph_def=graph_def)

    def flush(self) -> None:
        """Hands everything written so far to the file system."""
        with self._lock:
            self._file.flush()
            self._last_flush_s = self._clock()

    def close(self) -> None:
        """Flushes and closes the file."""
        self._close_file()

    def discard(self) -> None:
        """Closes the file and removes it."""
        self._close_file()
        with contextlib.suppress(FileNotFoundError):
            storage.remove(self._path)

    def _summarise(self, step: int, value: Any, wall_s: float | None) -> None:
        summary = summary_pb2.Summary(value=[value])
        self._write(wall_s, step=step, summary=summary)

    def _write(self, wall_s: float | None, **content: Any) -> None:
        event = event_pb2.Event(wall_time=self._time_of(wall_s), **content)
        self._append(framed(event.SerializeToString()))

    def _time_of(self, wall_s: float | None) -> float:
        return self._clock() if wall_s is None else wall_s

    def _append(self, records: bytes) -> None:
        with self._lock:
            self._file.write(records)
            if self._clock() - self._last_flush_s >= self._flush_interval_s:
                self.flush()


def _file_name(begun_s: int, mark: str) -> str:
    """A name no other file has.

    A viewer that reads a directory's files one after the other stays with the
    one whose name sorts last. The letter makes that this one, should
    TensorFlow's own writer have opened a file in the same second.
    """
    return (
        f"events.out.tfevents.{begun_s:010d}.{socket.gethostname()}"
        f".{os.getpid()}.k{next(_numbers):06d}{extent.suffix_of(mark)}"
    )
