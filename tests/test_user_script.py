"""One script, with stock's callbacks and with ours."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.parity import untimed

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "tests" / "scripts" / "user_script.py"
STOCK_IMPORT = "from tensorflow.keras.callbacks import ("
OUR_IMPORT = "from kerascb import ("

pytestmark = pytest.mark.fit


# Keras 2.15 prints it before the last epoch is over; docs/differences.md.
RESTORING = "Restoring model weights from the end of the best epoch: "


@dataclass
class Left:
    """What a run of the script left behind."""

    printed: str
    files: list[str]


@pytest.fixture(scope="module")
def is_215(runtime):
    """True where the Keras in force is TensorFlow 2.15's own."""
    return runtime.name == "keras2" and runtime.package == "keras"


@pytest.fixture(scope="module")
def by_stock(tmp_path_factory, tensorflow):
    """What the script leaves as it is."""
    return _run(tmp_path_factory.mktemp("stock"), str(SCRIPT))


@pytest.fixture(scope="module")
def by_ours(tmp_path_factory, tensorflow):
    """What it leaves when its import names kerascb."""
    place = tmp_path_factory.mktemp("ours")
    source = SCRIPT.read_text(encoding="utf-8")
    assert source.count(STOCK_IMPORT) == 1
    swapped = place.with_suffix(".py")
    swapped.write_text(source.replace(STOCK_IMPORT, OUR_IMPORT), "utf-8")
    return _run(place, str(swapped))


@pytest.fixture(scope="module")
def by_installing(tmp_path_factory, tensorflow):
    """What it leaves unedited under `python -m kerascb run`."""
    place = tmp_path_factory.mktemp("installed")
    return _run(place, "-m", "kerascb", "run", str(SCRIPT))


def test_a_swapped_import_prints_the_same_lines(by_stock, by_ours, is_215):
    """Progress, what callbacks say, the History and the predictions."""
    assert _lines(by_ours, is_215) == _lines(by_stock, is_215)


def test_a_swapped_import_leaves_the_same_files(by_stock, by_ours):
    """Checkpoints, table and event files; the backup is gone."""
    assert by_ours.files == by_stock.files


def test_the_script_has_shown_what_it_should(by_stock):
    """The comparison is one of lines and files that matter."""
    told = ("early stopping", RESTORING, "reducing learning rate", "improved")
    assert [text for text in told if text not in by_stock.printed] == []
    assert {"log.csv", "models/best.keras"} <= set(by_stock.files)


def test_an_unedited_script_prints_the_same_lines(
    by_stock, by_installing, is_215
):
    """`kerascb run` stands for the edit."""
    assert _lines(by_installing, is_215) == _lines(by_stock, is_215)


def test_an_unedited_script_leaves_the_same_files(by_stock, by_installing):
    """`kerascb run` stands for the edit."""
    assert by_installing.files == by_stock.files


def _lines(left, is_215):
    lines = untimed(left.printed).splitlines()
    if not is_215:
        return lines
    return [line for line in lines if not line.startswith(RESTORING)]


def _run(place, *command):
    done = subprocess.run(
        [sys.executable, *command],
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    files = sorted(
        path.relative_to(place).as_posix()
        for path in place.rglob("*")
        if path.is_file()
    )
    # The rest of such a name is the time, the machine and the process.
    return Left(
        done.stdout, [re.sub(r"(?<=tfevents)\..*", "", file) for file in files]
    )
