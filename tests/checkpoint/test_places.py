"""Whether a path can be written to."""

import os

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


def test_a_file_that_may_be_written_over_passes(tmp_path, monkeypatch):
    """In a folder without permission, too: no new file is made there."""
    (tmp_path / "m.keras").write_text("")
    monkeypatch.setattr(
        "os.access", lambda path, mode: str(path).endswith("m.keras")
    )

    check_writable(str(tmp_path / "m.keras"), Format.KERAS, "ModelCheckpoint")
    with pytest.raises(UnwritablePath, match="no permission"):
        check_writable(str(tmp_path / "n.keras"), Format.KERAS, "X")
