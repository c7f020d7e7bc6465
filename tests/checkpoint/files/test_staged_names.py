"""Whose something unfinished is, told from its name."""

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from kerascb.checkpoint.files import staged_names
from kerascb.checkpoint.files.local import LocalFileSystem
from kerascb.checkpoint.files.staged_names import (
    is_abandoned,
    is_staged,
    set_aside,
    staged_name,
)

CARD = 0x001122334455
MADE_UP = CARD | 1 << 40


@pytest.fixture
def identity(monkeypatch, tmp_path):
    """What a machine is called that has the given marks."""

    def of(boot="boot", host="host", namespace="pid:[1]", card=CARD):
        with monkeypatch.context() as patch:
            (tmp_path / "boot_id").write_text(boot or "")
            path = tmp_path / ("boot_id" if boot else "none")
            patch.setattr(staged_names, "_BOOT", str(path))
            patch.setattr("os.readlink", lambda path: namespace)
            patch.setattr("socket.gethostname", lambda: host)
            patch.setattr("uuid.getnode", lambda: card)
            return staged_names._machine.__wrapped__()

    return of


@pytest.mark.parametrize(
    "other", [{"boot": "another"}, {"host": "b"}, {"namespace": "pid:[2]"}]
)
def test_pain_machines_made_of_one_image(identity, other):
    """Equal names of hosts made one take the other's live work for dead."""
    assert identity(**other) != identity()


def test_a_machine_knows_itself(identity):
    """Whatever its network card is."""
    assert identity() == identity(card=MADE_UP)


@pytest.mark.parametrize(("card", "knows"), [(CARD, True), (MADE_UP, False)])
def test_a_kernel_that_tells_nothing(identity, card, knows):
    """Its network card tells it apart; in doubt it is another machine."""
    one = identity(boot=None, card=card)

    assert (identity(boot=None, card=card) == one) is knows


def test_this_machine():
    """Two processes of it agree."""
    script = (
        "from kerascb.checkpoint.files import staged_names\n"
        "print(staged_names._machine())"
    )
    found = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )

    assert found.stdout.split() == [staged_names._machine()]


def test_what_is_kept_for_the_user(tmp_path, monkeypatch):
    """It is no checkpoint, and nobody ever removes it or puts it back."""
    monkeypatch.setattr(staged_names, "_machine", lambda: uuid.uuid4().hex[:8])
    name = staged_name("m", role="kept")
    (tmp_path / name).mkdir()
    os.utime(tmp_path / name, (0, 0))

    assert is_staged(name)
    assert set_aside(name) is None
    assert not is_abandoned(LocalFileSystem(), str(tmp_path), name)
