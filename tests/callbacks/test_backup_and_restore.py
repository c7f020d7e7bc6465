import copy
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from kerascb import BackupAndRestore, Callback, TerminateOnNaN
from kerascb.errors import (
    InvalidArgument,
    UnreadableBackup,
    UnsupportedRuntime,
    UnwritablePath,
)
from kerascb.testing import FakeModel, drive
from tests import parity

# Keras 3 reads its variables in a way that NumPy 2 warns of.

NAN = float("nan")


class Crash(Callback):
    """Raises after a number of batches or epochs."""

    def __init__(self, batches=None, epochs=None):
        super().__init__()
        self.batches = batches
        self.epochs = epochs
        self.trained = []

    def on_epoch_begin(self, epoch, logs=None):
        """Notes the epoch."""
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Notes the batch; the fatal one is the last."""
        self.trained.append((self.epoch, batch))
        if len(self.trained) == self.batches:
            raise RuntimeError("killed")

    def on_epoch_end(self, epoch, logs=None):
        """Raises if this was the last epoch."""
        if epoch + 1 == self.epochs:
            raise RuntimeError("killed")


class Positions(Callback):
    """Notes which batches of which epochs are trained."""

    def __init__(self):
        super().__init__()
        self.trained = []

    def on_epoch_begin(self, epoch, logs=None):
        """Notes the epoch."""
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Notes the batch."""
        self.trained.append((self.epoch, batch))


class Saves:
    """A store that only notes what it is asked to do."""

    def __init__(self, position=None):
        self.position = position
        self.saved = []
        self.deleted = False

    def restore(self):
        """Finds what the test has put there."""
        return self.position

    def save(self, position):
        """Notes the position."""
        self.saved.append((position.epoch, position.batch))

    def save_if_preempted(self, position):
        """Notes the position."""
        self.saved.append(("preempted?", position.epoch, position.batch))

    def delete(self):
        """Notes it."""
        self.deleted = True


@pytest.fixture
def store(runtime, monkeypatch):
    """Stands in for the files; `store.plan` is what was asked for."""
    saves = Saves()

    def backup_store(model, plan):
        saves.plan = plan
        return saves

    monkeypatch.setattr(runtime, "backup_store", backup_store)
    monkeypatch.setattr(runtime, "start_fit_at", lambda *args: None)
    return saves


@pytest.fixture
def fit(make_model, data):
    """Fits a model, by default a new one; 3 batches of 8 an epoch."""
    x, y = data

    def fit(*callbacks, model=None, epochs=4, **arguments):
        model = make_model() if model is None else model
        arguments = {
            "batch_size": 8,
            "verbose": 0,
            "shuffle": False,
        } | arguments
        model.record = model.fit(
            x, y, epochs=epochs, callbacks=list(callbacks), **arguments
        )
        return model

    return fit


def crash(fit, *callbacks, **arguments):
    """A fit that is expected to be killed."""
    with pytest.raises(RuntimeError, match="killed"):
        fit(*callbacks, **arguments)


def weights_equal(one, other):
    """Whether two models have the same weights, to the bit."""
    return all(
        np.array_equal(a, b)
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True)
    )


# -- arguments --------------------------------------------------------------


@pytest.mark.parametrize("empty", ["", None])
def test_empty_backup_dir_is_refused(empty):
    """There is no folder to write to."""
    with pytest.raises(ValueError, match="Empty `backup_dir` argument passed"):
        BackupAndRestore(empty)


@pytest.mark.parametrize("bad", ["batch", 0.15, 0, -1, True, [5]])
def test_nonsense_save_freq_is_refused(bad):
    """Neither "epoch" nor a number of batches; True is no number."""
    with pytest.raises(InvalidArgument, match="Invalid value for argument"):
        BackupAndRestore("backup", save_freq=bad)


@pytest.mark.parametrize("nothing", [False, None])
def test_save_freq_false_does_not_mean_every_batch(nothing):
    """Keras 3 saved after every batch; with no other trigger it is an error."""
    with pytest.raises(
        InvalidArgument,
        match="Either `save_freq` or `save_before_preemption` must be set",
    ):
        BackupAndRestore("backup", save_freq=nothing)


