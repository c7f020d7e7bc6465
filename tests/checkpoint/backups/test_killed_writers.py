"""Processes that are killed while they back up."""

import os
import subprocess
import sys

import pytest

from kerascb.checkpoint.backups import BackupFolder

_BACKS_UP = """
import sys
import numpy as np
from kerascb.checkpoint.backups import BackupFolder, RunState
from kerascb.checkpoint.snapshot import Arena
from kerascb.runtime import FrozenArray, Position

folder = BackupFolder(sys.argv[1])
folder.acquire()
found = folder.read()
epoch = found.position.epoch if found else 0
arena = Arena()
print(epoch, flush=True)
while True:
    epoch += 1
    value = FrozenArray(np.full(100_000, epoch))
    folder.write(RunState(Position(epoch), {"w": value}), arena)
    print(epoch, flush=True)
"""


@pytest.mark.parametrize("kills", [3, pytest.param(40, marks=pytest.mark.soak)])
def test_pain_kill_9(tmp_path, kills):
    """The next one goes on, without a lock in its way, from the last backup."""
    path, done = str(tmp_path / "backup"), 0
    for kill in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", _BACKS_UP, path],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        began = int(process.stdout.readline())
        for _ in range(1 + kill % 7):
            told = int(process.stdout.readline())
        process.kill()
        rest, _ = process.communicate()
        assert began in {done, done + 1}
        done = int((rest.split() or [told])[-1])

    folder = BackupFolder(path)
    folder.acquire()
    state = folder.read()
    assert state.position.epoch in {done, done + 1}
    assert set(state.variables["w"].array()) == {state.position.epoch}
    folder.delete()
    assert not os.path.exists(path)
