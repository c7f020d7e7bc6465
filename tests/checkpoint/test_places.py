"""Whether a path can be written to."""

import errno
import os
import subprocess

import pytest

from kerascb.checkpoint.places import check_kind, check_writable
from kerascb.errors import UnwritablePath
from kerascb.runtime import Format


@pytest.mark.parametrize(
    "template",
    [
        "m.keras",
        "new/folders/m.keras",
        "run-{epoch}/m.keras",
        "gs://bucket/m.keras",
    ],
)
def test_writable(template):
    """Folders that are not there yet can be made."""
    check_writable(template, Format.KERAS, "ModelCheckpoint")


def test_nothing_is_made_by_looking(tmp_path):
    """A check leaves no trace."""
    check_writable("new/m.keras", Format.KERAS, "ModelCheckpoint")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("template", ["f/m.keras", "f/a/b-{epoch}.keras"])
def test_a_file_where_a_folder_must_be(tmp_path, template):
    """A parent that is a file is named."""
    (tmp_path / "f").write_text("")

    with pytest.raises(UnwritablePath, match="is a file, where a folder"):
        check_writable(template, Format.KERAS, "ModelCheckpoint")


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    """A folder without permission is named."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)

    with pytest.raises(UnwritablePath, match="no permission to write in"):
        check_writable("m.keras", Format.KERAS, "ModelCheckpoint")


def test_a_directory_where_a_file_goes(tmp_path):
    """The text is Keras's."""
    (tmp_path / "m.h5").mkdir()

    with pytest.raises(
        OSError, match="Please specify a non-directory filepath"
    ):
        check_kind("m.h5", Format.HDF5, "ModelCheckpoint")


def test_a_file_where_a_directory_goes(tmp_path):
    """A SavedModel needs its place to itself."""
    (tmp_path / "m").write_text("")

    with pytest.raises(UnwritablePath, match="is an existing file"):
        check_kind("m", Format.SAVED_MODEL, "ModelCheckpoint")


@pytest.mark.parametrize("form", [Format.SAVED_MODEL, Format.TF_CHECKPOINT])
def test_a_directory_may_be_replaced(tmp_path, form):
    """A directory is no obstacle to what is not one file."""
    (tmp_path / "m").mkdir()

    check_kind("m", form, "ModelCheckpoint")


FORMS = [Format.KERAS, Format.SAVED_MODEL, Format.TF_CHECKPOINT]


@pytest.fixture
def unwritable(monkeypatch):
    """Takes the permission to write from paths, as root cannot be refused."""
    taken = set()
    access = os.access

    def ask(path, mode):
        is_taken = os.path.realpath(path) in taken and mode & os.W_OK
        return not is_taken and access(path, mode)

    monkeypatch.setattr("os.access", ask)
    return taken.add


@pytest.fixture
def read_only(tmp_path):
    """A disk with a file `m.keras` that cannot be written to."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no disk can be mounted: {error}")
    (folder / "m.keras").touch()
    remount = ["mount", "-o", "remount,ro", str(folder)]
    subprocess.run(remount, check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S607


def test_pain_a_writable_file_in_a_folder_that_is_not(tmp_path, unwritable):
    """The new file has to be made beside it before it is renamed."""
    path = tmp_path / "m.keras"
    path.touch()
    unwritable(str(tmp_path))

    with pytest.raises(UnwritablePath, match="no permission to write in"):
        check_writable(str(path), Format.KERAS, "ModelCheckpoint")


def test_a_file_that_the_model_itself_writes_over(tmp_path, unwritable):
    """It needs no permission for the folder."""
    path = tmp_path / "m.keras"
    path.touch()
    unwritable(str(tmp_path))

    check_writable(str(path), Format.OWN, "ModelCheckpoint")


def test_a_file_that_is_write_protected(tmp_path, unwritable):
    """A save would refuse to replace it."""
    path = tmp_path / "m.keras"
    path.touch()
    unwritable(str(path))

    with pytest.raises(UnwritablePath, match=r"m.keras' is write-protected"):
        check_writable(str(path), Format.KERAS, "ModelCheckpoint")


def test_a_link_into_a_folder_that_cannot_be_written(tmp_path, unwritable):
    """What counts is where it leads to."""
    (tmp_path / "there").mkdir()
    os.symlink(tmp_path / "there" / "m.keras", tmp_path / "m.keras")
    unwritable(str(tmp_path / "there"))

    with pytest.raises(UnwritablePath, match=r"write in '.*there'"):
        check_writable(str(tmp_path / "m.keras"), Format.KERAS, "X")


def test_a_directory_that_can_be_filled_but_not_renamed(tmp_path, unwritable):
    """It is prepared inside."""
    (tmp_path / "m").mkdir()
    unwritable(str(tmp_path))

    check_writable(str(tmp_path / "m"), Format.SAVED_MODEL, "ModelCheckpoint")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="Linux has it")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["m", "run-{epoch}/m", "new/m"])
def test_pain_a_folder_that_only_seems_to_be_writable(name, form):
    """Permissions say yes, to root at least."""
    with pytest.raises(UnwritablePath, match=r"'/proc'"):
        check_writable(f"/proc/{name}", form, "ModelCheckpoint")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["m.keras", "new", "m-{epoch}"])
def test_a_disk_that_is_read_only(read_only, name, form):
    """A file that is there is no exception."""
    with pytest.raises(UnwritablePath, match=r"in '.*/disk'|existing|prot"):
        check_writable(str(read_only / name), form, "ModelCheckpoint")


def test_a_full_disk_passes(monkeypatch):
    """Somebody may make room before the first save."""

    def refuse(path):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr("os.mkdir", refuse)

    check_writable("m.keras", Format.KERAS, "ModelCheckpoint")
