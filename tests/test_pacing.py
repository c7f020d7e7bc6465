"""How often a run is backed up."""

import math
import re
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kerascb.errors import InvalidArgument
from kerascb.pacing import Pace, validate_overhead

OVERHEAD = 0.03


@dataclass(frozen=True)
class Load:
    """A run to simulate.

    Attributes:
        step_s: What a step takes.
        stall_s: How long taking a backup holds the training.
        copied_s: What the step after that takes longer.
        written_s: How long the writing takes, beside the steps.
        slowdown: The share of their speed that steps lose meanwhile.
        noise: The spread of the steps, relative.
        drift: By what steps become longer in the middle of the run.
        validation_s: What lies between two epochs.
        epoch: Steps in an epoch.
        first_s: What the first step takes longer.
        is_told_of_epochs: Whether `begin` is called at each.
    """

    step_s: float
    stall_s: float = 0.01
    copied_s: float = 0.0
    written_s: float = 0.5
    slowdown: float = 0.0
    noise: float = 0.0
    drift: float = 1.0
    validation_s: float = 0.0
    epoch: int = 1_000_000
    first_s: float = 0.0
    is_told_of_epochs: bool = True

    @property
    def cost_s(self):
        """What a backup costs in truth."""
        return self.stall_s + self.copied_s + self.slowdown * self.written_s

    @property
    def longest_s(self):
        """How long a step may take, with a validation after it."""
        slowed_s = self.step_s * max(self.drift, 1) / (1 - self.slowdown)
        return slowed_s + self.validation_s


@dataclass
class Outcome:
    """What has become of a simulated run.

    Attributes:
        total_s: How long it took.
        taken: When each state was taken.
        complete: When each backup was complete.
        cost_s: What backups have cost in all.
    """

    total_s: float = 0.0
    taken: list = field(default_factory=list)
    complete: list = field(default_factory=list)
    cost_s: float = 0.0

    @property
    def losses(self):
        """The work that a kill loses right before each backup is complete."""
        known = [0.0, *self.taken]
        ends = [*self.complete, self.total_s]
        return [end - since for since, end in zip(known, ends, strict=False)]

    @property
    def gaps(self):
        """The times between two backups."""
        return np.diff([0.0, *self.taken, self.total_s])


def simulate(pace, load, steps, seed=0):
    """Trains for so many steps; a backup is taken whenever it is due."""
    generator = np.random.default_rng(seed)
    factors = np.exp(generator.normal(0, load.noise, steps)).tolist()
    now, left_s, extra_s, outcome = 0.0, 0.0, load.first_s, Outcome()
    pace.begin(now)
    for index, factor in enumerate(factors):
        drift = load.drift if index > steps / 2 else 1.0
        work_s = load.step_s * factor * drift + extra_s
        was_writing, extra_s = left_s > 0, 0.0
        slowed_s = min(left_s, work_s / (1 - load.slowdown))
        left_s -= slowed_s
        outcome.cost_s += slowed_s * load.slowdown
        took_s = work_s + slowed_s * load.slowdown
        if was_writing and left_s <= 0:
            outcome.complete.append(now + slowed_s)
            pace.written(load.written_s)
        now += took_s
        if pace.step(now, is_writing=left_s > 0):
            assert left_s <= 0
            outcome.taken.append(now)
            outcome.cost_s += load.stall_s + load.copied_s
            now += load.stall_s
            pace.saved(load.stall_s)
            left_s, extra_s = load.written_s, load.copied_s
        if index % load.epoch == load.epoch - 1:
            if 0 < left_s <= load.validation_s:
                outcome.complete.append(now + left_s)
                pace.written(load.written_s)
            left_s = max(left_s - load.validation_s, 0.0)
            now += load.validation_s
            if load.is_told_of_epochs:
                pace.begin(now)
    outcome.total_s = now
    return outcome


@st.composite
def loads(draw):
    """Runs of every kind: steps of 0.5 ms to 20 s, also after a drift."""
    fastest, slowest = np.log10(0.0005), np.log10(20)
    step_s = 10 ** draw(st.floats(fastest, slowest))
    possible = [one for one in (0.1, 1, 10) if 0.0005 <= one * step_s <= 20]
    written_s = 10 ** draw(st.floats(-2, 1.3))
    return Load(
        step_s,
        stall_s=10 ** draw(st.floats(-3, 0)),
        copied_s=written_s * draw(st.sampled_from([0, 0.1])),
        written_s=written_s,
        slowdown=draw(st.floats(0, 0.5)),
        noise=draw(st.sampled_from([0, 0.02, 0.1])),
        drift=draw(st.sampled_from([1, *possible])),
        validation_s=draw(st.sampled_from([0, 0.1, 5])),
        epoch=draw(st.integers(1, 10_000)),
        first_s=draw(st.sampled_from([0, 1, 15])),
        is_told_of_epochs=draw(st.booleans()),
    )


