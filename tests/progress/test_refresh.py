"""When a bar is drawn, and how seldom the clock is looked at."""

import itertools

import pytest

from kerascb.progress import Refresh


def play(refresh, step_s, steps):
    """Steps of equal length; returns when it was looked, and drawn."""
    looked, drawn = [], []
    for seen in range(1, steps + 1):
        if seen >= refresh.next_look:
            looked.append(seen)
            if refresh.is_due(seen, now=seen * step_s):
                drawn.append(seen)
    return looked, drawn


class TestDrawing:
    def test_first_step_is_drawn(self):
        """Something is seen as soon as there is something."""
        assert Refresh(1.0).is_due(1, now=0.0)

    def test_first_line_waits_where_it_is_told_when_it_began(self):
        """A line every ten minutes is not one at the first step."""
        refresh = Refresh(600, drawn_at=1000.0)

        assert not refresh.is_due(1, now=1001.0)
        assert refresh.is_due(2, now=1600.0)

    def test_slow_steps_are_all_drawn(self):
        """Those that last longer than the interval."""
        _, drawn = play(Refresh(0.05), step_s=0.1, steps=50)

        assert drawn == list(range(1, 51))

    def test_interval_of_zero_draws_every_step(self):
        """However fast, also where the clock has not moved."""
        _, drawn = play(Refresh(0), step_s=0.0, steps=50)

        assert drawn == list(range(1, 51))

    @pytest.mark.parametrize("step_s", [1e-6, 1e-5, 1e-4, 1e-3, 1e-2])
    def test_fast_steps_are_drawn_by_time(self, step_s):
        """As often as the interval has room, within a few steps."""
        steps = int(2 / step_s) if step_s > 1e-5 else 50_000
        _, drawn = play(Refresh(0.25), step_s=step_s, steps=steps)

        gaps = [(b - a) * step_s for a, b in itertools.pairwise(drawn)]
        assert all(0.25 <= gap + 1e-9 <= 0.25 + 1.01 * step_s for gap in gaps)


class TestSlowTerminals:
    @pytest.mark.parametrize(
        ("took_s", "pause_s"),
        [(0.0, 0.05), (0.00001, 0.05), (0.0002, 0.2), (0.1, 0.5), (9.0, 0.5)],
    )
    def test_drawing_takes_a_thousandth_of_the_time(self, took_s, pause_s):
        """Or the next one waits for half a second, and no longer."""
        refresh = Refresh(0.05)
        refresh.is_due(1, now=1.0)
        refresh.drawn(now=1.0 + took_s)

        assert not refresh.is_due(2, now=1.0 + pause_s * 0.99)
        assert refresh.is_due(3, now=1.0 + pause_s * 1.01)

    def test_who_wants_to_see_every_step_does(self):
        """Whatever it costs."""
        refresh = Refresh(0)
        refresh.is_due(1, now=1.0)
        refresh.drawn(now=2.0)

        assert refresh.is_due(2, now=2.0)


class TestLooking:
    def test_fast_steps_look_seldom(self):
        """One look in 64 steps costs nothing."""
        looked, _ = play(Refresh(0.05), step_s=1e-6, steps=6400)

        assert len(looked) <= 108

    def test_steady_steps_are_looked_at_when_the_drawing_is_due(self):
        """A look or two for each drawing."""
        looked, drawn = play(Refresh(0.05), step_s=0.001, steps=5000)

        assert len(looked) <= 2.2 * len(drawn)

    def test_a_few_fast_steps_prove_little(self):
        """Prefetched ones are followed by slow ones."""
        refresh = Refresh(1.0)
        play(refresh, step_s=1e-6, steps=10)

        assert refresh.next_look <= 20

    def test_steps_that_become_slow_are_each_looked_at(self):
        """After at most 64 that were not."""
        refresh = Refresh(0.05)
        play(refresh, step_s=1e-6, steps=1000)
        late = refresh.next_look
        refresh.is_due(late, now=1.0)

        assert late <= 1064
        assert refresh.next_look == late + 1

    def test_clock_that_stands_still(self):
        """No division by the time that has not passed."""
        refresh = Refresh(0.05)
        refresh.is_due(1, now=1.0)
        refresh.is_due(2, now=1.0)

        assert refresh.next_look == 4

    def test_same_step_twice(self):
        """Hooks that threads call in another order do no harm."""
        refresh = Refresh(0.05)
        refresh.is_due(5, now=1.0)
        refresh.is_due(4, now=1.01)

        assert refresh.next_look == 6
