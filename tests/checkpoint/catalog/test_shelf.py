"""The checkpoints of one callback, and which of them stay."""

import os

import pytest

from kerascb.checkpoint.catalog.manifest import FILE_NAME
from kerascb.checkpoint.catalog.shelf import Shelf
from kerascb.checkpoint.commit.writing import Written
from kerascb.checkpoint.files.filesystem import LocalFileSystem
from kerascb.runtime import Format
from tests.checkpoint.catalog.listed import note_of


def _shelf(template):
    return Shelf(LocalFileSystem(), template, max_to_keep=1, keep_best=None)


def _save(shelf, path, epoch):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path.replace("\\", "/"), "wb"):
        pass
    shelf.add(path, Format.KERAS, note_of(epoch), [Written("", 0, 0)])
    shelf.settle(path, note_of(epoch))


def test_pain_paths_of_windows(tmp_path, monkeypatch):
    """What was listed is found again, however its path was written."""
    (tmp_path / "e").mkdir()
    monkeypatch.setattr(os, "sep", "\\")

    _save(_shelf(f"{tmp_path}/e\\{{epoch}}.keras"), f"{tmp_path}/e\\1.keras", 1)
    _save(_shelf(f"{tmp_path}/e\\{{epoch}}.keras"), f"{tmp_path}/e\\2.keras", 2)

    assert os.listdir(tmp_path / "e") == ["2.keras"]


@pytest.mark.parametrize(
    ("template", "left"),
    [
        ("{epoch}/m.keras", {"2", "2/m.keras"}),
        ("{epoch}/{batch}/m.keras", {"2", "2/2", "2/2/m.keras"}),
        ("e-{epoch}/{batch}.keras", {"e-2", "e-2/2.keras"}),
        ("{epoch}/fix/m.keras", {"1", "1/fix", "2", "2/fix", "2/fix/m.keras"}),
        ("fix/{epoch}.keras", {"fix", "fix/2.keras"}),
    ],
)
def test_pain_folders_of_removed_checkpoints_stay(tmp_path, template, left):
    """Those that a placeholder named go with what was in them."""
    home = tmp_path / "run"
    home.mkdir()
    shelf = _shelf(f"{home}/{template}")

    for number in (1, 2):
        name = template.format(epoch=number, batch=number)
        _save(shelf, f"{home}/{name}", number)

    found = {path.relative_to(home).as_posix() for path in home.rglob("*")}
    assert {name for name in found if not name.endswith(FILE_NAME)} == left


def test_a_folder_with_something_in_it_stays(tmp_path):
    """Only what is empty is removed."""
    shelf = _shelf(f"{tmp_path}/{{epoch}}/m.keras")
    _save(shelf, f"{tmp_path}/1/m.keras", 1)
    (tmp_path / "1" / "notes.txt").write_text("mine")

    _save(shelf, f"{tmp_path}/2/m.keras", 2)

    assert os.listdir(tmp_path / "1") == ["notes.txt"]


def test_a_folder_that_was_empty_before_stays(tmp_path):
    """It is not ours, though the template could have made it."""
    (tmp_path / "0").mkdir()
    shelf = _shelf(f"{tmp_path}/{{epoch}}/m.keras")

    _save(shelf, f"{tmp_path}/1/m.keras", 1)
    _save(shelf, f"{tmp_path}/2/m.keras", 2)

    assert sorted(os.listdir(tmp_path)) == ["0", "2", FILE_NAME]
