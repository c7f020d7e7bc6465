import copy
import errno
import itertools
import os
import pickle
import signal
from pathlib import Path

import numpy as np
import pytest

from kerascb import (
    BackupAndRestore,
    Callback,
    EarlyStopping,
    ReduceLROnPlateau,
    TerminateOnNaN,
)
from kerascb.callbacks import _backup_session
from kerascb.errors import (
    BackupInUse,
    BackupOfOtherModel,
    InvalidArgument,
    Preempted,
    UnreadableBackup,
    UnwritablePath,
)
from kerascb.runtime import Position
from kerascb.testing import FakeModel, drive
from tests import parity
from tests.callbacks.crashing import (
    Crash,
    Positions,
    crash,
    weights_equal,
)

NAN = float("nan")


class Saves:
    """A run that only notes what it is asked to do."""

    def __init__(self):
        self.position = None
        self.saved = []
        self.deleted = False
        self.is_writing = False

    def __call__(self, model, keras, directory, params, warn, fit):
        """Stands in for the constructor."""
        return self

    def open(self):
        """Locks nothing."""

    def restore_model(self, *, by_batch):
        """Finds what the test has put there."""
        return self.position

    def restore_callbacks(self, callbacks):
        """Has nothing for them."""

    def begin_epoch(self, epoch, batch):
        """Passes nothing over."""

    def back_up(self, position, logs, *, is_stopped):
        """Notes the position."""
        self.stopped = is_stopped
        self.saved.append((position.epoch, position.batch))

    def written(self):
        """Nothing has been written in the background."""
        return []

    def has_written(self, timeout_s):
        """There is nothing to wait for."""
        return True

    def warn_of_failures(self, consequence):
        """Nothing has failed."""

    def tell_of_failures(self):
        """Nothing has failed."""

    def has_backup(self):
        """There is what was saved."""
        return bool(self.saved)

    def delete(self):
        """Notes it."""
        self.deleted = True

    def close(self, timeout_s=None):
        """Holds nothing."""


@pytest.fixture
def store(runtime, monkeypatch):
    """Stands in for the files."""
    saves = Saves()
    monkeypatch.setattr(_backup_session, "BackedRun", saves)
    monkeypatch.setattr(runtime, "start_fit_at", lambda *args: None)
    return saves


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

    assert callback._weights_path == str(tmp_path / "backup" / "latest.npz")


def test_a_file_in_the_way_is_told_before_training(tmp_path):
    """A backup could never be written there."""
    (tmp_path / "taken").write_text("mine")

    with pytest.raises(UnwritablePath, match="backup_dir"):
        drive([BackupAndRestore(tmp_path / "taken" / "backup")], losses=[1.0])


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="Linux has it")
@pytest.mark.parametrize("name", ["backup", "new/backup"])
def test_pain_a_folder_that_only_seems_to_be_writable(name):
    """Permissions say yes, to root at least; it is told before training."""
    with pytest.raises(UnwritablePath, match=r"got backup_dir=.*in '/proc'"):
        drive([BackupAndRestore(f"/proc/{name}")], losses=[1.0])


def test_pain_a_disk_that_is_read_only(monkeypatch):
    """What it says when something is made there counts; one clear error."""

    def refuse(path):
        raise OSError(errno.EROFS, "Read-only file system", path)

    monkeypatch.setattr("os.mkdir", refuse)

    with pytest.raises(UnwritablePath, match=r"backup_dir.*Read-only"):
        drive([BackupAndRestore("backup")], losses=[1.0])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("every_n_seconds", 0),
        ("every_n_seconds", "10"),
        ("preemption_budget_s", -1),
        ("mid_epoch", "skip"),
    ],
)
def test_a_nonsense_value_is_refused_and_named(name, value):
    """In the constructor, not after an epoch."""
    with pytest.raises(InvalidArgument, match=name):
        BackupAndRestore("backup", **{name: value})


@pytest.mark.parametrize("overhead", [0, 1, -0.1, "3 %"])
def test_an_overhead_that_is_no_share_is_refused(overhead):
    """Between 0 and 1, and neither."""
    with pytest.raises(InvalidArgument, match="overhead"):
        BackupAndRestore("backup", save_freq="auto", overhead=overhead)


def test_two_ways_to_say_when_are_refused():
    """One of them would be ignored."""
    with pytest.raises(InvalidArgument, match="every_n_seconds"):
        BackupAndRestore("backup", save_freq=5, every_n_seconds=60)


def test_a_preemption_file_without_preemption_is_refused():
    """Nobody would look for it."""
    with pytest.raises(InvalidArgument, match="save_before_preemption"):
        BackupAndRestore("backup", preemption_file="stop")


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))]
)
def test_it_can_be_copied_and_pickled_after_a_run(again, tmp_path):
    """What it has open stays behind."""
    callback = BackupAndRestore(tmp_path / "backup", save_freq=3)
    drive([callback], losses=[1.0])

    twin = again(callback)

    assert (twin.save_freq, twin._session) == (3, None)


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
    """3 batches an epoch, every 2."""
    drive([BackupAndRestore("backup", 2)], epochs=[{"loss": 1.0}] * 2, steps=3)

    assert store.saved == [(0, 2), (1, 1), (1, 3)]


