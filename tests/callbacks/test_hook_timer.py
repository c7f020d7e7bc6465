"""The check whether a batch hook is slower than the batch."""

import itertools

import pytest

import kerascb
from kerascb.callbacks._hook_timer import HookTimer
from kerascb.testing import drive as drive_callbacks


def drive(timer, clock, *, batch_s, hook_s, begin=True):
    for batch in itertools.count():
        if begin:
            timer.call("on_train_batch_begin", batch, lambda: None)
        clock.advance(batch_s)
        timer.call("on_train_batch_end", batch, lambda: clock.advance(hook_s))
        if timer.is_done or batch > 40:
            return


def test_a_hook_slower_than_its_batch_is_told_once(clock):
    """The text is Keras 2's."""
    told = []
    drive(HookTimer(told.append), clock, batch_s=0.5, hook_s=1.0)

    assert told == [
        "Callback method `on_train_batch_end` is slow compared to the batch "
        "time (batch time: 0.5000s vs `on_train_batch_end` time: 1.0000s). "
        "Check your callbacks."
    ]


def test_a_hook_faster_than_its_batch_is_not(clock):
    """Nothing to tell."""
    told = []
    drive(HookTimer(told.append), clock, batch_s=1.0, hook_s=0.5)

    assert told == []


def test_end_hooks_without_begin_hooks_are_no_error(clock):
    """Stock fails with TypeError at the second batch."""
    timer = HookTimer(pytest.fail)
    drive(timer, clock, batch_s=1.0, hook_s=2.0, begin=False)

    assert timer.is_done


def test_the_list_tells_of_a_slow_end_hook(clock, keras2_only, warned):
    """Also if nobody listens to the beginning of a batch (tf#37876)."""

    class Slow(kerascb.Callback):
        def on_train_batch_end(self, batch, logs=None):
            clock.advance(1.0)

    drive_callbacks([Slow()], losses=[0.5] * 10)

    assert len(warned) == 1
    assert warned[0].startswith("Callback method `on_train_batch_end` is slow")
    assert warned[0].endswith(
        "Check your callbacks. `Slow` takes 100% of that."
    )
