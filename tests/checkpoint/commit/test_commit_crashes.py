"""Every call of a save fails, or is the last: old or new, never a mixture."""

import contextlib
import errno
import itertools
import os
import tempfile
from pathlib import Path

import pytest

from kerascb.checkpoint.commit import Kind, clean_leftovers, is_staged
from kerascb.checkpoint.files import local, staged_names
from kerascb.checkpoint.files.filesystem import LocalFileSystem
from tests.checkpoint.commit.crashing import (
    CrashingFileSystem,
    Died,
    PowerCutFileSystem,
)
from tests.checkpoint.commit.scene import Scene


@pytest.fixture
def root():
    """A folder in memory, where there is one: thousands of saves are synced."""
    memory = "/dev/shm"  # noqa: S108 - a folder of its own is made there
    where = memory if os.path.isdir(memory) else None
    with tempfile.TemporaryDirectory(dir=where) as folder:
        yield Path(folder)


@pytest.fixture(params=Kind, ids=lambda kind: kind.value)
def kind(request):
    """What the path of the checkpoint is."""
    return request.param


@pytest.fixture(params=[False, True], ids=["fresh", "overwriting"])
def scenes(request, kind, root):
    """Makes scenes, equal and apart; in half of them an old one is there."""

    def make():
        for number in itertools.count(1):
            scene = Scene(kind, str(root / str(number)))
            if request.param:
                scene.save("old")
                scene.leave_notes()
            yield number, scene

    make.expected = {"old", "new"} if request.param else {None, "new"}
    return make


@pytest.fixture
def next_start(monkeypatch):
    """Cleans up as the next process would."""

    def clean(scene):
        with monkeypatch.context() as patch:
            patch.setattr(staged_names, "_run", lambda pid: "0" * 8)
            clean_leftovers(LocalFileSystem(), scene.folder)

    return clean


def _staged(scene):
    return list(filter(is_staged, scene.files.names(scene.folder)))


def test_pain_a_call_that_fails(scenes):
    """The old or the new one is there, and nothing unfinished besides it."""
    found, left = set(), []
    for number, scene in scenes():
        files = CrashingFileSystem(number)
        with contextlib.suppress(OSError):
            scene.save("new", files)
        found.add(scene.read())
        if not files.has_crashed:
            break
        if files.calls[number - 1] != "remove":
            left += _staged(scene)

    assert found == scenes.expected
    assert left == []


def test_pain_ctrl_c(scenes):
    """It may hit anything; the old or the new one is there, and is whole."""
    found, left = set(), []
    for number, scene in scenes():
        before = scene.files.names(scene.folder)
        files = CrashingFileSystem(number, "interrupt")
        with contextlib.suppress(KeyboardInterrupt):
            scene.save("new", files)
        files.close_all()
        found.add(scene.read())
        if not files.has_crashed:
            break
        left += _staged(scene)
        if scene.read() != "new":
            left += set(scene.files.names(scene.folder)).difference(before)

    assert found == scenes.expected
    assert left == []


@pytest.mark.parametrize("how", ["die before", "die after"])
def test_pain_the_process_dies(scenes, next_start, how):
    """A reader finds the old or the new; the next start tidies up."""
    found, left = set(), []
    for number, scene in scenes():
        files = CrashingFileSystem(number, how)
        with contextlib.suppress(Died):
            scene.save("new", files)
        files.close_all()
        found.add(scene.read())
        if not files.has_crashed:
            break
        next_start(scene)
        found.add(scene.read())
        left += _staged(scene)

    assert found == scenes.expected
    assert left == []


@pytest.mark.parametrize("how", ["fail", "die before", "die after"])
def test_the_save_after(scenes, next_start, how):
    """It leaves what an undisturbed one would, whatever happened before."""
    found, names = set(), set()
    for number, scene in scenes():
        files = CrashingFileSystem(number, how)
        with contextlib.suppress(Died, OSError):
            scene.save("new", files)
        files.close_all()
        next_start(scene)
        scene.save("newest")
        found.add(scene.read())
        names.add(tuple(sorted(os.listdir(scene.folder))))
        if not files.has_crashed:
            break

    assert found == {"newest"}
    assert len(names) == 1


@pytest.mark.parametrize("lost", ["none", "all", "all but last"])
def test_pain_a_power_cut(scenes, root, lost):
    """Whatever the disk was not told to keep, nothing is mixed."""
    found = set()
    for number, scene in scenes():
        files = PowerCutFileSystem(number, root / f"trash-{number}")
        with contextlib.suppress(Died):
            scene.save("new", files)
        files.close_all()
        files.cut(scene.folder, lost)
        found.add(scene.read())
        if not files.has_crashed:
            break

    assert scene.read() == "new"
    assert found == scenes.expected


@pytest.mark.fit
@pytest.mark.parametrize("how", ["die before", "die after"])
def test_tensorflow_reads_what_a_dead_process_left(root, tensorflow, how):
    """At every instant TensorFlow finds the old or the new checkpoint."""
    found = set()
    for number in itertools.count(1):
        scene = Scene(Kind.PREFIX, str(root / str(number)))
        scene.save("old")
        files = CrashingFileSystem(number, how)
        with contextlib.suppress(Died):
            scene.save("new", files)
        files.close_all()
        step = tensorflow.train.load_checkpoint(scene.path).get_tensor("step")
        found.add(int(step).to_bytes(8, "little").decode().strip())
        if not files.has_crashed:
            break

    assert found == {"old", "new"}


@pytest.fixture
def no_exchange(monkeypatch):
    """The system cannot exchange names."""

    def refuse(one, other):
        raise OSError(errno.ENOSYS, "no such call")

    monkeypatch.setattr(local, "exchange", refuse)


@pytest.mark.usefixtures("no_exchange")
def test_pain_ctrl_c_between_two_renames(root):
    """The old one is put back at once, not by the next process."""
    found = set()
    for number in itertools.count(1):
        scene = Scene(Kind.DIRECTORY, str(root / str(number)))
        scene.save("old")
        scene.leave_notes()
        files = CrashingFileSystem(number, "interrupt")
        with contextlib.suppress(KeyboardInterrupt):
            scene.save("new", files)
        files.close_all()
        found.add(scene.read())
        if not files.has_crashed:
            break

    assert found == {"old", "new"}


@pytest.mark.usefixtures("no_exchange")
@pytest.mark.parametrize("how", ["fail", "die before", "die after"])
def test_two_renames_instead_of_an_exchange(root, next_start, how):
    """Where names cannot be exchanged, the next start puts the old back."""
    found = set()
    for number in itertools.count(1):
        scene = Scene(Kind.DIRECTORY, str(root / str(number)))
        scene.save("old")
        scene.leave_notes()
        files = CrashingFileSystem(number, how)
        with contextlib.suppress(Died, OSError):
            scene.save("new", files)
        files.close_all()
        next_start(scene)
        found.add(scene.read())
        if not files.has_crashed:
            break

    assert found == {"old", "new"}
