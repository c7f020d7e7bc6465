"""What is known of a path before anything is written there."""

import os

import pytest

from kerascb.errors import UnwritablePath
from kerascb.paths import anchored, obstacle_in, refuse_unwritable


def test_a_file_in_the_way_is_refused(tmp_path):
    """No directory can be made below a file."""
    (tmp_path / "file").write_text("")

    with pytest.raises(UnwritablePath, match=r"got log_dir=.*is a file"):
        refuse_unwritable(str(tmp_path / "file" / "logs"), "log_dir")


def test_a_missing_permission_is_refused(tmp_path, monkeypatch):
    """The nearest directory that is there decides."""
    monkeypatch.setattr("os.access", lambda path, mode: False)

    with pytest.raises(UnwritablePath, match="no permission to write in"):
        refuse_unwritable(str(tmp_path / "a" / "b"), "log_dir")


@pytest.mark.parametrize("path", ["gs://bucket/logs", "new/logs"])
def test_what_may_be_writable_passes(path):
    """A remote path is not judged, a new one is not made."""
    refuse_unwritable(path, "log_dir")


def test_the_current_folder_has_no_name():
    """`""` is what `dirname` makes of a bare file name."""
    assert obstacle_in("") is None


@pytest.mark.parametrize("path", ["gs://bucket/m", os.path.abspath("m")])
def test_what_no_folder_changes_is_anchored(path):
    """It stays as it is."""
    assert anchored(path) == path


def test_a_relative_path_is_anchored_as_it_is(tmp_path, monkeypatch):
    """`link/..` is not where `link` is."""
    monkeypatch.chdir(tmp_path)

    assert anchored("link/../m") == os.path.join(tmp_path, "link/../m")


def test_an_absolute_path_needs_no_current_folder(tmp_path, monkeypatch):
    """Nobody asks for one that may have been removed."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    assert anchored("/m") == "/m"
