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


# -- over a restart ---------------------------------------------------------


@pytest.mark.parametrize("killed_after", range(9))
def test_batches_are_counted_on(killed_after):
    """As if the process had not ended, wherever it did."""
    batches = [0, 1, 2, 0, 1, 2, 0, 1, 2]
    whole, killed = BatchCounter(4), BatchCounter(4)
    expected = [whole.is_due_after(index) for index in batches]
    answers = [killed.is_due_after(index) for index in batches[:killed_after]]
    resumed = BatchCounter(4)
    resumed.restore(killed.state())
    answers += [resumed.is_due_after(index) for index in batches[killed_after:]]

    assert answers == expected


def test_batches_that_come_again_are_counted_again():
    """An epoch that is trained from its beginning, since it has to be."""
    killed, resumed = BatchCounter(100), BatchCounter(100)
    killed.is_due_after(4)
    resumed.restore(killed.state())
    resumed.is_due_after(0)

    assert resumed.since_last == 6


def test_epochs_are_counted_on():
    """As if the process had not ended."""
    killed, resumed = EpochCounter(3), EpochCounter(3)
    killed.is_due()
    resumed.restore(killed.state())

    assert [resumed.is_due() for _ in range(3)] == [False, True, False]


def test_seconds_are_counted_on_by_another_clock():
    """A process begins with a clock of its own."""
    killed, resumed = SecondsCounter(10), SecondsCounter(10)
    killed.begin(1000)
    resumed.restore(killed.state(1007), now=3)

    assert [resumed.is_due(now) for now in (5.9, 6)] == [False, True]


def test_seconds_that_have_not_begun_begin_with_the_first_question():
    """There is nothing to go on from."""
    killed, resumed = SecondsCounter(10), SecondsCounter(10)
    resumed.restore(killed.state(7), now=3)

    assert resumed.since is None


@pytest.mark.parametrize("kind", [BatchCounter, EpochCounter])
def test_a_count_may_be_above_another_limit(kind):
    """The action is due at once, then."""
    killed, resumed = kind(100, since_last=50), kind(10)
    resumed.restore(killed.state())
    answer = (
        resumed.is_due() if kind is EpochCounter else resumed.is_due_after(0)
    )

    assert answer
    assert resumed.since_last == 0


@pytest.mark.parametrize(
    "restore",
    [
        lambda: BatchCounter(3).restore({}),
        lambda: EpochCounter(3).restore({}),
        lambda: SecondsCounter(3).restore({}, now=0),
    ],
    ids=["batches", "epochs", "seconds"],
)
def test_an_empty_state_is_a_beginning(restore):
    """Nothing is asked for that is not there."""
    assert restore() is None
