"""A run is killed while it saves: what is visible is whole."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import kerascb
from tests.scripts import save_often

SCRIPT = Path(save_often.__file__)
ROOT = SCRIPT.parents[2]
TIMEOUT_S = 120
INSTANTS = np.random.default_rng()

CASES = [
    ("m-{epoch:06d}-{batch}.keras", "foreground"),
    ("last.keras", "background"),
    ("last.weights.h5", "foreground"),
    ("ckpt", "background"),
    ("ckpt-{epoch:06d}-{batch}", "foreground"),
    ("folder", "background"),
]

pytestmark = [
    pytest.mark.fit,
    pytest.mark.timeout(3600),
    pytest.mark.filterwarnings(
        "ignore:__array__ implementation doesn't accept:DeprecationWarning",
    ),
]


def _train_and_kill(folder, name, where, after_s):
    """Lets the script train, and kills it so long after its first save."""
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(folder), name, where],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    guard = threading.Timer(TIMEOUT_S, process.kill)
    guard.start()
    try:
        assert process.stdout.readline() == b"saving\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(after_s)
    finally:
        guard.cancel()
        process.kill()
        process.wait()
        process.stdout.close()


def _kill_and_look(folder, name, where, after_s):
    _train_and_kill(folder, name, where, after_s)
    records = kerascb.checkpoints(folder)

    assert records
    newest = records[-1]
    assert newest.has_checksums
    assert newest.verify() == []
    model = save_often.build()
    kerascb.load_weights(model, newest.path)


@pytest.mark.parametrize(("name", "where"), CASES[:3])
def test_killed_once(tmp_path, needs_format, name, where):
    """The newest visible checkpoint loads and is what was written."""
    needs_format(name, "ckpt" in name)

    _kill_and_look(tmp_path, name, where, INSTANTS.uniform(0, 0.2))


@pytest.mark.soak
@pytest.mark.parametrize(("name", "where"), CASES)
def test_killed_at_ten_instants(tmp_path, needs_format, name, where):
    """Sixty in all; each run finds what the one before has left."""
    needs_format(name, "ckpt" in name)

    for _ in range(10):
        _kill_and_look(tmp_path, name, where, INSTANTS.uniform(0, 1))
