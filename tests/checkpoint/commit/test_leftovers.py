"""Leftovers of killed runs are found wherever a save may leave some."""

import os
import subprocess
from pathlib import Path

import pytest

from kerascb.checkpoint.commit import clean_all_leftovers
from kerascb.checkpoint.files import staged_names
from kerascb.checkpoint.files.filesystem import filesystem_of
from kerascb.checkpoint.files.local import LocalFileSystem
from kerascb.checkpoint.files.staged_names import staged_name
from kerascb.checkpoint.request import Policy
from kerascb.checkpoint.store import CheckpointStore


@pytest.fixture
def leave(monkeypatch):
    """Makes what a dead process would leave in place of a path."""
    process = subprocess.Popen(["true"])  # noqa: S607
    process.wait()

    def leave(path):
        with monkeypatch.context() as patch:
            patch.setattr(staged_names.os, "getpid", lambda: process.pid)
            staged = Path(staged_name(path))
        staged.parent.mkdir(parents=True, exist_ok=True)
        staged.touch()
        return staged

    return leave


@pytest.mark.parametrize(
    ("template", "where"),
    [
        ("m.keras", "m.keras"),
        ("m{{0}}/{epoch}.keras", "m{0}/1.keras"),
        ("run/{epoch}/m.keras", "run/1/m.keras"),
        ("run/{epoch:02d}-a/b/{loss:.2f}/m.keras", "run/01-a/b/0.50/m.keras"),
        ("run/{epoch}/m.keras", "run/kerascb-checkpoints.jsonl"),
        ("{epoch}/m.keras", "1/m.keras"),
        ("m", "m/m"),
        ("m-{epoch}", "m-1/m-1"),
        ("run/{epoch}/m", "run/1/m/m"),
    ],
)
def test_pain_leftovers_of_a_template(leave, template, where):
    """In the folders it has become, the manifest's, and in directories."""
    left = leave(where)

    clean_all_leftovers(LocalFileSystem(), template)

    assert not left.exists()


@pytest.mark.parametrize(
    ("template", "link", "to"),
    [
        ("m.keras", "m.keras", "there/m.keras"),
        ("run/m-{epoch}.keras", "run/m-1.keras", "there/m.keras"),
        ("ck-{epoch}", "checkpoint", "there/checkpoint"),
        ("run/m.keras", "run", "there"),
        ("run-{epoch}/m.keras", "run-1", "there"),
    ],
)
def test_pain_leftovers_beside_what_a_link_leads_to(leave, template, link, to):
    """That is what is replaced, so it is prepared there."""
    left = leave("there/m.keras")
    Path(link).parent.mkdir(exist_ok=True)
    os.symlink(Path(to).absolute(), link)

    clean_all_leftovers(LocalFileSystem(), template)

    assert not left.exists()
    assert os.path.islink(link)


@pytest.mark.parametrize(
    ("template", "where"),
    [
        ("m.keras", "other/m.keras"),
        ("run-{epoch}/m.keras", "walk-1/m.keras"),
        ("run/{epoch}/m.keras", "run/1/deep/m.keras"),
        ("m", "m/variables/m"),
        ("m-{epoch}", "n-1/m"),
    ],
)
def test_what_does_not_match(leave, template, where):
    """It is not looked into."""
    left = leave(where)

    clean_all_leftovers(LocalFileSystem(), template)

    assert left.exists()


def test_what_is_not_ours(leave):
    """Where ours is removed, nothing else is."""
    leave("run/1/m.keras")
    Path("run/1/m.keras").touch()
    Path("run/1/.kerascb-notes").touch()

    clean_all_leftovers(LocalFileSystem(), "run/{epoch}/m.keras")

    assert sorted(os.listdir("run/1")) == [".kerascb-notes", "m.keras"]


def test_far_away(leave, tmp_path):
    """Folders that match are looked into there as well."""
    left = leave("far/1/m.keras")
    template = f"file://{tmp_path}/far/{{epoch}}/m.keras"

    clean_all_leftovers(filesystem_of(template), template)

    assert not left.exists()


def test_a_folder_that_cannot_be_listed(leave, monkeypatch, caplog):
    """That is logged; it is no reason not to train."""
    files = LocalFileSystem()

    def refuse(folder):
        raise PermissionError(f"no look into {folder}")

    monkeypatch.setattr(files, "names", refuse, False)

    clean_all_leftovers(files, "run/{epoch}/m.keras")

    assert "no look into run" in caplog.text


def test_the_store_cleans_up_when_a_run_begins(leave):
    """Before the first save."""
    left = leave("run/1/m.keras")

    CheckpointStore(Policy(), print, "ModelCheckpoint").begin(
        "run/{epoch}/m.keras"
    )

    assert not left.exists()
