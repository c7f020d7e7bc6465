"""`kerascb checkpoints DIR`."""

import subprocess
import sys
import time

import pytest

from kerascb.cli import main
from kerascb.cli.checkpoints import _size
from tests.checkpoint.catalog.listed import put_bytes


@pytest.fixture
def table(capsys):
    """Runs the command: its exit status, and the lines it prints."""

    def run(*arguments):
        status = main(["checkpoints", *map(str, arguments)])
        return status, capsys.readouterr().out.splitlines()

    return run


def test_what_was_noted_is_shown(table, tmp_path):
    """One line a checkpoint, oldest first, in columns."""
    moment = time.mktime((2026, 11, 24, 12, 30, 15, 0, 0, -1))
    put_bytes(tmp_path, "a.keras", epoch=1, time=moment, batch=5)
    put_bytes(
        tmp_path,
        "longer.keras",
        b"x" * 18393,
        epoch=10,
        time=moment + 60,
        metrics={"loss": 0.123456, "val_loss": float("nan")},
    )

    status, lines = table(tmp_path)

    end = len(str(tmp_path / "longer.keras"))
    assert status == 0
    assert [line[end:].rstrip() for line in lines] == [
        "  epoch  batch  step  metrics                      size  written",
        "      1      5    10  loss=1                       10 B"
        "  2026-11-24 12:30:15",
        "     10          100  loss=0.1235 val_loss=nan  18.4 kB"
        "  2026-11-24 12:31:15",
    ]
    assert lines[1].startswith(str(tmp_path / "a.keras "))


def test_columns_without_anything_are_left_out(table, tmp_path):
    """Stock's files say nothing of themselves."""
    (tmp_path / "a.keras").write_bytes(b"x")

    _, [head, _] = table(tmp_path)

    assert head.split() == ["path", "size", "written"]


def test_verify_says_what_is_whole(table, tmp_path):
    """And, below, what is wrong with what is not."""
    put_bytes(tmp_path, "a.keras")
    put_bytes(tmp_path, "b.keras")
    put_bytes(tmp_path, "c.keras")
    (tmp_path / "b.keras").write_bytes(b"some bytEs")
    (tmp_path / "c.keras").unlink()

    status, lines = table(tmp_path, "--verify")

    assert status == 1
    assert [line.split()[-1] for line in lines[:4]] == [
        "whole",
        "yes",
        "DAMAGED",
        "missing",
    ]
    assert lines[4].startswith("b.keras is not what was written")
    assert lines[5] == "c.keras is missing"


def test_without_verify_nothing_is_read(table, tmp_path):
    """Damage is not looked for, and what is not there is not shown."""
    put_bytes(tmp_path, "a.keras")
    put_bytes(tmp_path, "b.keras")
    (tmp_path / "a.keras").write_bytes(b"some bytEs")
    (tmp_path / "b.keras").unlink()

    status, lines = table(tmp_path)

    assert (status, len(lines)) == (0, 2)


def test_all_is_whole(table, tmp_path):
    """The exit status says so to scripts."""
    put_bytes(tmp_path, "a.keras")

    assert table(tmp_path, "--verify")[0] == 0


def test_a_check_without_checksums_says_so(
    table, tmp_path, make_model, runtime
):
    """That a file opens does not mean that no number in it changed."""
    make_model().save_weights(str(tmp_path / "w.weights.h5"))

    status, [_, line] = table(tmp_path, "--verify")

    assert status == 0
    assert line.endswith("no checksum; opens")


def test_damaged_lines_of_the_manifest_are_told(table, tmp_path):
    """What they listed has no checksum any more."""
    put_bytes(tmp_path, "a.keras")
    path = tmp_path / "kerascb-checkpoints.jsonl"
    path.write_text(path.read_text().replace("loss", "lass"))

    _, lines = table(tmp_path)

    assert lines[-1].startswith("The manifest has damaged lines (1)")


def test_an_empty_directory(table, tmp_path):
    """A sentence, not an empty table."""
    assert table(tmp_path) == (0, ["No checkpoints."])


@pytest.mark.parametrize("name", ["nowhere", "a.keras"])
def test_no_such_directory(name, tmp_path, capsys):
    """The exit status is not that of a damaged checkpoint."""
    put_bytes(tmp_path, "a.keras")

    assert main(["checkpoints", str(tmp_path / name), "--verify"]) == 2

    captured = capsys.readouterr()
    assert name in captured.err
    assert captured.out == ""


def test_a_terminal_that_lacks_a_letter(tmp_path):
    """It is escaped; the table does not end in an error."""
    (tmp_path / "modèle.keras").write_bytes(b"x")
    done = subprocess.run(
        [sys.executable, "-m", "kerascb", "checkpoints", "."],
        capture_output=True,
        check=True,
        env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": ":".join(sys.path)},
    )

    assert b"mod\\xe8le.keras" in done.stdout


def test_no_keras_is_imported(tmp_path):
    """It starts at once where a manifest tells all."""
    put_bytes(tmp_path, "a.keras")
    code = (
        "import sys; from kerascb.cli import main; "
        "main(['checkpoints', '.', '--verify']); "
        "print([m for m in ('keras', 'tf_keras', 'tensorflow', 'jax', 'torch')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_940, "99.9 kB"),
        (99_960, "100 kB"),
        (999_600, "1.0 MB"),
        (403_000_000, "403 MB"),
        (4e15, "4000 TB"),
    ],
)
def test_sizes(size, text):
    """Three digits before the point at most, as far as there are units."""
    assert _size(size) == text