def test_the_last_batch_does_not_complete_its_epoch(store):
    """Validation is still to come, and what callbacks do after it."""
    drive([BackupAndRestore("backup", 3)], epochs=[{"loss": 1.0}], steps=3)

    assert store.saved == [(0, 3)]


def test_a_backup_waits_for_the_one_that_is_being_written(store):
    """Training does not; the next batch brings a newer one."""
    callback = BackupAndRestore("backup", save_freq=2)
    callback.set_model(FakeModel())
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    for batch in range(5):
        store.is_writing = batch == 1
        callback.on_train_batch_end(batch)

    assert store.saved == [(0, 3), (0, 4)]


def test_a_batch_that_stops_training_is_left_to_the_end_of_the_epoch(store):
    """There is no next batch to go on with."""
    callback = BackupAndRestore("backup", save_freq=1)
    model = FakeModel()
    callback.set_model(model)
    callback.set_params({"epochs": 9})
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    model.stop_training = True
    callback.on_train_batch_end(0)
    assert store.saved == []
    callback.on_epoch_end(0)

    assert store.saved == [(1, 0)]


def test_a_stop_is_remembered(store):
    """A fit restored after the last epoch before a stop trains no other."""
    callback = BackupAndRestore("backup")
    model = FakeModel()
    callback.set_model(model)
    callback.set_params({"epochs": 9})
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    model.stop_training = True
    callback.on_epoch_end(0)

    assert store.stopped


@pytest.mark.parametrize("place", [0, 1])
def test_every_other_callback_comes_first(store, place):
    """Wherever the callback stands in the list."""
    seen = []

    class Notes(Callback):
        """Notes how many backups there were at its events."""

        def on_epoch_end(self, epoch, logs=None):
            """Notes it."""
            seen.append(len(store.saved))

    callbacks = [Notes()]
    callbacks.insert(place, BackupAndRestore("backup"))
    drive(callbacks, epochs=[{"loss": 1.0}] * 2)

    assert seen == [0, 1]


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

    assert store.saved == [(2, 1), (2, 2)]


def test_counting_goes_on_after_a_restored_batch(store):
    """The batches before the restored one have been counted already."""
    callback = BackupAndRestore("backup", save_freq=2)
    store.position = Position(0, 4)
    callback.set_model(FakeModel())
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    for batch in (4, 5, 6):
        callback.on_train_batch_end(batch)

    assert store.saved == [(0, 6)]


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

    assert store.saved == [(0, 1), (0, 3)]


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

    assert resumed.record.epoch == [0, 1, 2, 3]
    assert resumed.record.history == whole.record.history
    assert weights_equal(resumed, whole)


ORDERS = list(itertools.permutations(range(4)))


@pytest.mark.fit
@pytest.mark.parametrize(
    "order",
    [
        *ORDERS[::5],
        *(
            pytest.param(order, marks=pytest.mark.soak)
            for order in ORDERS
            if order not in ORDERS[::5]
        ),
    ],
)
def test_the_order_of_the_callbacks_makes_no_difference(
    fit, make_model, data, order
):
    """What they remember, the weights and the record are the same."""

    def run(crash_after):
        stop = EarlyStopping("val_loss", patience=3, min_delta=1.0)
        callbacks = [
            stop,
            ReduceLROnPlateau("val_loss", patience=1, min_delta=1.0),
            BackupAndRestore("backup", 2, background=False),
            Crash(batches=crash_after),
        ]
        model = make_model("adam")
        fit(
            *(callbacks[place] for place in order),
            model=model,
            validation_data=data,
        )
        return model, stop

    whole, stop = run(None)
    with pytest.raises(RuntimeError, match="killed"):
        run(8)
    resumed, stop_again = run(None)

    assert resumed.record.history == whole.record.history
    assert weights_equal(resumed, whole)
    assert (stop_again.wait, stop_again.best) == (stop.wait, stop.best)


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
def test_pain_a_run_goes_on_with_the_next_batch(fit):
    """Keras 3 trained the whole epoch again, Keras 2 the first batches."""
    crash(
        fit, BackupAndRestore("backup", 1, background=False), Crash(batches=5)
    )
    positions = Positions()
    fit(BackupAndRestore("backup", 1), positions, epochs=2)

    assert positions.trained == [(1, 1), (1, 2)]


@pytest.mark.fit
def test_the_epoch_may_be_begun_again(fit):
    """What Keras 3 does; `mid_epoch="restart"`."""
    crash(
        fit, BackupAndRestore("backup", 1, background=False), Crash(batches=5)
    )
    positions = Positions()
    fit(BackupAndRestore("backup", 1, mid_epoch="restart"), positions, epochs=2)

    assert positions.trained == [(1, 0), (1, 1), (1, 2)]


@pytest.mark.fit
def test_keras2_goes_on_counting_its_steps(fit, keras2_only):
    """TensorBoard and others read the model's counter."""
    crash(
        fit, BackupAndRestore("backup", 1, background=False), Crash(batches=5)
    )
    model = fit(BackupAndRestore("backup", 1), epochs=2)

    assert model._train_counter.numpy() == 6


