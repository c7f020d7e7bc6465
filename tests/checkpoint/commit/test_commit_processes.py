"""Two processes that save to one path: the last one wins, none is torn."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kerascb.checkpoint.commit import Kind
from tests.checkpoint.commit.scene import Scene

SCRIPT = Path(__file__).parents[2] / "scripts" / "save_again_and_again.py"
TAGS = ("one", "two")


@pytest.fixture(params=[40, pytest.param(500, marks=pytest.mark.soak)])
def count(request):
    """How often each of them saves."""
    return request.param


@pytest.fixture
def savers(count):
    """Starts the two on a scene."""
    running = []

    def start(scene):
        for tag in TAGS:
            command = [sys.executable, SCRIPT, scene.kind.value, scene.folder]
            running.append(
                subprocess.Popen(
                    [*command, tag, str(count)], stdout=subprocess.PIPE
                )
            )
        return running

    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.value)
def test_pain_two_runs_in_one_folder(savers, kind, tmp_path):
    """Whoever looks at any instant finds the one or the other, complete."""
    scene = Scene(kind, str(tmp_path))
    scene.save("one")
    running = savers(scene)

    looks = []
    while any(process.poll() is None for process in running):
        looks.append(_look(scene))

    assert [process.stdout.read() for process in running] == [b"saved\n"] * 2
    assert set(looks) <= {*TAGS, "changed meanwhile"}
    assert scene.read(TAGS) in TAGS
    assert (
        sorted(os.listdir(tmp_path))
        == {
            Kind.FILE: ["m"],
            Kind.PREFIX: ["m.data-00000-of-00001", "m.index"],
            Kind.DIRECTORY: ["m"],
        }[kind]
    )


def _look(scene):
    """What is there; several files cannot be read at one instant."""
    before = _identity(scene)
    with contextlib.suppress(OSError):
        found = scene.read(TAGS)
        if _identity(scene) == before:
            return found
    return "changed meanwhile"


def _identity(scene):
    """Tells what is visible from what comes next; it is always there."""
    end = ".index" if scene.kind is Kind.PREFIX else ""
    status = os.stat(scene.path + end)
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns
