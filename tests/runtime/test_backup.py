"""What the stores of backups promise."""

import contextlib
import json
import os
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from kerascb.errors import UnreadableBackup
from kerascb.runtime import BackupFiles, BackupPlan, Position
from kerascb.runtime._backup import WeightsBackups

LATEST = BackupFiles.latest_in("backup")


class Killed(BaseException):
    """Stands for a signal that no handler sees."""


class Model:
    """One number for weights, in a file as Keras names it."""

    def __init__(self, number=0):
        self.number = number

    def save_weights(self, path):
        """Writes the number."""
        with h5py.File(path, "w") as file:
            file["number"] = self.number

    def load_weights(self, path):
        """Reads the number."""
        with h5py.File(path, "r") as file:
            self.number = int(file["number"][()])


def store(model=None, **plan):
    """A store over a model of one number."""
    model = model or Model()
    return WeightsBackups(lambda: model, BackupPlan("backup", **plan))


def saved(*numbers, **plan):
    """Backs up a number an epoch."""
    model = Model()
    backups = store(model, **plan)
    for epoch, number in enumerate(numbers, 1):
        model.number = number
        backups.save(Position(epoch))
    return backups


def restored(**plan):
    """What a new process finds: epoch and number."""
    model = Model()
    position = store(model, **plan).restore()
    return (position and position.epoch), model.number


def test_nothing_there_is_nothing_to_restore():
    """A first start."""
    assert restored() == (None, 0)


def test_the_latest_comes_back():
    """Weights and epoch."""
    saved(10, 20)

    assert restored() == (2, 20)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("call", range(12))
def test_killed_at_any_moment_leaves_one_whole_backup(call, keep, monkeypatch):
    """Stock could leave new weights with the old epoch, or half a file."""
    saved(10, keep_previous=keep)
    left = iter(range(call))

    def dying(function):
        def act(*args, **kwargs):
            if next(left, None) is None:
                raise Killed
            return function(*args, **kwargs)

        return act

    with monkeypatch.context() as patch:
        for name in ("replace", "fsync", "open"):
            patch.setattr(os, name, dying(getattr(os, name)))
        patch.setattr(Model, "save_weights", dying(Model.save_weights))
        model = Model(20)
        with contextlib.suppress(Killed):
            store(model, keep_previous=keep).save(Position(2))

    assert restored() in {(1, 10), (2, 20)}


@pytest.mark.parametrize("damage", ["", "0", "null", "\ufffd{", '{"batch": 1}'])
def test_damaged_json_of_stocks_falls_back(damage):
    """Stock raised, though it had the previous one at hand."""
    saved(10, 20, keep_previous=True)
    strip_attributes()
    Path(LATEST.metadata).write_text(damage, encoding="utf-8")

    assert restored() == (1, 10)


def test_damaged_json_beside_our_weights_does_no_harm():
    """They carry what it says."""
    saved(10, 20)
    Path(LATEST.metadata).write_text("{")

    assert restored() == (2, 20)


def test_damaged_weights_fall_back():
    """To the previous backup, weights and epoch."""
    saved(10, 20, keep_previous=True)
    Path(LATEST.weights).write_text("0")

    assert restored() == (1, 10)


def test_a_damaged_backup_never_replaces_the_good_one_before():
    """The next save leaves the previous one where it is."""
    saved(10, 20, keep_previous=True)
    Path(LATEST.weights).write_text("0")
    model = Model()
    backups = store(model, keep_previous=True)
    backups.restore()
    backups.save(Position(2))
    Path(LATEST.weights).write_text("0")

    assert restored() == (1, 10)


def test_all_damaged_is_one_error_that_says_what_to_do():
    """And nothing is removed."""
    saved(10, 20, keep_previous=True)
    for path in (LATEST.weights, LATEST.previous.weights):
        Path(path).write_text("0")

    with pytest.raises(UnreadableBackup, match="remove it to train from the"):
        restored()

    assert os.path.exists(LATEST.weights)


def test_json_without_weights_is_no_backup():
    """Stock began at its epoch with untrained weights."""
    saved(10)
    os.remove(LATEST.weights)

    assert restored() == (None, 0)


def test_weights_without_json_are_taken():
    """As stock does: it begins at epoch 0 with them."""
    saved(10)
    strip_attributes()
    os.remove(LATEST.metadata)

    assert restored() == (None, 10)


def test_only_own_files_are_deleted():
    """The folder stays for what else is in it."""
    backups = saved(10, 20, keep_previous=True)
    Path("backup/mine.txt").write_text("mine")
    backups.delete()

    assert os.listdir("backup") == ["mine.txt"]


def test_the_folder_goes_with_the_last_file():
    """As with stock."""
    saved(10, 20, keep_previous=True).delete()

    assert not os.path.exists("backup")


