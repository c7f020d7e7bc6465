"""Events that are written while training goes on."""

import copy
import gc
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import kerascb
from kerascb.checkpoint.writer import BackgroundWriter
from kerascb.events import Journal, Runs
from tests.events.reading import read

PATIENCE_S = 20
"""How long a test waits for another thread before it fails."""


class Spy:
    """A run's writer that notes what it is told."""

    def __init__(self, directory=""):
        self.told = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def points(self, points):
        self.told += [(point.step, dict(point.values)) for point in points]

    def scalars(self, step, values, wall_s=None):
        self.told.append((step, dict(values)))

    def flush(self):
        assert self.may_go_on.wait(PATIENCE_S)
        self.told.append("flush")

    def close(self):
        self.told.append("close")

    def discard(self):
        self.told.append("discard")


class Idle:
    """A thread that has not come to its work yet."""

    def __init__(self, name, max_waiting):
        self.jobs = []

    def submit(self, job):
        self.jobs.append(job)

    def join(self, timeout_s=None):
        while self.jobs:
            self.jobs.pop(0)()
        return True


@pytest.fixture
def spy():
    """The one writer there is."""
    return Spy()


@pytest.fixture
def make(spy):
    """Makes a journal over the spy."""

    def make_journal(root="logs", new_worker=BackgroundWriter, **named):
        runs = Runs(root, open_writer=lambda directory: spy)
        return Journal(runs, new_worker, **named)

    return make_journal


def of(value):
    """What reads one value."""
    return lambda: [value]


def note(step):
    """Writes a point at a step."""
    return lambda runs: runs["train"].scalars(step, {"a": step})


class TestPoints:
    def test_points_and_others_stand_in_the_order_they_came(self, make, spy):
        """Whichever thread writes them."""
        journal = make()
        for step in range(3):
            journal.point("train", 2 * step, ["a"], of(2 * step))
            journal.write(note(2 * step + 1))
        journal.close()

        steps = [one[0] for one in spy.told if one != "close"]
        assert steps == [0, 1, 2, 3, 4, 5]

    def test_no_value_is_read_by_the_thread_that_trains(self, make, spy):
        """Reading may wait for the device."""
        readers = []

        def read_it():
            readers.append(threading.current_thread())
            return [0.5]

        journal = make()
        for step in range(1000):
            journal.point("train", step, ["a"], read_it)
        in_time = len(readers)
        journal._desk.writer.join()

        assert threading.main_thread() not in readers
        assert in_time <= len(readers)
        assert len(readers) >= 700
        journal.close()

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (np.float32(0.5), {"a": 0.5}),
            (np.array([2.0]), {"a": 2.0}),
            (3, {"a": 3.0}),
            (np.eye(2), None),
            ("text", None),
            (None, None),
        ],
    )
    def test_what_is_no_single_number_is_left_out(
        self, make, spy, value, expected
    ):
        """A confusion matrix in the logs has no curve."""
        journal = make()
        journal.point("train", 1, ["a"], of(value))
        journal.flush()

        points = [one for one in spy.told if one != "flush"]
        assert points == ([(1, expected)] if expected else [])

    def test_few_points_wait_however_many_come(self, make):
        """Memory does not grow with the steps."""
        journal = make(new_worker=Idle)
        waiting = []
        for step in range(10_000):
            journal.point("train", step, ["a"], of(0.5))
            waiting.append(len(journal._desk.waiting))
            journal._desk.writer.join()

        assert max(waiting) < 256
        journal.close()

    def test_a_point_does_not_wait_long_for_others(self, make, spy):
        """Points of slow steps are handed over by time."""
        now_s = [1000.0]
        journal = make(new_worker=Idle, clock=lambda: now_s[0])
        journal.point("train", 1, ["a"], of(0.5))
        early = len(journal._desk.writer.jobs)
        now_s[0] += 6
        journal.point("train", 2, ["a"], of(0.5))

        assert (early, len(journal._desk.writer.jobs)) == (0, 1)
        journal.close()

    def test_a_point_has_the_time_at_which_it_came(self, tmp_path):
        """Not the one at which it was written."""
        journal = Journal(
            Runs(str(tmp_path)), BackgroundWriter, clock=lambda: 1234.5
        )
        journal.point("train", 1, ["a"], of(0.5))
        journal.close()

        accumulator = read(tmp_path / "train").accumulator
        assert [one.wall_time for one in accumulator.Tensors("a")] == [1234.5]


