"""What `runtime/_files.py` promises: all of a file or nothing of it."""

import importlib
import os
from pathlib import Path

import pytest

from kerascb.runtime._files import LocalFiles, RemoteFiles, _staged, files_of


@pytest.fixture(params=["local", "remote"])
def place(request, tmp_path):
    """A folder here, and one of TensorFlow's in memory."""
    if request.param == "local":
        return str(tmp_path / "folder")
    pytest.importorskip("tensorflow")
    return f"ram://{tmp_path}/folder"


@pytest.fixture
def files(place):
    """The file system, with the folder made."""
    if place.startswith("ram:"):
        importlib.import_module("tensorflow").io.gfile.makedirs(place)
    else:
        os.makedirs(place)
    return files_of(place)


def write(files, path, text):
    """Replaces a file."""
    with files.replacing(path) as staged:
        Path(staged).write_text(text)


def read(files, path, name="copy"):
    """Reads a file."""
    with files.reading(path, name=name) as local:
        return Path(local).read_text()


def test_a_url_is_left_to_tensorflow(tensorflow):
    """Other paths are the operating system's."""
    assert isinstance(files_of("gs://bucket/folder"), RemoteFiles)
    assert isinstance(files_of("/folder"), LocalFiles)


def test_a_file_is_replaced(files, place):
    """The second writing wins."""
    write(files, f"{place}/a.txt", "one")
    write(files, f"{place}/a.txt", "two")

    assert read(files, f"{place}/a.txt") == "two"


def test_an_error_while_writing_leaves_the_old_file(files, place):
    """And nothing beside it."""
    write(files, f"{place}/a.txt", "one")

    def fail():
        with files.replacing(f"{place}/a.txt") as staged:
            Path(staged).write_text("tw")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()

    assert read(files, f"{place}/a.txt") == "one"
    assert not files.exists(_staged(f"{place}/a.txt"))


def test_nothing_written_changes_nothing(files, place):
    """A stand-in for a model may write nothing."""
    with files.replacing(f"{place}/a.txt"):
        pass

    assert not files.exists(f"{place}/a.txt")


def test_reading_gives_the_name_that_is_asked_for(files, place):
    """Keras reads the format off a name."""
    write(files, f"{place}/a.h5.bkp", "one")

    with files.reading(f"{place}/a.h5.bkp", name="a.h5") as local:
        assert os.path.basename(local) == "a.h5"


def test_a_missing_file_is_removed_without_error(files, place):
    """There is nothing to do."""
    files.remove(f"{place}/a.txt")

    assert not files.exists(f"{place}/a.txt")


def test_what_a_killed_run_has_staged_is_removed_too(tmp_path):
    """At most one such file is ever there."""
    (tmp_path / ".tmp-a.txt").write_text("half")
    LocalFiles().remove(str(tmp_path / "a.txt"))

    assert os.listdir(tmp_path) == []


def test_a_url_without_a_folder(tensorflow):
    """The staged file is on the same file system."""
    files, path = files_of("ram://"), "ram://kerascb-alone.txt"
    write(files, path, "one")
    write(files, path, "two")

    assert read(files, path) == "two"
    files.remove(path)
    assert not files.exists("ram://.tmp-kerascb-alone.txt")


def test_a_remote_file_that_cannot_be_renamed(
    tensorflow, tmp_path, monkeypatch
):
    """Leaves nothing beside the old one."""
    files, path = RemoteFiles(), f"ram://{tmp_path}/a.txt"
    tensorflow.io.gfile.makedirs(f"ram://{tmp_path}")
    write(files, path, "one")

    def refuse(*args, **kwargs):
        raise tensorflow.errors.UnimplementedError(None, None, "no renaming")

    with monkeypatch.context() as patched:
        patched.setattr(tensorflow.io.gfile, "rename", refuse)
        with pytest.raises(files.errors, match="no renaming"):
            write(files, path, "two")

    assert read(files, path) == "one"
    assert tensorflow.io.gfile.listdir(f"ram://{tmp_path}") == ["a.txt"]


def test_the_bytes_are_on_the_disk_before_the_name_is(tmp_path, monkeypatch):
    """A power failure must not leave a name without its content."""
    calls = []
    replace = os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: calls.append("fsync"))
    monkeypatch.setattr(
        os, "replace", lambda *a: (calls.append("replace"), replace(*a))
    )
    write(LocalFiles(), str(tmp_path / "a.txt"), "one")

    assert calls[:2] == ["fsync", "replace"]
