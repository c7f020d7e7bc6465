"""Indices of samples as a dataset."""

import numpy as np
import pytest

import kerascb
from kerascb.errors import InvalidArgument


def _pass(dataset):
    return [one.tolist() for one in dataset.as_numpy_iterator()]


@pytest.fixture(autouse=True)
def _needs_tensorflow():
    pytest.importorskip("tensorflow")


def test_every_pass_has_every_sample_once():
    """A permutation, whatever the size."""
    order = kerascb.data.indices(103, 10)
    drawn = np.concatenate(list(order.as_numpy_iterator()))

    assert sorted(drawn) == list(range(103))


def test_passes_differ_and_come_again_with_the_seed():
    """The number of the pass and the seed make the order."""
    one, other = (kerascb.data.indices(50, 8, seed=4) for _ in range(2))
    passes = [_pass(one) for _ in range(3)]

    assert passes[0] != passes[1] != passes[2]
    assert [_pass(other) for _ in range(3)] == passes
    assert _pass(kerascb.data.indices(50, 8, seed=5)) != passes[0]


def test_an_iterator_nobody_draws_from_is_no_pass():
    """Keras makes some."""
    one, other = (kerascb.data.indices(50, 8) for _ in range(2))
    iter(other)

    assert _pass(one) == _pass(other)


def test_knows_its_length():
    """Progress bars show it from the beginning."""
    assert int(kerascb.data.indices(10, 4).cardinality()) == 3
    assert (
        int(kerascb.data.indices(10, 4, drop_remainder=True).cardinality()) == 2
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"size": 0, "batch_size": 1},
        {"size": 4, "batch_size": 2.0},
        {"size": 4, "batch_size": True},
        {"size": 4, "batch_size": 2, "seed": -1},
        {"size": 4, "batch_size": 5, "drop_remainder": True},
    ],
)
def test_refuses_numbers_out_of_range(arguments):
    """With the value, at once."""
    with pytest.raises(InvalidArgument, match="got"):
        kerascb.data.indices(**arguments)
