"""Checkpoints far away: uploaded, compared, then renamed."""

import contextlib
import itertools
import os
import uuid

import pytest

from kerascb.checkpoint.commit import Kind, clean_leftovers, is_staged
from kerascb.checkpoint.files import staged_names
from kerascb.checkpoint.files.filesystem import filesystem_of
from kerascb.errors import SaveFailed, UnwritablePath
from kerascb.layouts.tensor_bundle import data_suffix
from tests.checkpoint.commit.crashing import CrashingRemote, Died
from tests.checkpoint.commit.scene import Scene

NAMES = {
    Kind.FILE: ["m"],
    Kind.PREFIX: ["m.data-00000-of-00001", "m.index"],
    Kind.DIRECTORY: ["m"],
}


@pytest.fixture(params=["memory", "file", "ram"])
def root(request, tmp_path):
    """A folder far away, of which nothing is left when the test is over."""
    if request.param == "ram":
        request.getfixturevalue("tensorflow")
    name = uuid.uuid4().hex
    path = {"file": f"{tmp_path}/{name}"}.get(request.param, name)
    root = f"{request.param}://{path}"
    yield root
    filesystem_of(root).remove(root)


@pytest.fixture(params=Kind, ids=lambda kind: kind.value)
def scene(request, root):
    """A checkpoint there, that can be written and read."""
    return Scene(request.param, f"{root}/runs", filesystem_of(root))


def _broken(scene, name, value):
    """The file system of a scene, one of whose answers is wrong."""
    files = filesystem_of(scene.folder)
    setattr(files, name, lambda *_: value)
    return files


@pytest.fixture(autouse=True)
def _nothing_is_left_here(monkeypatch, tmp_path):
    """What is prepared on this machine is removed."""
    here = tmp_path / "prepared"
    here.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(here))
    yield
    assert os.listdir(here) == []


def test_the_first_one(scene):
    """Folders on the way are made; nothing else is there."""
    scene.save("new", verify=True)

    assert scene.read() == "new"
    assert scene.files.names(scene.folder) == NAMES[scene.kind]


def test_a_second_one(scene):
    """It takes the place of the first; what the user keeps there stays."""
    scene.save("old")
    scene.leave_notes()

    written = scene.save("new", verify=True)

    assert scene.read() == "new"
    assert len(written) == len(scene.content("new"))


def test_a_third_one(scene):
    """Nothing is left of those before."""
    for tag in ("old", "new", "newest"):
        scene.save(tag)

    assert scene.read() == "newest"
    assert scene.files.names(scene.folder) == NAMES[scene.kind]


@pytest.mark.parametrize("saves", [1, 2, 3])
def test_the_names_of_data_files(root, saves):
    """What is told and shown before is what will stand there."""
    scene = Scene(Kind.PREFIX, root, filesystem_of(root))
    told = []
    for _ in range(saves):
        told = scene.save("new", before_visible=told.append)
        told = list(told)

    names = [data_suffix(0, 1 + (saves + 1) % 2), ".index"]
    assert [file.name for file in told] == names
    assert scene.files.names(root) == [f"m{name}" for name in names]


def test_stale_files_of_a_directory(root):
    """What an earlier save left there goes, the user's stays."""
    files = filesystem_of(root)
    scene = Scene(Kind.DIRECTORY, root, files)
    scene.save("old")
    files.make_folder(f"{root}/m/runs")
    for name in ("keras_metadata.pb", "variables/stale", "runs/events"):
        files.append(f"{root}/m/{name}", b"")

    scene.save("new")

    assert files.names(f"{root}/m") == ["runs", "saved_model.pb", "variables"]
    assert files.names(f"{root}/m/variables") == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "value", "verify"),
    [("size", 1, False), ("checksum", 1, False), ("read", iter([b"x"]), True)],
)
def test_pain_what_arrives_is_something_else(root, name, value, verify):
    """It is noticed before it is to be seen."""
    scene = Scene(Kind.FILE, root, filesystem_of(root))
    scene.save("old")

    with pytest.raises(SaveFailed, match="arrived differently"):
        scene.save("new", _broken(scene, name, value), verify=verify)

    assert scene.read() == "old"
    assert scene.files.names(root) == ["m"]


def test_pain_something_in_the_way(root):
    """It is named before anything is written."""
    scene = Scene(Kind.FILE, root, filesystem_of(root))
    scene.files.make_folder(scene.path)
    scene.files.append(f"{scene.path}/file", b"")

    with pytest.raises(UnwritablePath, match="a folder has that name"):
        scene.save("new")


def test_a_bucket_itself(root):
    """A path without a folder needs none to be made."""
    del root
    path = f"memory://{uuid.uuid4().hex}"
    scene = Scene(Kind.FILE, path, filesystem_of(path))
    scene.__class__ = type("Shallow", (Scene,), {"path": path})

    scene.save("new")

    assert scene.read() == "new"
    scene.files.remove(path)


@pytest.mark.parametrize("how", ["fail", "die before", "die after"])
@pytest.mark.parametrize(
    ("kind", "has_old"),
    [
        (Kind.FILE, True),
        (Kind.FILE, False),
        (Kind.PREFIX, True),
        (Kind.PREFIX, False),
    ],
)
def test_pain_a_call_that_fails_or_is_the_last(kind, has_old, how, monkeypatch):
    """A reader finds the old or the new; the next start tidies up."""
    monkeypatch.undo()  # dead processes leave files here, as they may
    found, left = set(), []
    for number in itertools.count(1):
        folder = f"memory://{uuid.uuid4().hex}"
        scene = Scene(kind, folder, filesystem_of(folder))
        if has_old:
            scene.save("old")
        files = CrashingRemote(folder, number, how)
        with contextlib.suppress(OSError, Died):
            scene.save("new", files)
        found.add(scene.read())
        if not files.has_crashed:
            break
        with monkeypatch.context() as patch:
            patch.setattr(staged_names, "_run", lambda pid: "0" * 8)
            clean_leftovers(scene.files, folder)
        found.add(scene.read())
        left += filter(is_staged, scene.files.names(folder))
        scene.files.remove(folder)

    assert found == {"old" if has_old else None, "new"}
    assert left == []