def steps_of(load):
    """As many as make a long run, where that is not too many to count."""
    mean_s = load.step_s * (1 + load.drift) / 2
    mean_s += load.validation_s / load.epoch
    return int(min(max(100 * load.cost_s / OVERHEAD, 1800) / mean_s, 100_000))


@settings(max_examples=60, deadline=None)
@given(loads(), st.integers(0, 2**32 - 1))
def test_backups_cost_what_they_may(load, seed):
    """The whole of a run stays within the budget, however it changes."""
    outcome = simulate(Pace(OVERHEAD), load, steps_of(load), seed)

    first_s = load.cost_s  # which is not known before
    assert outcome.cost_s <= OVERHEAD * 1.1 * outcome.total_s + first_s


@settings(max_examples=60, deadline=None)
@given(loads(), st.integers(0, 2**32 - 1))
def test_no_work_of_a_minute_is_lost_if_the_budget_allows(load, seed):
    """Whenever the process is killed, from the first step on."""
    longest_s = load.longest_s
    # What noise in few, long steps can make a backup seem to cost.
    doubt_s = 3 * load.noise * (longest_s + load.written_s / 2)
    seeming_s = min(load.written_s, doubt_s)
    # A first backup, which nothing was saved up for, and the next one.
    affordable_s = 2.2 * (load.cost_s + seeming_s) / OVERHEAD
    wait_s = max(affordable_s, 30) + load.written_s + longest_s
    assume(wait_s + load.stall_s + load.copied_s < 54)
    assume(load.first_s + 4 * longest_s < 60)
    outcome = simulate(Pace(OVERHEAD), load, steps_of(load), seed)

    assert max(outcome.losses) <= 60


@settings(max_examples=60, deadline=None)
@given(loads(), st.integers(0, 2**32 - 1))
def test_backups_never_cease(load, seed):
    """However dear they are, as many are taken as the budget pays for."""
    outcome = simulate(Pace(OVERHEAD), load, steps_of(load), seed)

    longest_s = load.longest_s
    dearest_s = load.stall_s + load.copied_s + load.written_s
    wait_s = 2.5 * dearest_s / OVERHEAD + load.written_s + 30
    slack_s = 3 * longest_s * (1 + 4 * load.noise)
    assert outcome.gaps.max() <= wait_s + slack_s + load.first_s


def test_a_cheap_backup_is_not_taken_all_the_time():
    """What is left of the budget is not spent: 30 s are short enough."""
    outcome = simulate(Pace(OVERHEAD), Load(0.1, written_s=0.1), 10_000)

    assert outcome.gaps[1:-1] == pytest.approx(30, abs=0.2)


def test_a_dear_backup_is_taken_as_rarely_as_the_budget_says():
    """Nine tenths of it are aimed at."""
    load = Load(0.1, stall_s=3.0, written_s=0.0)
    outcome = simulate(Pace(OVERHEAD), load, 20_000)

    assert outcome.gaps[3:-1] == pytest.approx(3.0 / OVERHEAD / 0.9, abs=4)


def test_slowed_steps_are_counted_as_a_cost():
    """The training thread is hardly held, yet each backup costs 2 s."""
    load = Load(0.1, stall_s=0.001, written_s=4.0, slowdown=0.5)
    outcome = simulate(Pace(OVERHEAD), load, 20_000)

    assert outcome.gaps[3:-1] == pytest.approx(2.0 / OVERHEAD / 0.9, abs=8)


def test_the_copy_in_the_next_step_is_counted_as_a_cost():
    """TensorFlow copies what was frozen when the next step writes."""
    load = Load(0.1, stall_s=0.001, copied_s=2.0, written_s=4.0)
    outcome = simulate(Pace(OVERHEAD), load, 20_000)

    assert outcome.gaps[3:-1] == pytest.approx(2.0 / OVERHEAD / 0.9, abs=8)


def intervals(pace, stalls, step_s=1.0, now=0.0):
    """The seconds between backups that hold training for so long each."""
    taken = [now]
    pace.begin(now)
    for stall_s in stalls:
        now += step_s
        while not pace.step(now, is_writing=False):
            now += step_s
        taken.append(now)
        pace.saved(stall_s, is_written=True)
        now += stall_s
    return np.diff(taken).tolist()


