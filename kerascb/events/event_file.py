"""An event file, written through the `tensorboard` package."""

from __future__ import annotations

import itertools
import os
import socket
import time
import weakref
from typing import TYPE_CHECKING, Any

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

from kerascb.events import extent, storage, summaries

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kerascb.events.writer import Array, Pixels

_numbers = itertools.count()


class EventFile:
    """Answers `EventWriter` with one new file in a directory.

    Guarantees:
        - Events stand in the file in the order in which they were written.
        - What was written is handed to the file system when `flush` is
          called, and with the first event after `flush_interval_s`.
        - The file is closed, and nothing lost, when the object is collected
          or Python ends, even if nobody calls `close`.
        - A write that fails raises in the caller.

    Writing does not wait for the disk, only for the record's checksum, which
    the `tensorboard` package computes in Python: about 0.1 ms a kilobyte.

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
        self._records = RecordWriter(file)
        self._close_file = weakref.finalize(self, file.close)
        self._write(file_version="brain.Event:2")
        self.flush()

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Adds a point to each curve, all in one record."""
        self._summarise(
            step, *(summaries.scalar(*item) for item in values.items())
        )

    def histogram(self, step: int, tag: str, values: Array) -> None:
        """Adds the distribution of the finite values."""
        self._summarise(step, summaries.histogram(tag, values))

    def images(self, step: int, tag: str, images: Pixels) -> None:
        """Adds the first three pictures."""
        self._summarise(step, summaries.images(tag, images))

    def text(self, step: int, tag: str, text: str) -> None:
        """Adds a text in Markdown."""
        self._summarise(step, summaries.text(tag, text))

    def keras_graph(self, step: int, tag: str, model_json: str) -> None:
        """Adds a model's conceptual graph."""
        self._summarise(step, summaries.keras_graph(tag, model_json))

    def op_graph(self, graph_def: bytes) -> None:
        """Sets the graph of operations."""
        self._write(graph_def=graph_def)

    def flush(self) -> None:
        """Hands everything written so far to the file system."""
        self._records.flush()
        self._last_flush_s = self._clock()

    def close(self) -> None:
        """Flushes and closes the file."""
        self._close_file()

    def discard(self) -> None:
        """Closes the file and removes it."""
        self._close_file()
        storage.remove(self._path)

    def _summarise(self, step: int, *values: Any) -> None:
        self._write(step=step, summary=summary_pb2.Summary(value=values))

    def _write(self, **content: Any) -> None:
        now_s = self._clock()
        event = event_pb2.Event(wall_time=now_s, **content)
        self._records.write(event.SerializeToString())
        if now_s - self._last_flush_s >= self._flush_interval_s:
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