def test_save_freq_false_goes_with_preemption():
    """The documented use of False."""
    callback = BackupAndRestore(
        "backup", save_freq=False, save_before_preemption=True
    )

    assert callback.save_freq is False


def test_positional_flags_follow_keras3(keras3_only):
    """The third and fourth argument are Keras 3's."""
    callback = BackupAndRestore("backup", "epoch", True, False)

    assert callback.double_checkpoint is True
    assert callback.delete_checkpoint is False


def test_positional_flags_follow_keras2(keras2_only):
    """The third and fourth argument are Keras 2's."""
    callback = BackupAndRestore("backup", "epoch", False, True)

    assert callback.delete_checkpoint is False
    assert callback.save_before_preemption is True


def test_too_many_positional_arguments_are_refused():
    """As Python refuses them."""
    with pytest.raises(TypeError, match="at most 4 positional"):
        BackupAndRestore("backup", "epoch", True, True, True)


def test_unknown_keyword_is_refused():
    """As Python refuses it."""
    with pytest.raises(TypeError):
        BackupAndRestore("backup", frequency=3)


def test_a_path_object_is_taken(tmp_path):
    """`backup_dir` may be anything that is a path."""
    callback = BackupAndRestore(tmp_path / "backup")

    assert callback._weights_path == str(
        tmp_path / "backup" / "latest.weights.h5"
    )


def test_a_file_in_the_way_is_told_before_training(tmp_path):
    """A backup could never be written there."""
    (tmp_path / "taken").write_text("mine")

    with pytest.raises(UnwritablePath, match="backup_dir"):
        drive([BackupAndRestore(tmp_path / "taken" / "backup")], losses=[1.0])


def test_preemption_is_refused_where_keras3_hears_of_none(keras3_only):
    """Better an error than a backup that is never made."""
    callback = BackupAndRestore("backup", save_before_preemption=True)

    with pytest.raises(UnsupportedRuntime, match="save_before_preemption=True"):
        drive([callback], losses=[1.0])


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))]
)
def test_it_can_be_copied_and_pickled_after_a_run(again, tmp_path):
    """What it has open stays behind."""
    callback = BackupAndRestore(tmp_path / "backup", save_freq=3)
    drive([callback], losses=[1.0])

    twin = again(callback)

    assert (twin.save_freq, twin._store) == (3, None)


# -- when -------------------------------------------------------------------


def test_saves_after_each_epoch(store):
    """The default; the position is the epoch to come."""
    drive([BackupAndRestore("backup")], epochs=[{"loss": 1.0}] * 3)

    assert store.saved == [(1, 0), (2, 0), (3, 0)]


def test_no_batch_hook_unless_batches_count():
    """Keras pays for every batch hook."""
    callback = BackupAndRestore("backup")

    assert callback.on_train_batch_end._is_default
    assert not callback._implements_train_batch_hooks()


def test_saves_every_few_batches_over_the_borders_of_epochs(store):
    """3 batches an epoch, every 2; the last of an epoch completes it."""
    drive([BackupAndRestore("backup", 2)], epochs=[{"loss": 1.0}] * 2, steps=3)

    assert store.saved == [(0, 2), (1, 1), (2, 0)]


@pytest.mark.parametrize("name", ["keras2", "keras3"])
def test_counts_batches_and_not_executions(store, name):
    """10 batches in executions of 4; Keras 3 reports the last one as 11."""
    last = 9 if name == "keras2" else 11
    callback = BackupAndRestore("backup", save_freq=8)
    callback.set_model(FakeModel())
    callback.set_params({"steps": 10})
    callback.on_train_begin()
    for epoch in range(2):
        callback.on_epoch_begin(epoch)
        for batch in (3, 7, last):
            callback.on_train_batch_end(batch)

    assert store.saved == [(0, 8), (1, 8)]


def test_epoch_is_remembered_over_two_crashes(store):
    """Keras 3 forgot it, and began at 0 with the weights of epoch 2."""
    callback = BackupAndRestore("backup", save_freq=1)
    drive([callback], epochs=[{"loss": 1.0}], steps=2, initial_epoch=2)

    assert store.saved == [(2, 1), (3, 0)]


