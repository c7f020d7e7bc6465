"""The checkpoints of one callback, and which of them stay."""

import os

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
