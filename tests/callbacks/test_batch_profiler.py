"""Profiling some batches of a fit."""

import contextlib
import copy
import logging

import pytest

from kerascb.callbacks._batch_profiler import BatchProfiler


class FakeProfiler:
    """Notes what it is told; raises in the methods it is told to."""

    def __init__(self, *broken):
        self.calls = []
        self._broken = broken

    def __getattr__(self, name):
        def note(*details):
            self.calls.append((name, *details))
            if name in self._broken:
                raise RuntimeError(f"{name} is broken")
            return contextlib.nullcontext()

        return note


def profile(batches, numbers, profiler=None, end=True):
    """Lets a profiler see batches with these numbers; what it was told."""
    profiler = profiler or FakeProfiler()
    range_ = BatchProfiler(*batches)
    range_.begin_fit(profiler, "profiles", "graphs")
    for number in numbers:
        range_.begin_batch(number)
        range_.end_batch(number)
    if end:
        range_.end_fit()
    return profiler.calls


def test_range_is_profiled_and_marked():
    """It starts before its first batch, and stops after its last."""
    assert profile((2, 3), range(1, 6)) == [
        ("warm_up",),
        ("start_graph",),
        ("start", "profiles"),
        ("annotate", 2),
        ("annotate", 3),
        ("stop_graph", "graphs", "batch_3", 3),
        ("stop",),
    ]


def test_a_range_that_is_not_reached_leaves_nothing():
    """Nothing is started, so nothing is written."""
    assert profile((9, 9), range(1, 6)) == [("warm_up",)]


def test_a_fit_that_ends_within_the_range_ends_the_profile():
    """The profile has what there was."""
    assert profile((2, 9), range(1, 4))[-1] == ("stop",)


def test_an_execution_that_jumps_over_the_first_batch_starts_late():
    """With several batches a step the next step is profiled."""
    assert ("annotate", 5) in profile((2, 8), (1, 5, 9))


@pytest.mark.parametrize(
    "broken",
    ["warm_up", "start", "annotate", "stop", "start_graph", "stop_graph"],
)
def test_profiler_cannot_end_a_fit(broken, caplog):
    """CUPTI and its like fail often; that is logged, and training goes on."""
    with caplog.at_level(logging.ERROR):
        profile((1, 2), range(1, 4), FakeProfiler(broken))

    assert f"{broken} is broken" in caplog.text


def test_what_did_not_start_is_not_stopped():
    """Somebody else's profile goes on."""
    calls = profile((1, 2), range(1, 4), FakeProfiler("start"))

    assert ("stop",) not in calls


def test_the_next_fit_stops_what_a_failed_one_left_running():
    """An exception in fit ends no profile; the next fit does."""
    profiler = FakeProfiler()
    range_ = BatchProfiler(1, 9)
    range_.begin_fit(profiler, "profiles", "graphs")
    range_.begin_batch(1)
    range_.begin_fit(profiler, "profiles", "graphs")

    assert profiler.calls[-2:] == [("stop",), ("warm_up",)]


def test_a_copy_does_not_stop_the_original():
    """A running profile belongs to the one that started it."""
    profiler = FakeProfiler()
    range_ = BatchProfiler(1, 9)
    range_.begin_fit(profiler, "profiles", "graphs")
    range_.begin_batch(1)
    copy.deepcopy(range_).end_fit()

    assert ("stop",) not in profiler.calls
