"""When a checkpoint is due."""

import pytest

from kerascb.callbacks._save_schedule import SaveSchedule


@pytest.fixture
def clock(monkeypatch):
    """The seconds that the clock tells, one after the other."""
    times = []
    monkeypatch.setattr("time.monotonic", lambda: times.pop(0))
    return times


def test_by_epochs_no_batch_is_named():
    """An epoch's end is no batch's."""
    schedule = SaveSchedule("epoch")

    assert not schedule.is_by_batch
    assert schedule.is_due_after_epoch()
    assert schedule.batch_to_name() is None


def test_by_batches_an_epoch_brings_only_what_was_deferred():
    """And that once."""
    schedule = SaveSchedule(2)
    due = [schedule.is_due_after_batch(index) for index in range(4)]
    schedule.defer(3)

    assert due == [False, True, False, True]
    assert schedule.is_due_after_epoch()
    assert schedule.batch_to_name() == 3
    assert not schedule.is_due_after_epoch()


def test_by_seconds_an_epoch_is_named_by_its_last_batch(clock):
    """There is a number for `{batch}` then, too."""
    clock += [0.0, 1.0, 9.0, 10.0]
    schedule = SaveSchedule("epoch", every_n_seconds=10)
    schedule.begin()
    due = [schedule.is_due_after_batch(index) for index in range(2)]

    assert due == [False, False]
    assert schedule.is_due_after_epoch()
    assert schedule.batch_to_name() == 1


def test_a_new_training_has_nothing_deferred():
    """What a fit that failed had left waiting is not saved by the next."""
    schedule = SaveSchedule(2)
    schedule.defer(1)

    schedule.begin()

    assert not schedule.is_due_after_epoch()