@pytest.mark.fit
def test_an_epoch_without_batches_left_is_validated(fit, data):
    """Killed between the last batch and the end of the epoch."""
    crash(
        fit,
        BackupAndRestore("backup", 3, background=False),
        Crash(batches=3),
        validation_data=data,
    )
    resumed = fit(BackupAndRestore("backup", 3), validation_data=data, epochs=2)
    whole = fit(validation_data=data, epochs=2)

    assert resumed.record.history == whole.record.history


@pytest.mark.fit
def test_save_freq_may_change_between_two_starts(fit):
    """What a backup says does not depend on who reads it."""
    crash(fit, BackupAndRestore("backup", "epoch"), Crash(epochs=2))
    resumed = fit(BackupAndRestore("backup", 100))

    assert resumed.record.epoch == [0, 1, 2, 3]


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

    assert resumed.record.epoch == [0, 1, 2, 3]
    assert np.isfinite(resumed.record.history["loss"]).all()


@pytest.mark.fit
def test_a_damaged_backup_falls_back_on_the_one_before(fit, warned):
    """And says so."""
    crash(fit, BackupAndRestore("backup", background=False), Crash(epochs=3))
    newest = Path("backup/latest.npz")
    newest.write_bytes(newest.read_bytes()[:50])
    positions = Positions()
    fit(BackupAndRestore("backup"), positions)

    assert positions.trained[0] == (1, 0)
    assert "latest.npz" in warned[0]


@pytest.mark.fit
def test_damaged_backups_are_named_and_kept(fit):
    """One error, which says what to do."""
    crash(fit, BackupAndRestore("backup", background=False), Crash(epochs=3))
    for name in ("latest.npz", "previous.npz"):
        Path("backup", name).write_bytes(b"no backup")

    with pytest.raises(UnreadableBackup, match="Nothing has been deleted"):
        fit(BackupAndRestore("backup"))

    assert Path("backup/latest.npz").exists()


@pytest.mark.fit
def test_a_backup_of_another_model_is_refused_and_kept(fit, keras, data):
    """With the first difference named."""
    crash(fit, BackupAndRestore("backup"), Crash(epochs=2))
    other = keras.Sequential(
        [
            keras.layers.Input((4,)),
            keras.layers.Dense(6, activation="relu", name="hidden"),
            keras.layers.Dense(3, activation="softmax", name="classes"),
        ]
    )
    other.compile(
        "sgd", "sparse_categorical_crossentropy", metrics=["accuracy"]
    )

    with pytest.raises(BackupOfOtherModel, match=r"hidden.*\(4, 5\).*\(4, 6\)"):
        fit(BackupAndRestore("backup"), model=other)

    assert Path("backup/latest.npz").exists()


@pytest.mark.fit
def test_two_runs_cannot_share_a_folder(fit):
    """The second is told who has it."""

    class FitsAnother(Callback):
        """Starts a second fit in the middle of the first."""

        def on_epoch_end(self, epoch, logs=None):
            """Expects it to be refused."""
            with pytest.raises(BackupInUse, match=str(os.getpid())):
                fit(BackupAndRestore("backup"))

    fit(BackupAndRestore("backup"), FitsAnother(), epochs=1)


@pytest.mark.fit
def test_a_fit_that_failed_leaves_the_folder_to_the_next(fit):
    """In the same process, with another callback."""
    crash(fit, BackupAndRestore("backup"), Crash(epochs=2))
    resumed = fit(BackupAndRestore("backup"))

    assert resumed.record.epoch == [0, 1, 2, 3]


@pytest.mark.fit
def test_an_unbuilt_model_is_restored(keras, data):
    """Keras 3 refused it, Keras 2 restored it when it had weights."""
    x, y = data

    def unbuilt():
        model = keras.Sequential(
            [keras.layers.Dense(3, activation="softmax", name="classes")]
        )
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    def fit(model, *callbacks):
        model.fit(
            x, y, 8, 3, verbose=0, shuffle=False, callbacks=list(callbacks)
        )
        return model

    keras.utils.set_random_seed(1)
    whole = fit(unbuilt())
    keras.utils.set_random_seed(1)
    with pytest.raises(RuntimeError, match="killed"):
        fit(unbuilt(), BackupAndRestore("backup"), Crash(epochs=2))
    keras.utils.set_random_seed(5)
    resumed = fit(unbuilt(), BackupAndRestore("backup"))

    assert weights_equal(resumed, whole)


@pytest.mark.fit
def test_a_preemption_ends_the_fit_with_a_backup(fit):
    """At the next end of a batch; nothing is lost."""

    class Notice(Callback):
        """Is told of a preemption in the second epoch."""

        def on_train_batch_begin(self, batch, logs=None):
            """The cluster sends its signal."""
            if self.model.optimizer.iterations == 4:
                signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Preempted) as caught:
        fit(BackupAndRestore("backup", save_before_preemption=True), Notice())
    resumed = fit(BackupAndRestore("backup"))

    assert caught.value.code == 143
    assert weights_equal(resumed, fit())


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
