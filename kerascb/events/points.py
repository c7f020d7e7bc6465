"""Points of curves, serialised one after the other.

To make an event of five curves out of objects takes fifty microseconds. The
events of one training have the same curves, so that a single event is made and
filled in anew for each point, which takes two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorboard.compat.proto import event_pb2, summary_pb2

from kerascb.events import summaries

if TYPE_CHECKING:
    from kerascb.events.writer import Point


class PointEncoder:
    """Makes events of points; remembers the curves of the latest one."""

    def __init__(self) -> None:
        self._tags: tuple[str, ...] = ()
        self._event: Any = None
        self._places: list[Any] = []

    def encode(self, point: Point) -> bytes:
        """The event of a point, serialised.

        Args:
            point: The point.
        """
        wall_s, step, values = point
        tags = tuple(values)
        if tags != self._tags:
            self._make_ready(tags)
        event = self._event
        event.wall_time = wall_s
        event.step = step
        for place, value in zip(self._places, values.values(), strict=True):
            place[0] = value
        serialised: bytes = event.SerializeToString()
        return serialised

    def _make_ready(self, tags: tuple[str, ...]) -> None:
        self._tags = tags
        self._event = event_pb2.Event(
            summary=summary_pb2.Summary(
                value=[summaries.scalar(tag, 0.0) for tag in tags]
            )
        )
        self._places = [
            value.tensor.float_val for value in self._event.summary.value
        ]
