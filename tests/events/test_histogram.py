"""Buckets of histograms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from kerascb.events.histogram import BUCKETS, buckets


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=(17, 5)).astype("float32"),
        np.arange(60),
        np.array([3.0, 3.0]),
        np.array(2.5),
        np.zeros((0, 4)),
    ],
    ids=["normal", "integers", "equal", "scalar", "empty"],
)
def test_buckets_are_those_of_tensorboard(values):
    """TensorBoard's own function, which is slower, makes the same ones."""
    from tensorboard.plugins.histogram.summary_v2 import histogram_pb
    from tensorboard.util import tensor_util

    [record] = histogram_pb("tag", values).value

    np.testing.assert_allclose(
        buckets(values), tensor_util.make_ndarray(record.tensor)
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_left_out(bad):
    """A weight that became NaN does not end the run."""
    table = buckets([0.0, bad, 1.0])

    assert table[:, 2].sum() == 2


def test_nothing_but_nan_is_as_good_as_nothing():
    """The plugin gets an empty histogram."""
    assert not buckets([np.nan]).any()


@given(
    arrays.arrays(
        np.float64,
        st.integers(1, 50),
        elements=st.floats(-1e6, 1e6),
    )
)
def test_every_value_is_counted_once(values):
    """The counts sum up to the number of values, whatever they are."""
    table = buckets(values)

    assert table.shape == (BUCKETS, 3)
    assert table[:, 2].sum() == values.size
