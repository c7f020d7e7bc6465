"""Batches of samples that are loaded by their indices."""

import pickle

import numpy as np
import pytest

import kerascb
from kerascb.errors import InvalidArgument


def _load(indices):
    return (indices.copy(),)


def _make(**arguments):
    return kerascb.data.IndexedBatches(_load, 50, 8, **arguments)


def _pass(batches):
    return [batches[i][0].tolist() for i in range(len(batches))]


def test_every_pass_has_every_sample_once():
    """In batches, the last of which may be smaller."""
    drawn = _pass(_make())

    assert sorted(np.concatenate(drawn)) == list(range(50))
    assert len(drawn[-1]) == 2


def test_passes_differ_and_come_again_with_the_seed():
    """The number of the pass and the seed make the order."""
    batches = _make(seed=4)
    first = _pass(batches)
    batches.on_epoch_end()
    second = _pass(batches)
    batches.set_state({"pass": 0})

    assert first != second
    assert _pass(batches) == first == _pass(_make(seed=4))
    assert _pass(_make(seed=5)) != first


def test_what_is_passed_over_is_not_loaded():
    """One batch stands for all of them, in this pass only."""
    loaded = []
    batches = kerascb.data.IndexedBatches(
        lambda i: loaded.append(i) or (i,), 50, 8, shuffle=False
    )
    batches.pass_over(5)
    drawn = _pass(batches)
    batches.on_epoch_end()

    assert len(loaded) == 3
    assert drawn[5:] == [list(range(40, 48)), [48, 49]]
    assert _pass(batches)[0] == list(range(8))


def test_processes_that_load_have_the_same_order():
    """A copy is in the same pass."""
    batches = _make()
    batches.on_epoch_end()

    assert _pass(pickle.loads(pickle.dumps(batches))) == _pass(batches)


def test_without_shuffling_the_order_is_that_of_the_indices():
    """And a last small batch may be left out."""
    batches = _make(shuffle=False, drop_remainder=True)

    assert np.concatenate(_pass(batches)).tolist() == list(range(48))


def test_refuses_an_index_out_of_range():
    """As a sequence does, so that it can be iterated."""
    with pytest.raises(IndexError, match="7 batches"):
        _make()[7]


def test_refuses_numbers_out_of_range():
    """With the value, at once."""
    with pytest.raises(InvalidArgument, match="got size=0"):
        kerascb.data.IndexedBatches(_load, 0, 8)
