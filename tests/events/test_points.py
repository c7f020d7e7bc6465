"""Points of curves as events."""

import numpy as np
import pytest
from tensorboard.compat.proto import event_pb2, summary_pb2

from kerascb.events import summaries
from kerascb.events.points import PointEncoder
from kerascb.events.writer import Point


def slowly(point):
    """The event made of objects, as TensorBoard's own writer would."""
    return event_pb2.Event(
        wall_time=point.wall_s,
        step=point.step,
        summary=summary_pb2.Summary(
            value=[
                summaries.scalar(*item) for item in dict(point.values).items()
            ]
        ),
    )


@pytest.mark.parametrize(
    "points",
    [
        [Point(1.5, step, {"a": step / 4, "b": -step}) for step in range(3)],
        [Point(1.5, 1, {"a": 1.0}), Point(2.5, 2, {"b": 2.0})],
        [Point(1.5, 1, {"a": 1.0}), Point(2.5, 2, {"a": 2.0, "b": 2.0})],
        [Point(1.5, 2**40, {"ä/b": float("inf")})],
    ],
    ids=["alike", "other", "more", "large"],
)
def test_each_event_is_the_one_made_of_objects(points):
    """Whatever the point before it was."""
    encoder = PointEncoder()
    encoded = [encoder.encode(point) for point in points]

    assert [event_pb2.Event.FromString(one) for one in encoded] == [
        slowly(point) for point in points
    ]


def test_nan_is_a_point_too():
    """A diverged loss is drawn."""
    encoded = PointEncoder().encode(Point(1.0, 1, {"a": np.nan}))

    [value] = event_pb2.Event.FromString(encoded).summary.value
    assert np.isnan(value.tensor.float_val[0])