def test_counting_goes_on_after_a_restored_batch(store, keras2_only):
    """The batches before the restored one have been counted already."""
    callback = BackupAndRestore("backup", save_freq=2)
    store.position = type("P", (), {"epoch": 0, "batch": 4})()
    callback.set_model(FakeModel())
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    for batch in (4, 5, 6):
        callback.on_train_batch_end(batch)

    assert store.saved == [(0, 6)]


def test_asks_for_preemption_at_every_batch(store):
    """Whatever `save_freq` is."""
    callback = BackupAndRestore("backup", save_before_preemption=True)
    drive([callback], losses=[1.0, 1.0])

    assert store.saved == [
        ("preempted?", 0, 1),
        ("preempted?", 1, 0),
        (1, 0),
    ]


def test_parameter_servers_are_told_that_batches_do_not_count(
    store, runtime, monkeypatch, warned
):
    """Their batches end in no order; stock says nothing and saves nothing."""
    monkeypatch.setattr(runtime, "has_remote_steps", lambda: True)
    drive([BackupAndRestore("backup", save_freq=1)], losses=[1.0])

    assert store.saved == []
    assert "ParameterServerStrategy" in warned[0]


# -- how it ends ------------------------------------------------------------


def test_backups_go_when_training_has_ended(store):
    """They have done their work."""
    drive([BackupAndRestore("backup")], losses=[1.0])

    assert store.deleted


def test_backups_stay_if_asked(store):
    """`delete_checkpoint=False`."""
    drive([BackupAndRestore("backup", delete_checkpoint=False)], losses=[1.0])

    assert not store.deleted


@pytest.mark.parametrize("bad", [NAN, float("inf")])
def test_nan_stop_keeps_the_good_backup(store, warned, bad):
    """Stock saved the broken state over the good one, then deleted both."""
    drive(
        [BackupAndRestore("backup")],
        epochs=[{"loss": 1.0}, {"loss": bad}],
    )

    assert store.saved == [(1, 0)]
    assert not store.deleted
    assert "stays in 'backup'" in warned[-1]


def test_a_batch_with_nan_is_not_backed_up(store, warned):
    """Nor does a backup by batches store what is broken."""
    drive([BackupAndRestore("backup", 1)], losses=[1.0, NAN, 1.0])

    assert store.saved == [(0, 1), (1, 0)]


@pytest.mark.parametrize("loss", ["strange", np.array([1.0, 2.0]), None])
def test_a_loss_of_another_kind_is_no_hindrance(store, loss):
    """A train step of the user's may log what it likes."""
    callback = BackupAndRestore("backup")
    callback.on_train_begin()
    callback.on_epoch_end(0, {"loss": loss})

    assert store.saved == [(1, 0)]


def test_hooks_take_no_logs(store):
    """Driven by hand."""
    callback = BackupAndRestore("backup", 1)
    callback.set_model(FakeModel())
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    callback.on_train_batch_end(0)
    callback.on_epoch_end(0)
    callback.on_train_end()

    assert store.deleted


# -- with a model -----------------------------------------------------------


@pytest.mark.fit
def test_an_interrupted_run_ends_like_an_uninterrupted_one(fit, make_model):
    """Weights, optimizer and epochs, after a crash between two epochs."""
    whole = fit(model=make_model("adam"))
    crash(
        fit,
        BackupAndRestore("backup"),
        Crash(epochs=2),
        model=make_model("adam"),
    )
    resumed = fit(BackupAndRestore("backup"), model=make_model("adam", seed=7))

    assert resumed.record.epoch == [2, 3]
    assert weights_equal(resumed, whole)


@pytest.mark.fit
def test_second_fit_of_a_resumed_model_is_a_plain_one(fit):
    """Keras 3 began at the restored epoch again, Keras 2 raised."""
    crash(fit, BackupAndRestore("backup"), Crash(epochs=2))
    resumed = fit(BackupAndRestore("backup"))
    fit(model=resumed, epochs=2)

    assert resumed.record.epoch == [0, 1]


@pytest.mark.fit
def test_plain_fit_after_a_second_crash_begins_at_zero(fit, make_model):
    """Also where the resumed run never came to its end."""
    model = make_model()
    crash(fit, BackupAndRestore("backup"), Crash(epochs=1), model=model)
    crash(fit, BackupAndRestore("backup"), Crash(epochs=2), model=model)
    fit(model=model, epochs=2)

    assert model.record.epoch == [0, 1]


