"""Checks of values that have not arrived yet."""

import numpy as np
import pytest

from kerascb.callbacks._pending_checks import Check, PendingChecks, is_finite
from kerascb.runtime.reads import Arrived

NAN, INF = float("nan"), float("inf")


class Read:
    """A value that arrives when the test says so."""

    def __init__(self, value):
        self.value = value
        self.is_here = False
        self.was_awaited = False

    def is_ready(self):
        return self.is_here

    def result(self):
        self.was_awaited = not self.is_here
        return [self.value]


@pytest.fixture
def checks():
    """Fills checks with one value a batch; returns them and the reads."""

    def fill(*values, **options):
        found, reads = PendingChecks(**options), [Read(one) for one in values]
        for batch, read in enumerate(reads):
            found.add(Check(batch, ["loss"], read))
        return found, reads

    return fill


def test_nothing_is_awaited(checks):
    """What is not ready stays."""
    pending, reads = checks(0.5, NAN)

    assert pending.settle(waits=False) is None
    assert len(pending) == 2
    assert not any(read.was_awaited for read in reads)


def test_what_has_arrived_is_looked_at(checks):
    """And no more of it than that."""
    pending, reads = checks(0.5, 0.5, NAN)
    reads[0].is_here = True

    assert pending.settle(waits=False) is None
    assert len(pending) == 2


def test_a_finding_has_the_batch_of_its_value(checks):
    """Not that in which it was noticed."""
    pending, reads = checks(0.5, NAN, NAN, NAN)
    reads[0].is_here = reads[1].is_here = True
    finding = pending.settle(waits=False)

    assert (finding.batch, finding.name) == (1, "loss")
    assert np.isnan(finding.value)


def test_a_later_value_is_not_looked_at_before_an_earlier(checks):
    """Else it would be taken for the first."""
    pending, reads = checks(NAN, NAN)
    reads[1].is_here = True

    assert pending.settle(waits=False) is None


def test_what_follows_a_finding_is_forgotten(checks):
    """It is the same NaN, in a mean that stays so."""
    pending, _ = checks(NAN, NAN)
    pending.settle(waits=True)

    assert pending.settle(waits=True) is None


def test_waiting_looks_at_everything(checks):
    """The end of an epoch loses nothing."""
    pending, _ = checks(0.5, 0.5, INF)

    assert pending.settle(waits=True).batch == 2
    assert not pending


@pytest.mark.parametrize("in_step", [False, True])
def test_the_oldest_of_too_many_is_awaited(checks, in_step):
    """The host does not run ahead without end."""
    pending, reads = checks(*[0.5] * 10, in_step=in_step)
    pending.settle(waits=False)

    assert len(pending) == 8
    assert [read.was_awaited for read in reads[:3]] == [True, True, False]


def test_processes_in_step_do_not_ask_what_is_ready(checks):
    """It would be found at other steps on other machines."""
    pending, reads = checks(NAN, 0.5, in_step=True)
    reads[0].is_here = True

    assert pending.settle(waits=False) is None


def test_processes_in_step_look_at_once_at_numbers():
    """They are there on every machine."""
    pending = PendingChecks(in_step=True)
    pending.add(Check(4, ["loss"], Arrived([NAN])))

    assert pending.settle(waits=False).batch == 4


def test_of_several_values_the_first_is_found():
    """In the order in which they were named."""
    check = Check(0, ["loss", "mae", "auc"], Arrived([0.5, NAN, INF]))

    assert check.finding().name == "mae"


@pytest.mark.parametrize(
    ("are_finite", "name"),
    [
        ([False, True, True], "weights of a"),
        ([True, False, False], "weights of b and 1 more"),
    ],
)
def test_bad_weights_are_named(are_finite, name):
    """The first of them, and how many more there are."""
    check = Check(
        3, ["a", "b", "c"], Arrived([np.array(are_finite)]), is_of_weights=True
    )

    assert check.finding().name == name


def test_good_weights_are_no_finding():
    """Nothing is told."""
    check = Check(0, ["a"], Arrived([np.array([True])]), is_of_weights=True)

    assert check.finding() is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.5, True),
        (NAN, False),
        (np.float32(-INF), False),
        (np.array([1.0, NAN]), False),
        (np.array([[1.0, 2.0]]), True),
        (7, True),
        (10**400, True),
        ("strange", True),
        (None, True),
        (complex(0, INF), False),
    ],
)
def test_is_finite_of_anything(value, expected):
    """A train step may log what it likes."""
    assert is_finite(value) is expected
