"""Frozen values of variables that several devices keep."""

import os
import pathlib
import subprocess
import sys

import pytest

SCRIPT = "two_devices.py"


@pytest.fixture(scope="module")
def promises(runtime):
    """What a process with two devices printed: promise → whether it holds."""
    if runtime.backend not in {"tensorflow", "jax"}:
        pytest.skip("keeps variables on one device")
    root = pathlib.Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, root / "tests" / "scripts" / SCRIPT],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())


@pytest.mark.fit
@pytest.mark.parametrize(
    "promise",
    [
        pytest.param("as read", id="freezes what get_weights reads"),
        pytest.param("frozen", id="training leaves it alone"),
        pytest.param("thawed on all", id="comes back on every device"),
        pytest.param("restored on all", id="EarlyStopping restores all"),
    ],
)
def test_several_devices(promises, promise):
    """Replicas of `MirroredStrategy`; shards of `ModelParallel`."""
    assert promises[promise] == "True"
