"""One epoch, measured and shown."""

import pytest

from kerascb.progress import Meter, Refresh


class Kept:
    """A bar that keeps what it is shown."""

    def __init__(self):
        self.readings = []
        self.is_closed = False

    def show(self, reading):
        """Keeps it."""
        self.readings.append(reading)

    def close(self):
        """Notes it."""
        self.is_closed = True


class Clock:
    """A clock that a test sets, and that counts who looks."""

    def __init__(self):
        self.now = 0.0
        self.looks = 0

    def __call__(self):
        """Tells the time."""
        self.looks += 1
        return self.now


@pytest.fixture
def clock():
    """A clock at zero."""
    return Clock()


@pytest.fixture
def bar():
    """A bar that keeps what it is shown."""
    return Kept()


def test_reading_has_the_times(clock, bar):
    """Since the beginning, and of a step."""
    meter = Meter(10, bar, None, clock)
    clock.now = 5.0
    meter.show(10, (("a", 1.0),), is_last=True)

    (reading,) = bar.readings
    assert (reading.elapsed_s, reading.step_s) == (5.0, 0.5)
    assert reading.values == (("a", 1.0),)
    assert reading.is_last


def test_target_that_is_learned(clock, bar):
    """The last reading knows how long it was."""
    meter = Meter(None, bar, None, clock)
    meter.target = 7
    meter.show(7, (), is_last=True)

    assert bar.readings[0].target == 7


def test_without_refresh_nothing_is_ever_due(clock, bar):
    """No batch has to ask."""
    meter = Meter(10, bar, None, clock)

    assert meter.next_look == float("inf")
    assert not meter.is_due(1)


def test_clock_is_left_alone_between_looks(clock, bar):
    """A hundred fast batches look at it a few times."""
    meter = Meter(1000, bar, Refresh(60.0), clock)
    for batch in range(1000):
        clock.now += 1e-6
        if batch >= meter.next_look and meter.is_due(batch + 1):
            meter.show(batch + 1, ())

    assert clock.looks < 80
    assert len(bar.readings) == 1


def test_batches_beyond_the_last_are_looked_at(clock, bar):
    """None is passed over that would count beyond the target."""
    meter = Meter(10, bar, Refresh(60.0), clock)
    for seen in (1, 2, 3, 4):
        meter.is_due(seen)

    assert meter.next_look == 10


def test_silent(clock):
    """Without a bar nothing is measured."""
    meter = Meter(10, None, None, clock)
    looks = clock.looks
    meter.show(5, ())
    meter.close()

    assert clock.looks == looks


def test_closes_its_bar(clock, bar):
    """Also one that has not come to its end."""
    Meter(10, bar, None, clock).close()

    assert bar.is_closed
