"""When something is due."""

import numpy as np
import pytest

from kerascb.errors import InvalidArgument
from kerascb.frequency import (
    BatchCounter,
    EpochCounter,
    SecondsCounter,
    as_count,
    validate_save_freq,
    within_epoch,
)


@pytest.mark.parametrize("save_freq", ["epoch", 1, 500])
def test_accepts_epochs_and_counts(save_freq):
    """What Keras documents passes."""
    assert validate_save_freq(save_freq, "Unrecognized save_freq.") is None


@pytest.mark.parametrize(
    "save_freq", [True, False, 0, -1, 1.5, "batch", None, [1]]
)
def test_refuses_what_is_neither(save_freq):
    """A bool is no count, though Python takes it for one."""
    with pytest.raises(InvalidArgument, match=r"^Unrecognized save_freq"):
        validate_save_freq(save_freq, "Unrecognized save_freq.")


def test_says_what_is_wrong_with_zero():
    """A count of 0 is named as too small."""
    with pytest.raises(InvalidArgument, match="at least 1"):
        validate_save_freq(0, "Unrecognized save_freq.")


@pytest.mark.parametrize(
    ("every", "indices", "due"),
    [
        pytest.param(1, [0, 1, 0, 1], [0, 1, 2, 3], id="each batch"),
        pytest.param(2, [0, 1, 2, 3], [1, 3], id="every second"),
        pytest.param(3, [0, 1, 0, 1, 0, 1], [2, 5], id="over epochs"),
        pytest.param(8, [3, 7, 3, 7], [1, 3], id="steps_per_execution=4"),
        pytest.param(
            6, [3, 7, 3, 7], [1, 3], id="what is above is not carried over"
        ),
        pytest.param(2, [0, 0, 0, 0], [1, 3], id="epochs of one batch"),
        pytest.param(5, [4, 4], [0, 1], id="epochs of one execution"),
    ],
)
def test_counts_batches_over_the_borders_of_epochs(every, indices, due):
    """The action is due each time `every` batches have gone by."""
    counter = BatchCounter(every)

    answers = [counter.is_due_after(index) for index in indices]

    assert [turn for turn, is_due in enumerate(answers) if is_due] == due


def test_an_epoch_that_begins_in_long_executions_is_counted_whole():
    """An index above the last one need not belong to the same epoch."""
    counter = BatchCounter(11)
    counter.begin_epoch()
    counter.is_due_after(2)
    counter.begin_epoch()

    assert counter.is_due_after(7)


def test_a_resumed_epoch_counts_from_where_it_resumes():
    """What was trained before has been counted already."""
    counter = BatchCounter(3)
    counter.begin_epoch(first=4)

    assert [counter.is_due_after(index) for index in (4, 5, 6)] == [
        False,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("batch", "steps", "index"),
    [(0, None, 0), (11, None, 11), (11, 10, 9), (9, 10, 9), (3, 10, 3)],
)
def test_no_batch_lies_beyond_the_epoch(batch, steps, index):
    """With `steps_per_execution` Keras 3 counts beyond the end."""
    assert within_epoch(batch, steps) == index


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (1, 1),
        (np.int64(500), 500),
        (0, None),
        (-1, None),
        (True, None),
        (np.bool_(True), None),
        (2.0, None),
        ("2", None),
        (None, None),
    ],
)
def test_a_count_is_an_integer_of_at_least_one(value, count):
    """A bool is none, though Python takes it for one."""
    assert as_count(value) == count


@pytest.mark.parametrize(
    ("every", "due"), [(1, [0, 1, 2, 3, 4, 5]), (2, [1, 3, 5]), (4, [3])]
)
def test_counts_epochs(every, due):
    """The action is due after every `every`-th epoch."""
    counter = EpochCounter(every)

    answers = [counter.is_due() for _ in range(6)]

    assert [turn for turn, is_due in enumerate(answers) if is_due] == due


@pytest.mark.parametrize(
    ("times", "due"),
    [
        ([0, 9.9, 10, 19.9, 20], [10, 20]),
        ([0, 10, 20, 30], [10, 20, 30]),
        ([5, 9.9], []),
        ([0, 35, 36, 44.9, 45], [35, 45]),
    ],
    ids=["on time", "each time", "early", "late"],
)
def test_counts_seconds(times, due):
    """The action is due when the time has passed since the one before."""
    counter = SecondsCounter(10)
    counter.begin(0)

    assert [now for now in times if counter.is_due(now)] == due


def test_counts_seconds_from_the_first_question():
    """A loop that nobody announces does not begin with an action."""
    counter = SecondsCounter(10)

    assert [counter.is_due(now) for now in (1000, 1009, 1010)] == [
        False,
        False,
        True,
    ]


def test_begins_to_count_seconds_anew():
    """The time between two fits does not count."""
    counter = SecondsCounter(10)
    counter.begin(0)
    counter.begin(100)

    assert [counter.is_due(now) for now in (105, 110)] == [False, True]
