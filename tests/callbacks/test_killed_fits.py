"""A fit that is killed and started again ends as if it had not been."""

import contextlib
import csv
import importlib.util
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.scripts import fit_and_finish

SCRIPT = Path(fit_and_finish.__file__)
ROOT = SCRIPT.parents[2]
TIMEOUT_S = 120
CHANCE = np.random.default_rng()

CASES = [
    ("arrays", 1),
    ("arrays", 5),
    ("dataset", 1),
    ("dataset", 5),
    ("arrays", "epoch"),
    ("shuffled", "epoch"),
]

pytestmark = [
    pytest.mark.fit,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(
        not hasattr(os, "fork"), reason="needs processes that are forked"
    ),
]


class Trainer:
    """A process that has one child after the other fit a model."""

    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
        )
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(TIMEOUT_S)
        self._process.stdout.close()

    def fit(self, job, killed_after_s=TIMEOUT_S):
        """Does a job, and kills it if it is not done in time."""
        print(json.dumps(job), file=self._process.stdin, flush=True)
        child = int(self._process.stdout.readline())
        stdout = self._process.stdout
        is_done, _, _ = select.select([stdout], [], [], killed_after_s)
        if not is_done:
            with contextlib.suppress(ProcessLookupError):  # just done
                os.kill(child, signal.SIGKILL)
        status = int(stdout.readline())
        assert status in (0, signal.SIGKILL)
        return status == 0


@pytest.fixture(scope="module")
def trainer():
    """Started once: its imports take longer than the fits."""
    with Trainer() as trainer:
        yield trainer


def _new_job(folder, source, save_freq):
    if source == "dataset" and not importlib.util.find_spec("tensorflow"):
        pytest.skip("needs tf.data")
    folder.mkdir()
    return {
        "folder": str(folder),
        "source": source,
        "save_freq": save_freq,
        "order": int(CHANCE.integers(1000)),
        "whose": "kerascb",
    }


def _result_of(job):
    with np.load(Path(job["folder"]) / "result.npz") as result:
        return {name: result[name] for name in result.files}


def _log_of(job):
    """The rows; which columns there are depends on the order of callbacks."""
    with open(Path(job["folder"]) / "log.csv", newline="") as file:
        return [
            {name: row[name] for name in ("epoch", "loss", "val_loss")}
            for row in csv.DictReader(file)
        ]


def _differing(result, other):
    return [
        name
        for name in sorted({*result, *other})
        if name not in result
        or name not in other
        or not np.array_equal(
            result[name], other[name], equal_nan=result[name].dtype.kind == "f"
        )
    ]


def _kill_until(trainer, tmp_path, source, save_freq, kills):
    """Kills fits at random until enough; each must end as one that was not."""
    whole = _new_job(tmp_path / "whole", source, save_freq)
    trainer.fit(whole)  # the first one warms up
    start = time.monotonic()
    assert trainer.fit(whole)
    duration_s = time.monotonic() - start
    log = _log_of(whole)
    killed = runs = 0
    while killed < kills:
        job = _new_job(tmp_path / f"run{runs}", source, save_freq)
        runs += 1
        while not trainer.fit(job, CHANCE.uniform(0, 1.3 * duration_s)):
            killed += 1
        assert _differing(_result_of(whole), _result_of(job)) == []
        assert _log_of(job) == log


@pytest.mark.parametrize(("source", "save_freq"), [CASES[0], CASES[5]])
def test_pain_a_killed_fit_ends_like_one_that_was_not(
    trainer, tmp_path, source, save_freq
):
    """Weights, optimizer, metrics, History and log, to the bit."""
    _kill_until(trainer, tmp_path, source, save_freq, kills=2)


@pytest.mark.soak
@pytest.mark.parametrize(("source", "save_freq"), CASES)
def test_killed_at_forty_instants(trainer, tmp_path, source, save_freq):
    """In epochs, in validation, in backups and while restoring one."""
    _kill_until(trainer, tmp_path, source, save_freq, kills=40)
