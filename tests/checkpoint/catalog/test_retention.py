"""Which checkpoints to keep."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerascb.checkpoint.catalog.retention import Saved, best_first, superfluous
from kerascb.improvement import Direction

NAN = math.nan

VALUES = st.one_of(
    st.none(), st.floats(), st.sampled_from([0.0, 1.0, NAN, math.inf])
)
ROWS = st.lists(VALUES, max_size=12).map(
    lambda values: [Saved(str(i), value) for i, value in enumerate(values)]
)
COUNTS = st.one_of(st.none(), st.integers(1, 5))
DIRECTIONS = st.sampled_from(Direction)


def _row(*values):
    return [Saved(name, value) for name, value in zip("abcdef", values)]  # noqa: B905


@pytest.mark.parametrize(
    ("values", "max_to_keep", "keep_best", "expected"),
    [
        ([1, 2, 3], None, None, ""),
        ([1, 2, 3], 2, None, "a"),
        ([1, 2, 3], None, 1, "b"),
        ([3, 1, 2], None, 1, "a"),
        ([1, 3, 2, 4], 1, 1, "bc"),
        ([1, 2, 3, 4], 2, 1, "b"),
        ([4, 3, 2, 1], 2, 2, "ab"),
        ([NAN, 1, 2], None, 1, "a"),
        ([None, 1, 2], None, 2, "a"),
        ([NAN, NAN, NAN], None, 2, "ab"),
        ([1, 1, 1], None, 1, "b"),
        ([], 1, 1, ""),
    ],
    ids=str,
)
def test_what_is_superfluous(values, max_to_keep, keep_best, expected):
    """The newest, the best and the last one stay."""
    found = superfluous(
        _row(*values), max_to_keep=max_to_keep, keep_best=keep_best
    )

    assert "".join(found) == expected


def test_larger_may_be_better():
    """The direction decides which are the best."""
    found = superfluous(_row(3, 1, 2), keep_best=1, direction=Direction.MAX)

    assert found == ["b"]


def test_a_path_written_twice_is_as_new_as_its_last_writing():
    """What it was before is no longer there."""
    row = [Saved("a", 1), Saved("b", 2), Saved("a", 3)]

    assert superfluous(row, max_to_keep=1) == ["b"]
    assert superfluous(row, keep_best=1) == []


@given(ROWS, COUNTS, COUNTS, DIRECTIONS)
def test_the_last_one_always_stays(row, max_to_keep, keep_best, direction):
    """Whatever was asked for, what was just written is not deleted."""
    found = superfluous(
        row,
        max_to_keep=max_to_keep,
        keep_best=keep_best,
        direction=direction,
    )

    assert not row or row[-1].path not in found


@given(ROWS, COUNTS, COUNTS, DIRECTIONS)
def test_no_more_stay_than_was_asked_for(
    row, max_to_keep, keep_best, direction
):
    """The disk does not fill up."""
    found = superfluous(
        row,
        max_to_keep=max_to_keep,
        keep_best=keep_best,
        direction=direction,
    )
    stay = len(row) - len(found)

    if max_to_keep or keep_best:
        assert stay <= max(max_to_keep or 1, 1) + (keep_best or 0)
    else:
        assert found == []


@given(ROWS, st.integers(1, 5), st.integers(1, 5), DIRECTIONS)
def test_each_wish_is_met_whatever_the_other(
    row, max_to_keep, keep_best, direction
):
    """The rolling ones do not push out the best, nor the other way round."""
    both = set(
        superfluous(
            row,
            max_to_keep=max_to_keep,
            keep_best=keep_best,
            direction=direction,
        )
    )
    rolling = set(superfluous(row, max_to_keep=max_to_keep))
    best = set(superfluous(row, keep_best=keep_best, direction=direction))

    assert both == rolling & best


@given(ROWS, st.integers(1, 5), st.integers(1, 5), DIRECTIONS)
def test_deleting_as_one_goes_loses_none_of_the_best(
    row, max_to_keep, keep_best, direction
):
    """After every save the best of all there ever were are still there."""
    there = []
    for i, one in enumerate(row):
        there.append(one)
        gone = superfluous(
            there,
            max_to_keep=max_to_keep,
            keep_best=keep_best,
            direction=direction,
        )
        there = [other for other in there if other.path not in gone]
        best = best_first(row[: i + 1], direction)[:keep_best]

        assert set(best) <= set(there)


@given(ROWS, DIRECTIONS)
def test_the_best_are_in_order(row, direction):
    """Each is at least as good as the next; NaN is among none of them."""
    values = [one.value for one in best_first(row, direction)]

    assert values == sorted(values, reverse=direction is Direction.MAX)
    assert not any(map(math.isnan, values))
