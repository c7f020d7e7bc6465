"""Notes inside checkpoints."""

import json
import math
import zipfile

import h5py
import numpy as np
import pytest

from kerascb.layouts import notes

NOTE = {
    "epoch": 3,
    "batch": None,
    "time": 12.5,
    "metrics": {"loss": 0.1, "acc": math.inf, "other": -math.inf},
    "seeds": [[0, 2**32 - 1]],
    "monitor": "loss",
    "best": math.inf,
}


def _zip(path, comment=b""):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "b")
        archive.comment = comment
    return str(path)


def _hdf5(path, content=None):
    with h5py.File(path, "w") as file:
        file["layers/kernel"] = np.zeros(3)
        if content is not None:
            file["kerascb"] = content
    return str(path)


def test_what_is_encoded_is_decoded():
    """Numbers that JSON does not have included."""
    assert notes.decode(notes.encode(NOTE)) == NOTE


def test_nan_is_decoded():
    """It equals nothing, so it has a test of its own."""
    content = notes.encode({"metrics": {"loss": math.nan}, "best": math.nan})
    found = notes.decode(content)

    assert math.isnan(found["metrics"]["loss"])
    assert math.isnan(found["best"])


def test_is_json_to_every_parser():
    """`NaN` is none of JSON's words."""
    content = notes.encode({"metrics": {"loss": math.nan}})

    assert json.loads(content, parse_constant=pytest.fail)["kerascb"] == 1


@pytest.mark.parametrize(
    "content", [b"", b"made by zip", b"[1]", b"{}", b'{"epoch": 1}', b"\xff"]
)
def test_what_is_no_note(content):
    """Comments of others are not taken for ours."""
    assert notes.decode(content) is None


def test_in_an_archive(tmp_path):
    """It is the archive's comment."""
    path = _zip(tmp_path / "m.keras", notes.encode(NOTE))

    assert notes.in_file(path) == NOTE


def test_in_an_hdf5_file(tmp_path):
    """It is a dataset at the root, padded with blanks."""
    padded = np.frombuffer(notes.encode(NOTE).ljust(1000), np.uint8)

    assert notes.in_file(_hdf5(tmp_path / "m.h5", padded)) == NOTE


@pytest.mark.parametrize(
    "content", [None, "text", np.zeros((2, 2), np.uint8), np.zeros(4)]
)
def test_stocks_files_have_none(tmp_path, content):
    """Nor has a layer that happens to be called kerascb."""
    assert notes.in_file(_hdf5(tmp_path / "m.h5", content)) is None
    assert notes.in_file(_zip(tmp_path / "m.keras")) is None


@pytest.mark.parametrize("keep", [0, 3, 10, 60])
@pytest.mark.parametrize("write", [_zip, _hdf5])
def test_a_damaged_file_has_none(tmp_path, write, keep):
    """It is for others to say what is wrong with it."""
    path = write(tmp_path / "m")
    with open(path, "r+b") as file:
        file.truncate(keep)

    assert notes.in_file(path) is None


def test_a_missing_file_has_none(tmp_path):
    """It may have been deleted meanwhile."""
    assert notes.in_file(str(tmp_path / "m.keras")) is None