class TestFlush:
    def test_local_files_have_everything_then(self, tmp_path):
        """What waited, and what a thread was writing."""
        journal = Journal(Runs(str(tmp_path)), BackgroundWriter)
        for step in range(300):
            journal.point("train", step, ["a"], of(0.5))
        journal.flush()

        assert len(read(tmp_path / "train").curve("a")) == 300
        journal.close()

    def test_what_takes_long_is_not_waited_for(self, make, spy):
        """A histogram of many weights does not hold training."""
        journal, is_worked_out = make(), threading.Event()

        def work_out(runs):
            assert is_worked_out.wait(PATIENCE_S)
            runs["train"].scalars(9, {"histogram": 1.0})

        journal.prepare(work_out)
        journal.write(note(1))
        journal.flush()
        at_flush = list(spy.told)
        is_worked_out.set()
        journal.settle()

        assert at_flush == [(1, {"a": 1}), "flush"]
        assert (9, {"histogram": 1.0}) in spy.told
        journal.close()

    def test_remote_files_are_not_waited_for(self, make, spy):
        """An upload takes as long as it takes."""
        spy.may_go_on.clear()
        journal = make("gs://bucket/logs")
        journal.write(note(1))
        journal.flush()
        at_flush = list(spy.told)
        spy.may_go_on.set()
        journal.close()

        assert "flush" not in at_flush
        assert spy.told == [(1, {"a": 1}), "flush", "close"]

    def test_uploads_that_wait_become_one(self, make, spy):
        """Each sends the whole file anew."""
        journal = make("gs://bucket/logs", Idle)
        for step in range(5):
            journal.write(note(step))
            journal.flush()
        journal.close()

        assert spy.told.count("flush") == 1
        assert [one[0] for one in spy.told[:5]] == [0, 1, 2, 3, 4]

    def test_nothing_new_is_flushed_once(self, make, spy):
        """Whoever asks again pays nothing."""
        journal = make()
        journal.write(note(1))
        journal.flush()
        journal.flush()

        assert spy.told.count("flush") == 1
        journal.close()


class TestFailures:
    @pytest.fixture
    def failed(self, make):
        """A journal whose thread could not write."""

        def fail(runs):
            raise OSError(28, "No space left on device")

        journal = make()
        journal.prepare(fail)
        journal._desk.join()
        return journal

    @pytest.mark.parametrize(
        "call",
        [
            lambda journal: journal.point("train", 1, ["a"], of(1.0)),
            lambda journal: journal.write(note(1)),
            lambda journal: journal.prepare(note(1)),
            lambda journal: journal.flush(),
            lambda journal: journal.settle(),
            lambda journal: journal.close(),
        ],
        ids=["point", "write", "prepare", "flush", "settle", "close"],
    )
    def test_the_next_call_raises_what_went_wrong(self, failed, call):
        """The thread that trains learns it, and learns it once."""
        with pytest.raises(OSError, match="No space left"):
            call(failed)
        failed.close()

    def test_what_comes_after_a_failure_is_written(self, make, spy):
        """One bad event takes no other along."""
        journal = make()
        journal.write(lambda runs: 1 / 0)
        journal.write(note(1))
        with pytest.raises(ZeroDivisionError):
            journal.flush()

        assert spy.told == [(1, {"a": 1}), "flush"]
        journal.close()

    def test_files_are_closed_before_a_failure_is_raised(self, failed, spy):
        """Nothing stays open."""
        _ = failed.runs["train"]
        with pytest.raises(OSError, match="No space left"):
            failed.close()

        assert spy.told[-1] == "close"

    def test_one_that_nobody_waits_for_is_logged(self, make, caplog):
        """The callback is gone by then."""
        journal = make()
        journal.write(lambda runs: 1 / 0)
        del journal
        gc.collect()

        assert "could not be written" in caplog.text


class TestLifetime:
    def test_nothing_is_lost_when_nobody_closes(self, tmp_path):
        """A collected journal has written everything."""
        journal = Journal(Runs(str(tmp_path)), BackgroundWriter)
        journal.point("train", 1, ["a"], of(0.5))
        del journal
        gc.collect()

        assert read(tmp_path / "train").curve("a") == {1: 0.5}

    def test_nothing_is_lost_when_python_ends(self, tmp_path):
        """Points that wait then are written, and files closed after them."""
        program = (
            "from kerascb.checkpoint.writer import BackgroundWriter\n"
            "from kerascb.events import Journal, Runs, require_tensorboard\n"
            "require_tensorboard('This test')\n"
            f"kept = Journal(Runs({str(tmp_path)!r}), BackgroundWriter)\n"
            "for step in range(600):\n"
            "    kept.point('train', step, ['a'], lambda: [0.5])\n"
        )
        root = str(Path(kerascb.__file__).parents[1])
        subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            check=True,
            env={**os.environ, "PYTHONPATH": root},
        )

        assert len(read(tmp_path / "train").curve("a")) == 600

    def test_files_stay_where_they_were_begun(self, tmp_path, monkeypatch):
        """A script may change its folder before another thread writes."""
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        monkeypatch.chdir(tmp_path / "a")
        journal = Journal(Runs("logs"), BackgroundWriter)
        journal.write(note(1))
        journal.flush()
        monkeypatch.chdir(tmp_path / "b")
        journal.write(note(2))
        journal.close()

        assert read(tmp_path / "a/logs/train").curve("a") == {1: 1.0, 2: 2.0}
        assert not list((tmp_path / "b").iterdir())

    @pytest.mark.parametrize(
        "clone",
        [copy.deepcopy, lambda journal: pickle.loads(pickle.dumps(journal))],
        ids=["deepcopy", "pickle"],
    )
    def test_a_copy_begins_with_nothing_waiting(self, tmp_path, clone):
        """No point is written twice."""
        journal = Journal(Runs(str(tmp_path)), BackgroundWriter)
        journal.point("train", 1, ["a"], of(0.5))
        twin = clone(journal)
        twin.close()
        journal.close()

        assert len(read(tmp_path / "train").series("a")) == 1

    def test_what_waits_can_be_taken_back(self, make, spy):
        """A resumed fit goes on in other files."""
        journal = make()
        journal.write(note(1))
        journal.flush()
        journal.write(note(2))
        journal.discard()

        assert spy.told == [(1, {"a": 1}), "flush", "discard"]
