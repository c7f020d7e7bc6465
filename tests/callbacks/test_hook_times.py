"""How long hooks take: who took what, and who is to be told of."""

import copy
import pickle

import pytest

import kerascb
from kerascb.callbacks._hook_times import (
    CallbackTimes,
    HookTimes,
    slow_ones,
    table,
)
from kerascb.testing import drive


@pytest.fixture
def times():
    """What two callbacks took of four seconds."""
    return [
        CallbackTimes("Board", {"on_epoch_end": 1.5, "on_train_end": 0.5},
                      {"on_epoch_end": 3, "on_train_end": 1}),
        CallbackTimes("History", {"on_epoch_end": 0.25}, {"on_epoch_end": 3}),
    ]  # fmt: skip


def test_adds_up_calls_and_seconds(clock):
    """Of each hook of each callback."""
    times = HookTimes()
    callback = kerascb.Callback()
    timed = times.timed(callback, "on_epoch_end", clock.advance)
    timed(1.5)
    timed(0.5)
    [found] = times.all()

    assert (found.name, found.total_s) == ("Callback", 2.0)
    assert found.calls == {"on_epoch_end": 2}


def test_an_error_counts_and_goes_on(clock):
    """It is not the timing that handles it."""
    times = HookTimes()
    timed = times.timed(kerascb.Callback(), "on_epoch_end", lambda: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        timed()
    assert times.all()[0].calls == {"on_epoch_end": 1}


def test_two_of_a_kind_are_told_apart(clock):
    """By their order in the list."""
    times = HookTimes()
    pair = [kerascb.Callback(), kerascb.Callback()]
    times.timed(pair[0], "on_epoch_end", clock.advance)(1.0)
    times.timed(pair[1], "on_epoch_end", clock.advance)(2.0)

    assert [one.name for one in times.all()] == ["Callback (2)", "Callback"]


def test_names_who_takes_the_most_of_a_hook(clock):
    """With its share."""
    times = HookTimes()
    times.timed(kerascb.Callback(), "on_epoch_end", clock.advance)(1.0)
    times.timed(kerascb.History(), "on_epoch_end", clock.advance)(3.0)

    assert times.slowest("on_epoch_end") == ("History", 0.75)
    assert times.slowest("on_epoch_begin") is None


def test_the_table_has_a_line_a_callback(times):
    """Seconds, share, calls and the hook that took the most."""
    assert table(times, 4.0, "fit").splitlines() == [
        "The callbacks took 2.250 s of the fit's 4.000 s (56.2%).",
        "callback   seconds   share    calls  slowest hook",
        "Board        2.000   50.0%        4  on_epoch_end (1.500 s)",
        "History      0.250    6.2%        3  on_epoch_end (0.250 s)",
    ]


def test_a_table_of_nothing():
    """A fit that was over at once, without a callback."""
    assert table([], 0.0, "fit").splitlines()[0] == (
        "The callbacks took 0.000 s of the fit's 0.000 s (0.0%)."
    )


def test_tells_of_those_that_take_more_than_a_tenth(times):
    """By name, with the share."""
    assert slow_ones(times, 4.0, "fit") == [
        "Callback `Board` is slow compared to the fit: it took 50% of it "
        "(2.0000s of 4.0000s), most of that in `on_epoch_end`. Check your "
        "callbacks."
    ]


def test_profile_names_the_slow_callback(clock, warned, capsys):
    """Share and hook, in the channel of the Keras."""

    class Slow(kerascb.Callback):
        def on_train_batch_end(self, batch, logs=None):
            clock.advance(1.0)

    drive(
        kerascb.CallbackList([Slow(), kerascb.History()], profile=True),
        losses=[0.5] * 3,
    )

    assert "Slow         3.000  100.0%" in capsys.readouterr().out
    assert warned[-1].startswith("Callback `Slow` is slow compared to the fit")


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_a_list_with_a_profile_can_be_copied(duplicate):
    """What it measures stays behind."""
    callbacks = kerascb.CallbackList([kerascb.History()], profile=True)
    callbacks.on_train_begin()
    callbacks.on_train_batch_end(0, {"loss": 1.0})

    assert len(duplicate(callbacks).callbacks) == 1
