"""The state of one step, and the memory it lies in."""

import json

import numpy as np
import pytest

from kerascb.checkpoint.snapshot import Arena, Snapshot
from kerascb.layouts import notes
from kerascb.runtime import FrozenArray


class Shared(FrozenArray):
    """A value whose memory a variable has as well."""

    is_shared = True


class Recorded:
    """A layout that renders its values and the note, one after the other."""

    def render(self, values, note):
        yield from values
        yield note


class Staging:
    """Keeps what is written."""

    def __init__(self):
        self.files = {}

    def write(self, name, buffers):
        self.files[name] = b"".join(buffers)


def _written(snapshot):
    staging = Staging()
    snapshot.write(staging)
    return staging.files[""]


@pytest.fixture
def variables():
    """Memory that training writes to."""
    return [
        np.arange(3, dtype="float32"),
        np.array(7, dtype="int64"),
        np.zeros((0, 2), "float16"),
        np.ones((2, 2), bool),
    ]


def test_settled_values_are_no_longer_the_variables(variables):
    """What training does afterwards is not in them."""
    snapshot = Snapshot({"": Recorded()}, [Shared(one) for one in variables])
    before = [one.copy() for one in variables]

    snapshot.settle(Arena())
    for one in variables:
        one[...] = 0

    for value, expected in zip(snapshot.values, before, strict=True):
        np.testing.assert_array_equal(value.array(), expected)
        assert value.array().dtype == expected.dtype


def test_a_value_of_its_own_stays_where_it_is():
    """It came from a device, say; a second copy would gain nothing."""
    own = FrozenArray(np.arange(3.0))
    snapshot = Snapshot({}, [own])

    snapshot.settle(Arena())

    assert snapshot.values == [own]


def test_strings_stay_where_they_are():
    """They have no memory of a size that is known."""
    words = Shared(np.array([b"a", b"bc"], object))
    snapshot = Snapshot({}, [words])

    snapshot.settle(Arena())

    assert snapshot.values == [words]


def test_memory_is_used_again(variables):
    """The next save needs no fresh memory."""
    arena = Arena()
    first = Snapshot({}, [Shared(variables[0])])
    first.settle(arena)
    second = Snapshot({}, [Shared(variables[0])])
    second.settle(arena)

    assert np.shares_memory(first.values[0].array(), second.values[0].array())


def test_memory_can_be_given_back():
    """Between two fits nothing is held."""
    arena = Arena()
    arena.take(100)

    arena.clear()

    assert arena._memory.size == 0


def test_the_note_has_the_states_of_random_generators():
    """Of the same step as the rest."""
    seed = FrozenArray(np.array([1, 2], "uint32"))
    snapshot = Snapshot({"": Recorded()}, [seed], seeds=(0,), note={"epoch": 3})

    note = notes.decode(_written(snapshot)[seed.array().nbytes :])

    assert note == {"epoch": 3, "seeds": [[1, 2]]}


def test_a_note_without_room_leaves_its_metrics_out():
    """A save with thousands of metrics is a save all the same."""
    metrics = {f"metric_{index}": 0.5 for index in range(2000)}
    snapshot = Snapshot(
        {"": Recorded()}, [], note={"epoch": 3, "metrics": metrics}
    )

    note = json.loads(_written(snapshot))

    assert (note["epoch"], note["metrics"]) == (3, {})