class Fails(Callback):
    """Raises as soon as training begins."""

    def on_train_begin(self, logs=None):
        """Raises."""
        raise RuntimeError("killed")


@pytest.mark.fit
def test_plain_fit_after_a_restored_one_that_never_began(fit, make_model):
    """A callback behind ours failed before `fit` asked where to begin."""
    model = make_model()
    crash(fit, BackupAndRestore("backup"), Crash(epochs=2), model=model)
    crash(fit, BackupAndRestore("backup"), Fails(), model=model)
    fit(model=model, epochs=3)

    assert model.record.epoch == [0, 1, 2]


@pytest.mark.fit
def test_initial_epoch_counts_after_a_restored_fit_that_never_began(
    fit, make_model
):
    """What the next fit is told holds, the first batch included."""
    model, positions = make_model(), Positions()
    crash(fit, BackupAndRestore("backup", 1), Crash(batches=5), model=model)
    crash(fit, BackupAndRestore("backup", 1), Fails(), model=model)
    fit(positions, model=model, epochs=4, initial_epoch=3)

    assert positions.trained == [(3, 0), (3, 1), (3, 2)]


@pytest.mark.fit
def test_keras3_goes_through_the_whole_epoch_again(fit, keras3_only):
    """After a crash within an epoch."""
    crash(fit, BackupAndRestore("backup", 1), Crash(batches=5))
    positions = Positions()
    fit(BackupAndRestore("backup", 1), positions, epochs=2)

    assert positions.trained == [(1, 0), (1, 1), (1, 2)]


@pytest.mark.fit
def test_keras2_goes_on_with_the_next_batch(fit, keras2_only):
    """After a crash within an epoch; its step counter goes on too."""
    crash(fit, BackupAndRestore("backup", 1), Crash(batches=5))
    positions = Positions()
    model = fit(BackupAndRestore("backup", 1), positions, epochs=2)

    assert positions.trained == [(1, 2)]
    assert model._train_counter.numpy() == 6


@pytest.mark.fit
def test_a_backup_at_the_last_batch_completes_the_epoch(fit):
    """Keras 3 trained such an epoch twice."""
    crash(fit, BackupAndRestore("backup", 3), Crash(epochs=1))
    positions = Positions()
    fit(BackupAndRestore("backup", 3), positions, epochs=2)

    assert positions.trained == [(1, 0), (1, 1), (1, 2)]


@pytest.mark.fit
def test_save_freq_may_change_between_two_starts(fit):
    """What a backup says does not depend on who reads it."""
    crash(fit, BackupAndRestore("backup", "epoch"), Crash(epochs=2))
    resumed = fit(BackupAndRestore("backup", 100))

    assert resumed.record.epoch == [2, 3]


@pytest.mark.fit
def test_foreign_files_survive(fit):
    """Keras 3 removed the whole folder."""
    Path("backup").mkdir()
    Path("backup/mine.txt").write_text("mine")
    fit(BackupAndRestore("backup", double_checkpoint=True), epochs=3)

    assert os.listdir("backup") == ["mine.txt"]


