"""`python -m kerascb swap`, from the command line to the files."""

import io
import json
import os
import stat
import sys

import pytest

pytest.importorskip("libcst", reason="kerascb[swap] is not installed")

from kerascb.cli import _files, main, swap

BEFORE = "from keras.callbacks import History\n"
AFTER = "from kerascb import History\n"
NOTEBOOK = {"cells": [{"cell_type": "code", "source": [BEFORE]}]}


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def _write(path, text=BEFORE, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def test_shows_a_diff_and_leaves_the_file(tmp_path, capsys):
    """Without `--write` nothing is written."""
    file = _write(tmp_path / "a.py")

    status = main(["swap", "a.py"])

    assert status == 0
    assert file.read_text() == BEFORE
    assert capsys.readouterr().out == (
        "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n"
        f"-{BEFORE}+{AFTER}\n1 file to swap; --write does it.\n"
    )


def test_writes_when_told(tmp_path, capsys):
    """With `--write` the file is changed, and the diff is shown as well."""
    file = _write(tmp_path / "a.py")

    status = main(["swap", "--write", "a.py"])

    assert status == 0
    assert file.read_text() == AFTER
    assert capsys.readouterr().out.endswith(f"+{AFTER}\n1 file swapped.\n")


def test_writing_twice_changes_nothing(tmp_path, capsys):
    """The second run finds nothing to swap."""
    file = _write(tmp_path / "a.py")
    main(["swap", "--write", "a.py"])
    capsys.readouterr()

    status = main(["swap", "--write", "a.py"])

    assert status == 0
    assert file.read_text() == AFTER
    assert capsys.readouterr().out == "Nothing to swap.\n"


def test_says_what_it_left_and_where(tmp_path, capsys):
    """Notes name the file, the line, and in a notebook the cell."""
    _write(tmp_path / "a.py", "from keras.callbacks import Mine\n")
    _write(
        tmp_path / "b.ipynb",
        json.dumps(NOTEBOOK).replace("History", "Mine"),
    )

    status = main(["swap", "a.py", "b.ipynb"])

    assert status == 0
    reason = "`Mine` still comes from keras.callbacks: kerascb has none"
    assert capsys.readouterr().out == (
        f"\nFor you to look at:\na.py:1: {reason}\n"
        f"b.ipynb:cell 1:1: {reason}\nNothing to swap.\n"
    )


def test_swaps_notebooks(tmp_path):
    """A notebook is written back as the JSON it was."""
    file = _write(tmp_path / "a.ipynb", json.dumps(NOTEBOOK))

    status = main(["swap", "--write", "a.ipynb"])

    assert status == 0
    assert json.loads(file.read_text())["cells"][0]["source"] == [AFTER]


def test_one_bad_file_does_not_stop_the_others(tmp_path, capsys):
    """It is named at the end, and the exit status is 1."""
    _write(tmp_path / "bad.py", "from keras.callbacks import (\n")
    good = _write(tmp_path / "good.py")

    status = main(["swap", "--write", "."])

    assert status == 1
    assert good.read_text() == AFTER
    assert "\nNot handled:\nbad.py: syntax error" in capsys.readouterr().out


def test_does_nothing_where_a_path_is_wrong(tmp_path, capsys):
    """A misspelt path is told before anything is changed; status 2."""
    file = _write(tmp_path / "a.py")

    status = main(["swap", "--write", "a.py", "b.py"])

    assert status == 2
    assert file.read_text() == BEFORE
    assert capsys.readouterr().out == "b.py: no such file or directory\n"


def test_needs_a_path(capsys):
    """Without a path the usage is shown; status 2."""
    with pytest.raises(SystemExit, match="2"):
        main(["swap"])

    assert "usage: python -m kerascb swap" in capsys.readouterr().err


def test_tells_how_to_get_libcst(monkeypatch, capsys):
    """Without libcst there is one line with the command that brings it."""
    for name in [name for name in sys.modules if name.startswith("libcst")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("_notebook", "_rewrite", "_imports", "_origins", "_tree"):
        monkeypatch.delitem(sys.modules, f"kerascb.cli.{name}")
    monkeypatch.setitem(sys.modules, "libcst", None)

    status = main(["swap", "."])

    assert status == 1
    assert "pip install 'kerascb[swap]'\n" in capsys.readouterr().err


def test_looks_through_folders(tmp_path, capsys):
    """Sources in a folder are found; environments and stores are not."""
    wanted = ["a.py", "b/c.pyw", "b/d.pyi", "e.ipynb"]
    passed_over = [
        ".git/a.py",
        "b/node_modules/a.py",
        "env/a.py",
        "f.txt",
        "venv/a.py",
    ]
    _write(tmp_path / "env" / "pyvenv.cfg")
    for name in [*wanted, *passed_over]:
        is_notebook = name.endswith(".ipynb")
        _write(tmp_path / name, json.dumps(NOTEBOOK) if is_notebook else BEFORE)

    main(["swap", "--write", "."])

    changed = [
        name
        for name in [*wanted, *passed_over]
        if "keras.callbacks" not in (tmp_path / name).read_text()
    ]
    assert changed == wanted
    assert capsys.readouterr().out.endswith("\n4 files swapped.\n")


def test_takes_a_file_that_is_named_whatever_its_suffix(tmp_path):
    """A script need not end in `.py`."""
    file = _write(tmp_path / "train")

    main(["swap", "--write", "train"])

    assert file.read_text() == AFTER


def test_takes_a_file_once(tmp_path, capsys):
    """A file that is named twice is shown once."""
    _write(tmp_path / "a.py")

    main(["swap", "a.py", ".", "a.py"])

    assert capsys.readouterr().out.count("--- a/a.py") == 1


def test_follows_no_link_in_a_folder(tmp_path):
    """What a folder links to may belong to somebody else."""
    other = _write(tmp_path / "other" / "a.py")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.py").symlink_to(other)

    main(["swap", "--write", "mine"])

    assert other.read_text() == BEFORE


def test_a_link_that_is_named_stays_a_link(tmp_path):
    """What is written is the file behind it."""
    file = _write(tmp_path / "a.py")
    link = tmp_path / "link.py"
    link.symlink_to(file)

    main(["swap", "--write", "link.py"])

    assert link.is_symlink()
    assert file.read_text() == AFTER


def test_keeps_the_mode(tmp_path):
    """A script that could be run can be run still."""
    file = _write(tmp_path / "a.py")
    file.chmod(0o750)

    main(["swap", "--write", "a.py"])

    assert stat.S_IMODE(file.stat().st_mode) == 0o750


@pytest.mark.parametrize(
    ("encoding", "first"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("latin-1", "# -*- coding: latin-1 -*-\n"),
        ("cp1252", "#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n"),
    ],
)
def test_writes_in_the_encoding_it_read(tmp_path, encoding, first):
    """The coding line, or the byte order mark, says how a file is read."""
    rest = "name = 'Zoë'\r\n"
    file = _write(tmp_path / "a.py", first + BEFORE + rest, encoding)

    status = main(["swap", "--write", "a.py"])

    assert status == 0
    assert file.read_bytes() == (first + AFTER + rest).encode(encoding)


@pytest.mark.parametrize(
    "data",
    [
        b"from keras.callbacks import History\nx = '\xff'\n",
        b"# coding: nonsense\nfrom keras.callbacks import History\n",
        b"# coding: utf-7\nfrom keras.callbacks import History  # +AOk-+AOk-",
    ],
    ids=["not utf-8", "no such encoding", "would not be written back"],
)
def test_leaves_what_it_cannot_decode(tmp_path, capsys, data):
    """Bytes that would not come back as they were are not touched."""
    file = tmp_path / "a.py"
    file.write_bytes(data)

    status = main(["swap", "--write", "a.py"])

    assert status == 1
    assert file.read_bytes() == data
    assert "Not handled:\na.py: " in capsys.readouterr().out


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(
    tmp_path, capsys, monkeypatch, call
):
    """There is no moment at which a file is half written."""
    file = _write(tmp_path / "a.py")

    def fail(*_):
        assert file.read_text() == BEFORE
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_files.os, call, fail)

    status = main(["swap", "--write", "a.py"])

    assert status == 1
    assert os.listdir(tmp_path) == ["a.py"]
    assert file.read_text() == BEFORE
    assert "No space left on device" in capsys.readouterr().out


def test_shows_what_the_terminal_cannot_write(tmp_path):
    """A letter outside of the terminal's encoding does not stop the run."""
    _write(tmp_path / "a.py", BEFORE + "x = 'é'\n")
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="")

    status = swap.run(["a.py"], out=out)

    out.seek(0)
    assert status == 0
    assert " x = '\\xe9'\n" in out.read()


def test_the_diff_shows_a_missing_last_line_end(tmp_path, capsys):
    """So that `patch` accepts it."""
    _write(tmp_path / "a.py", BEFORE.rstrip())

    main(["swap", "a.py"])

    assert capsys.readouterr().out.count("\\ No newline at end of file\n") == 2
