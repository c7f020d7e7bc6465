"""Backups that Keras's own BackupAndRestore has left are taken up."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from kerascb.errors import UnreadableBackup
from kerascb.runtime import Position
from kerascb.runtime._stock_backup import read_weights

WEIGHTS = "backup/latest.weights.h5"
METADATA = "backup/training_metadata.json"


class Model:
    """One number for weights, in a file as Keras names it."""

    optimizer = None
    number = 0

    def load_weights(self, path):
        """Reads the number."""
        with h5py.File(path, "r") as file:
            self.number = int(file["number"][()])


def save(number, epoch, suffix=""):
    """Leaves what Keras 3 leaves."""
    Path("backup").mkdir(exist_ok=True)
    with h5py.File(WEIGHTS + suffix, "w") as file:
        file["number"] = number
    Path(METADATA + suffix).write_text(
        json.dumps({"epoch": epoch, "batch": 0}), encoding="utf-8"
    )


def restored():
    """What a new process finds: position and number."""
    model = Model()
    return read_weights(model, "backup", lambda: None), model.number


def test_nothing_there_is_nothing_to_restore():
    """A first start."""
    assert restored() == (None, 0)


def test_the_latest_comes_back():
    """Weights and epoch."""
    save(10, 1, ".bkp")
    save(20, 2)

    assert restored() == (Position(2), 20)


@pytest.mark.parametrize("damage", ["", "0", "null", "\ufffd{", '{"batch": 1}'])
def test_damaged_json_falls_back(damage):
    """Stock raised, though it had the previous one at hand."""
    save(10, 1, ".bkp")
    save(20, 2)
    Path(METADATA).write_text(damage, encoding="utf-8")

    assert restored() == (Position(1), 10)


def test_damaged_weights_fall_back():
    """To the previous backup, weights and epoch."""
    save(10, 1, ".bkp")
    save(20, 2)
    Path(WEIGHTS).write_text("0")

    assert restored() == (Position(1), 10)


def test_all_damaged_is_one_error_that_says_what_to_do():
    """And nothing is removed."""
    save(20, 2)
    Path(WEIGHTS).write_text("0")

    with pytest.raises(UnreadableBackup, match="remove it to train from the"):
        restored()

    assert os.path.exists(WEIGHTS)


def test_json_without_weights_is_no_backup():
    """Stock began at its epoch with untrained weights."""
    save(10, 1)
    os.remove(WEIGHTS)

    assert restored() == (None, 0)


def test_weights_without_json_are_taken():
    """As stock does: it begins at epoch 0 with them."""
    save(10, 1)
    os.remove(METADATA)

    assert restored() == (None, 10)


def test_a_backup_far_away_is_restored(tensorflow, tmp_path):
    """Over TensorFlow's file systems."""
    save(10, 1)
    far = f"ram://{tmp_path}/backup"
    for name in os.listdir("backup"):
        with tensorflow.io.gfile.GFile(f"{far}/{name}", "wb") as file:
            file.write(Path("backup", name).read_bytes())
    model = Model()

    assert read_weights(model, far, lambda: None) == Position(1)
    assert model.number == 10


@pytest.mark.parametrize(
    ("epoch", "batch", "by_batch", "steps", "expected"),
    [
        (-1, -1, False, 4, None),
        (1, -1, False, 4, Position(2)),
        (1, 2, False, 4, Position(2)),
        (-1, -1, True, 4, None),
        (1, 2, True, 4, Position(1, 3)),
        (1, 3, True, 4, Position(2)),
        (1, 3, True, None, Position(1, 4)),
    ],
)
def test_position_in_keras2s_backups(
    tensorflow, epoch, batch, by_batch, steps, expected
):
    """What Keras 2 itself makes of its two numbers."""
    from kerascb.runtime._stock_backup2 import position_of

    position = position_of(epoch, batch, by_batch=by_batch, steps=steps)

    assert position == expected


def test_unsupported_strategies_are_refused(runtime, keras2_only):
    """In stock's words."""
    model = SimpleNamespace(_distribution_strategy=SimpleNamespace())

    with pytest.raises(NotImplementedError, match="not supported yet"):
        runtime.require_backups(model)


@pytest.mark.fit
@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_optimizer_state_comes_back(runtime, make_model, data, stock):
    """Also into an optimizer that has no variables yet."""
    trained = make_model("adam")
    backup = stock("BackupAndRestore")("backup", delete_checkpoint=False)
    trained.fit(*data, epochs=1, verbose=0, callbacks=[backup])
    fresh = make_model("adam", seed=2)
    position = runtime.read_stock_backup(
        fresh,
        "backup",
        lambda: runtime.build(fresh),
        by_batch=False,
        steps=None,
    )

    assert position == Position(1)
    assert runtime.iterations(fresh) == runtime.iterations(trained) > 0
    for one, other in zip(
        fresh.get_weights(), trained.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)