def test_workers_beside_the_chief_write_and_delete_nothing():
    """They only restore."""
    saved(10)
    other = WeightsBackups(
        lambda: Model(20), BackupPlan("backup"), writes=False
    )
    other.save(Position(2))
    other.delete()

    assert restored() == (1, 10)


def test_metadata_reads_like_stocks():
    """The epoch to go on with, and the last batch seen of it."""
    store().save(Position(3, 5))

    assert json.loads(Path(LATEST.metadata).read_text()) == {
        "epoch": 3,
        "batch": 4,
    }


def test_a_backup_far_away_is_restored(tensorflow, tmp_path):
    """Over TensorFlow's file systems."""
    plan = BackupPlan(f"ram://{tmp_path}/backup", keep_previous=True)
    for epoch, number in enumerate((10, 20), 1):
        WeightsBackups(lambda n=number: Model(n), plan).save(Position(epoch))
    model = Model()
    backups = WeightsBackups(lambda: model, plan)

    assert backups.restore() == Position(2)
    assert model.number == 20
    backups.delete()
    assert not tensorflow.io.gfile.exists(plan.directory)


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
def test_position_of_keras2s_own_backups(
    tensorflow, epoch, batch, by_batch, steps, expected
):
    """What Keras 2 itself makes of its two numbers."""
    from kerascb.runtime._backup2 import position_of_keras2

    plan = BackupPlan("backup", by_batch=by_batch, steps=steps)

    assert position_of_keras2(epoch, batch, plan) == expected


class TestKeras2:
    """TensorFlow's checkpoints."""

    @pytest.fixture
    def model(self, keras2_only, make_model):
        """A model of Keras 2."""
        return make_model()

    def test_foreign_files_survive(self, runtime, model):
        """In `chief` as elsewhere."""
        store = runtime.backup_store(model, BackupPlan("backup"))
        store.save(Position(1))
        Path("backup/chief/mine.txt").write_text("mine")
        store.delete()

        assert os.listdir("backup/chief") == ["mine.txt"]

    def test_unsupported_strategies_are_refused(self, runtime, model):
        """In stock's words."""
        model._distribution_strategy = SimpleNamespace()

        with pytest.raises(NotImplementedError, match="not supported yet"):
            runtime.backup_store(model, BackupPlan("backup"))

    def test_unheard_preemption_is_warned_of(
        self, runtime, model, warned, monkeypatch
    ):
        """Stock says nothing, and backs up nothing."""
        monkeypatch.setattr(
            runtime._distributed_files,
            "support_on_demand_checkpoint_callback",
            lambda strategy: False,
        )
        runtime.backup_store(
            model, BackupPlan("backup", before_preemption=True)
        )

        assert "save_before_preemption has no effect here" in warned[-1]

    def test_preemption_is_left_to_tensorflow(
        self, runtime, model, monkeypatch, tensorflow
    ):
        """It is asked at every batch, with the position up to date."""
        checked = []

        class Handler:
            def __init__(self, resolver, manager):
                self._run_counter = 0

            def _check_preemption_and_maybe_checkpoint(self):
                checked.append(self._run_counter)

        monkeypatch.setattr(
            runtime._distributed_files,
            "support_on_demand_checkpoint_callback",
            lambda strategy: True,
        )
        monkeypatch.setattr(
            tensorflow.distribute.experimental,
            "PreemptionCheckpointHandler",
            Handler,
        )
        monkeypatch.setattr(
            type(model.distribute_strategy), "cluster_resolver", None
        )
        store = runtime.backup_store(
            model, BackupPlan("backup", before_preemption=True)
        )
        store.save_if_preempted(Position(1, 2))
        store.save_if_preempted(Position(1, 3))

        assert checked == [1, 2]
        assert isinstance(model._preemption_handler, Handler)
        assert store.restore() == Position(1, 3)


def strip_attributes():
    """Makes the weights files look like stock's."""
    for path in (LATEST.weights, LATEST.previous.weights):
        if os.path.exists(path):
            with h5py.File(path, "r+") as file:
                for name in list(file.attrs):
                    del file.attrs[name]


@pytest.mark.fit
@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_optimizer_state_comes_back(runtime, make_model, data):
    """Also into an optimizer that has no variables yet."""
    trained = make_model("adam")
    trained.fit(*data, epochs=1, verbose=0)
    runtime.backup_store(trained, BackupPlan("backup")).save(Position(1))
    fresh = make_model("adam", seed=2)
    position = runtime.backup_store(fresh, BackupPlan("backup")).restore()

    assert position == Position(1)
    assert runtime.iterations(fresh) == runtime.iterations(trained) > 0
    for one, other in zip(
        fresh.get_weights(), trained.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)
