"""How long a step takes."""

import pytest

from kerascb.progress import Stopwatch


@pytest.mark.parametrize(
    ("looks", "step_s"),
    [
        ([(0, 1.0)], 0.0),
        ([(1, 5.0)], 5.0),
        ([(10, 5.0)], 0.5),
        ([(1, 5.0), (11, 6.0)], 0.1),
        ([(10, 5.0), (20, 6.0)], 0.1),
        ([(0, 1.0), (1, 5.0), (11, 6.0)], 0.1),
        ([(1, 5.0), (1, 6.0)], 6.0),
    ],
)
def test_first_steps_are_left_out_once_there_are_others(looks, step_s):
    """They trace and compile, and say nothing of what is to come."""
    watch = Stopwatch(now=0.0)

    told = [watch.step_s(seen, now) for seen, now in looks]

    assert told[-1] == pytest.approx(step_s)


def test_elapsed_counts_from_the_beginning():
    """Also what the first step took."""
    assert Stopwatch(now=10.0).elapsed_s(now=12.5) == 2.5