def test_the_interval_follows_a_run_that_changes():
    """Backups that become dearer are taken more rarely, and back again."""
    waits = intervals(Pace(OVERHEAD), [0.1] * 20 + [3] * 40 + [0.1] * 40)

    assert waits[10] == pytest.approx(31, abs=1)
    assert waits[50] == pytest.approx(3 / OVERHEAD / 0.9, abs=2)
    assert waits[-1] == pytest.approx(31, abs=1)


def test_what_was_saved_up_buys_one_backup():
    """After a cheap day a dear backup is followed by a long wait."""
    waits = intervals(Pace(OVERHEAD), [0.1] * 2000 + [30, 0.1])

    assert waits[-1] == pytest.approx(30 / OVERHEAD / 0.9, abs=10)


@pytest.mark.parametrize(
    ("step_s", "first"),
    [
        pytest.param(0.01, 10, id="short steps: not before ten seconds"),
        pytest.param(4, 16, id="not before the fourth step"),
        pytest.param(20, 40, id="long steps: after the second"),
    ],
)
def test_the_first_backup_waits_for_the_warm_up(step_s, first):
    """The first step traces, and a backup's cost is not known."""
    waits = intervals(Pace(OVERHEAD), [0.1], step_s)

    assert waits == [pytest.approx(first, abs=0.02)]


def test_none_is_due_while_one_is_written():
    """However long that takes."""
    pace = Pace(OVERHEAD)
    intervals(pace, [0.1] * 3)
    pace.saved(0.1)

    assert not any(pace.step(now, True) for now in range(200, 900))


def test_a_backup_that_fails_is_tried_again():
    """Nobody tells then that it was written."""
    pace = Pace(OVERHEAD)
    intervals(pace, [0.1] * 3)
    pace.saved(0.1)
    pace.step(101, is_writing=True)

    assert any(pace.step(now, False) for now in range(102, 150))


def test_it_stays_due_until_it_is_taken():
    """A state whose loss is NaN is not saved; the next one may be."""
    pace = Pace(OVERHEAD)
    pace.begin(0)
    answers = [pace.step(now, False) for now in range(1, 14)]

    assert answers == [False] * 9 + [True] * 4


def test_validation_is_no_part_of_a_step():
    """`begin` tells where it ends."""
    pace = Pace(OVERHEAD)
    pace.begin(0)
    for now in (1, 2, 3, 4):
        pace.step(now, False)
    pace.begin(100)
    pace.step(101, False)

    assert list(pace._alone) == [1, 1, 1, 1]


def test_an_epochs_end_is_no_step():
    """A backup may be due there, too."""
    pace = Pace(OVERHEAD)
    pace.begin(0)
    for now in (1, 2, 3, 4):
        pace.step(now, False)

    assert not pace.is_due(9, is_writing=False)
    assert pace.is_due(100, is_writing=False)
    assert list(pace._alone) == [1, 1, 1]


def test_a_backup_before_any_step_is_not_counted():
    """It is the fit's beginning that it holds up."""
    pace = Pace(OVERHEAD)
    pace.begin(0)
    pace.saved(5.0, is_written=True)

    assert intervals(pace, [0.1]) == [10]


def test_a_budget_that_is_too_small_is_told_once():
    """It wins over the minute; the user may want another one."""
    pace = Pace(OVERHEAD)
    intervals(pace, [3] * 9)
    warning = pace.pop_warning()
    intervals(pace, [3] * 9, now=2000)

    assert "overhead=0.03" in warning
    assert re.search(r"may lose 11\d s of work, not 60 s", warning)
    assert pace.pop_warning() is None


def test_a_budget_that_is_enough_is_not_spoken_of():
    """Nor is one backup that took long."""
    pace = Pace(OVERHEAD)
    intervals(pace, [0.1] * 9 + [30] + [0.1] * 9)

    assert pace.pop_warning() is None


@pytest.mark.parametrize("bad", [0, -0.1, 1.1, math.nan, True, "3%", None])
def test_refuses_a_share_that_is_none(bad):
    """The text tells what is one."""
    with pytest.raises(InvalidArgument, match=r"above 0 and at most 1"):
        validate_overhead(bad)


@pytest.mark.parametrize("bad", [0, -1, math.inf, math.nan])
def test_refuses_a_loss_that_cannot_be_kept(bad):
    """Work is done between any two backups."""
    with pytest.raises(InvalidArgument, match="max_lost_s"):
        Pace(OVERHEAD, bad)