@pytest.mark.fit
def test_nan_stop_then_a_new_start_goes_on_from_the_good_state(
    fit, make_model, warned
):
    """The pain of the graceful stop: it ate the backup."""

    class Poison(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                weights = self.model.get_weights()
                self.model.set_weights([w * np.nan for w in weights])

    fit(BackupAndRestore("backup"), TerminateOnNaN(), Poison())
    resumed = fit(BackupAndRestore("backup"), TerminateOnNaN())

    assert resumed.record.epoch == [2, 3]
    assert np.isfinite(resumed.record.history["loss"]).all()


@pytest.mark.fit
def test_a_damaged_backup_falls_back_on_the_one_before(fit):
    """With `double_checkpoint`; on Keras 2 stock has no such thing."""
    crash(
        fit, BackupAndRestore("backup", double_checkpoint=True), Crash(epochs=2)
    )
    newest = max(
        [
            *Path("backup").glob("latest.weights.h5"),
            *Path("backup").glob("chief/*.data*"),
        ]
    )
    newest.write_bytes(newest.read_bytes()[:50])
    resumed = fit(BackupAndRestore("backup", double_checkpoint=True))

    assert resumed.record.epoch == [1, 2, 3]


@pytest.mark.fit
def test_a_damaged_only_backup_is_named_and_kept(fit):
    """One error, which says what to do."""
    crash(fit, BackupAndRestore("backup"), Crash(epochs=2))
    newest = max(
        [
            *Path("backup").glob("latest.weights.h5"),
            *Path("backup").glob("chief/*.data*"),
        ]
    )
    newest.write_bytes(newest.read_bytes()[:50])

    with pytest.raises(UnreadableBackup, match="Nothing has been deleted"):
        fit(BackupAndRestore("backup"))

    assert newest.exists()


def test_unbuilt_model_is_refused_by_keras3(keras, keras3_only):
    """In stock's words."""
    model = keras.Sequential([keras.layers.Dense(1)])
    callback = BackupAndRestore("backup")
    callback.set_model(model)

    with pytest.raises(ValueError, match="you model must be built before"):
        callback.on_train_begin()


def test_unbuilt_model_is_warned_of_by_keras2(keras, keras2_only, warned):
    """In stock's words, and through its log."""
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    callback = BackupAndRestore("backup")
    callback.set_model(model)
    callback.on_train_begin()

    assert "you model must be built before" in warned[0]


def test_graph_mode_is_refused(keras2_only, tensorflow):
    """Keras 2 only; in stock's words."""
    with (
        tensorflow.Graph().as_default(),
        pytest.raises(ValueError, match="only supports eager mode"),
    ):
        BackupAndRestore("backup")


def test_inside_a_function_is_refused(keras2_only, tensorflow):
    """Keras 2 only; in stock's words."""

    @tensorflow.function
    def build():
        BackupAndRestore("backup")

    with pytest.raises(ValueError, match=r"outside of `tf\.function`s"):
        build()


# -- beside stock -----------------------------------------------------------


@pytest.mark.fit
@pytest.mark.parametrize("save_freq", ["epoch", 2])
def test_run_equals_stocks(runtime, make_model, data, tmp_path, save_freq):
    """A run that is not interrupted: History, files, output, warnings."""
    stock, ours = parity.compare(
        runtime,
        lambda classes: [classes.BackupAndRestore("backup", save_freq)],
        make_model,
        data,
        tmp_path,
    )

    parity.assert_equal_runs(stock, ours, "save_freq", "delete_checkpoint")


@pytest.mark.fit
def test_files_are_named_as_stocks(runtime, make_model, data, tmp_path):
    """What a run leaves that keeps its backups."""
    stock, ours = parity.compare(
        runtime,
        lambda classes: [
            classes.BackupAndRestore("backup", delete_checkpoint=False)
        ],
        make_model,
        data,
        tmp_path,
    )

    assert list(ours.files) == list(stock.files)


@pytest.mark.fit
def test_metadata_is_stocks(make_model, data, tmp_path, runtime, keras3_only):
    """The JSON file, to the byte."""
    stock, ours = parity.compare(
        runtime,
        lambda classes: [
            classes.BackupAndRestore("backup", 2, delete_checkpoint=False)
        ],
        make_model,
        data,
        tmp_path,
        batch_size=8,
        epochs=1,
    )
    name = "backup/training_metadata.json"

    assert ours.files[name] == stock.files[name]
    assert json.loads(ours.files[name]) == {"epoch": 0, "batch": 1}


@pytest.mark.fit
@pytest.mark.parametrize("save_freq", ["epoch", 4])
def test_a_backup_of_stocks_is_taken_up(fit, stock, save_freq):
    """The import may be changed while a run lies interrupted."""
    crash(fit, stock("BackupAndRestore")("backup", save_freq), Crash(epochs=2))
    positions = Positions()
    fit(BackupAndRestore("backup", save_freq), positions, epochs=3)

    first = {"epoch": (2, 0), 4: (1, 1)}[save_freq]
    whole_epoch = (first[0], 0)
    assert positions.trained[0] in {first, whole_epoch}
    assert positions.trained[-1] == (2, 2)


@pytest.mark.fit
def test_stock_takes_up_ours(fit, stock):
    """And it may be changed back."""
    crash(fit, BackupAndRestore("backup"), Crash(epochs=2))
    resumed = fit(stock("BackupAndRestore")("backup"))

    assert resumed.record.epoch == [2, 3]
