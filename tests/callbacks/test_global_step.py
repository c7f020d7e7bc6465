"""Counting the steps of the whole training."""

import pytest

from kerascb.callbacks._global_step import GlobalStep, is_due


def count(step, *epochs, steps=None):
    """Ends the batches of some epochs; the value after each."""
    values = []
    for indices in epochs:
        for begin, end in indices:
            step.begin(begin)
            step.end(end, steps)
            values.append(step.value)
    return values


def test_batches_count_on_over_epochs():
    """Indices restart, steps do not."""
    epoch = [(0, 0), (1, 1)]

    assert count(GlobalStep(), epoch, epoch) == [1, 2, 3, 4]


def test_epochs_of_one_batch_are_told_apart():
    """The same index again is a new epoch."""
    assert count(GlobalStep(), [(0, 0)], [(0, 0)]) == [1, 2]


def test_an_execution_counts_all_its_batches():
    """The begin hook names its first, the end hook its last."""
    assert count(GlobalStep(), [(0, 3), (4, 7)]) == [4, 8]


def test_an_index_past_the_end_is_not_believed():
    """Keras 3 reports one where executions do not divide the epoch."""
    epoch = [(0, 3), (4, 7), (8, 11)]

    assert count(GlobalStep(), epoch, epoch, steps=10)[-4:] == [10, 14, 18, 20]


def test_a_resumed_epoch_may_begin_in_the_middle():
    """Only the batches that were trained are counted."""
    assert count(GlobalStep(7), [(3, 3), (4, 4)], [(0, 0)]) == [8, 9, 10]


def test_end_hooks_alone_count_too():
    """Hooks driven by hand need no begin."""
    step = GlobalStep()

    assert [step.end(0), step.end(1), step.end(0)] == [1, 1, 1]
    assert step.value == 3


@pytest.mark.parametrize(
    ("step", "since", "every", "expected"),
    [(3, 1, 3, True), (4, 1, 3, False), (8, 4, 6, True), (0, 0, 3, False)],
)
def test_a_multiple_among_the_latest_is_due(step, since, every, expected):
    """None is passed over by an execution of several."""
    assert is_due(step, since, every) is expected
