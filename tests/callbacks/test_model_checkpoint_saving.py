"""What ModelCheckpoint does besides what Keras's does."""

import copy
import os
import pickle
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import kerascb
from kerascb import LambdaCallback, ModelCheckpoint
from kerascb.checkpoint.files import filesystem
from kerascb.checkpoint.store import CheckpointStore
from kerascb.errors import InvalidArgument, MissingDependency
from kerascb.layouts import hdf5
from kerascb.testing import drive

TIMEOUT_S = 60

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*Keras 3 itself saves:UserWarning",
    "ignore:You are saving your model as an HDF5 file:UserWarning",
    "ignore:__array__ implementation doesn't accept:DeprecationWarning",
)
FORMATS = [
    ("m.keras", False),
    ("m.h5", False),
    ("m.weights.h5", True),
    ("w.h5", True),
    ("ckpt", True),
    ("folder", False),
]


def _losses(*values):
    return [{"loss": value} for value in values]


def _names(folder="."):
    return sorted(entry.name for entry in Path(folder).iterdir())


@pytest.fixture
def failing(monkeypatch):
    """Makes the next writes of checkpoints fail."""
    failures = []
    commit = CheckpointStore._commit

    def fail(self, *arguments):
        if failures:
            raise failures.pop(0)
        commit(self, *arguments)

    monkeypatch.setattr(CheckpointStore, "_commit", fail)
    return failures


@pytest.fixture
def gate(monkeypatch):
    """Keeps the background from writing until it is opened."""
    opened = threading.Event()
    commit = CheckpointStore._commit

    def wait(self, *arguments):
        if threading.current_thread() is not threading.main_thread():
            assert opened.wait(TIMEOUT_S)
        commit(self, *arguments)

    monkeypatch.setattr(CheckpointStore, "_commit", wait)
    yield opened
    opened.set()


# -- arguments --------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_to_keep": 0},
        {"max_to_keep": True},
        {"max_to_keep": 1.5},
        {"keep_best": -1},
        {"keep_best": "2"},
        {"every_n_epochs": 0},
        {"every_n_seconds": 0},
        {"every_n_seconds": -1.0},
        {"every_n_seconds": float("nan")},
        {"every_n_seconds": float("inf")},
        {"every_n_seconds": "5"},
        {"on_error": "ignore"},
        {"on_error": True},
        {"retries": -1},
        {"retries": 1.5},
        {"retries": True},
        {"resume_best": "always"},
        {"resume_best": 1},
        {"background": "yes"},
        {"verify": None},
        {"save_on_train_end": 1},
        {"save_on_exception": "no"},
    ],
    ids=str,
)
def test_a_value_that_means_nothing_is_refused(wrong):
    """In the constructor, with the value and what there is."""
    [(name, value)] = wrong.items()

    with pytest.raises(InvalidArgument, match=f"got {name}={value!r}"):
        ModelCheckpoint("m-{epoch}.keras", **wrong)


@pytest.mark.parametrize(
    "two",
    [
        {"save_freq": 5, "every_n_epochs": 2},
        {"save_freq": 5, "every_n_seconds": 60},
        {"every_n_epochs": 2, "every_n_seconds": 60},
        {"every_n_epochs": 2, "period": 2},
    ],
    ids=str,
)
def test_two_schedules_are_refused(two):
    """Which of them should count cannot be guessed."""
    names = " and ".join(f"{name}={value}" for name, value in two.items())
    with pytest.raises(InvalidArgument, match=f"{names} are two answers"):
        ModelCheckpoint("m.keras", **two)


@pytest.mark.parametrize("name", ["max_to_keep", "keep_best"])
def test_several_of_one_name_cannot_be_kept(name):
    """Each would replace the one before."""
    with pytest.raises(InvalidArgument, match="differs from save to save"):
        ModelCheckpoint("m.keras", **{name: 2})


@pytest.mark.parametrize("name", ["save_on_train_end", "save_on_exception"])
def test_the_last_state_may_not_replace_the_best(name):
    """`save_best_only` means that nothing worse is written there."""
    with pytest.raises(InvalidArgument, match="second ModelCheckpoint"):
        ModelCheckpoint("m.keras", save_best_only=True, **{name: True})


def test_additions_are_keywords_only():
    """A later Keras may add an argument without taking one of ours."""
    with pytest.raises(TypeError, match="positional"):
        ModelCheckpoint(
            "m", "loss", 0, False, False, "auto", "epoch", None, None, True
        )


def test_a_scheme_nobody_drives_is_refused_at_once(monkeypatch):
    """needs.md: nothing is found out after an epoch on a remote machine."""
    monkeypatch.setattr(filesystem, "remote_filesystem", _nobody)

    with pytest.raises(MissingDependency, match="s3fs"):
        ModelCheckpoint("s3://bucket/m.keras")


def _nobody(path):
    raise MissingDependency(path, "s3fs")


# -- when -------------------------------------------------------------------


def test_every_n_epochs():
    """k#16734: what `period` was, without its warning."""
    checkpoint = ModelCheckpoint("m-{epoch}.keras", every_n_epochs=2)

    run = drive([checkpoint], epochs=_losses(1, 1, 1, 1, 1))

    assert run.model.saved == ["m-2.keras", "m-4.keras"]


def test_every_n_seconds(monkeypatch):
    """Due at the first batch after so much time, counted from the last."""
    times = iter([0.0, 4.0, 11.0, 12.0, 20.9, 21.0, 22.0])
    monkeypatch.setattr("time.monotonic", lambda: next(times))
    checkpoint = ModelCheckpoint("m-{batch}.keras", every_n_seconds=10)

    run = drive([checkpoint], losses=[1.0] * 5)

    assert run.model.saved == ["m-2.keras", "m-5.keras"]


def test_every_n_seconds_knows_the_batch_at_the_end_of_an_epoch(monkeypatch):
    """Due while validation ran, the save has the last batch's number."""
    times = iter([0.0, 1.0, 2.0, 20.0])
    monkeypatch.setattr("time.monotonic", lambda: next(times))
    checkpoint = ModelCheckpoint("m-{batch}.keras", every_n_seconds=10)

    run = drive([checkpoint], losses=[1.0] * 2)

    assert run.model.saved == ["m-2.keras"]


def test_save_on_train_end_saves_what_no_epoch_saved():
    """With `every_n_epochs` the last epochs would be lost."""
    checkpoint = ModelCheckpoint(
        "m-{epoch}.keras", every_n_epochs=2, save_on_train_end=True
    )

    run = drive([checkpoint], epochs=_losses(1, 1, 1))

    assert run.model.saved == ["m-2.keras", "m-3.keras"]


@pytest.mark.fit
def test_save_on_train_end_saves_nothing_twice(model, data):
    """The last epoch's own save is enough."""
    written = []
    checkpoint = ModelCheckpoint("m.keras", save_on_train_end=True)
    save = checkpoint._write
    checkpoint._write = lambda *args: (written.append(args[1]), save(*args))

    model.fit(*data, epochs=2, verbose=0, callbacks=[checkpoint])

    assert written == ["m.keras"] * 2


# -- an error or Ctrl-C -----------------------------------------------------


@pytest.mark.fit
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_in_fit_leaves_the_last_state(model, data, error):
    """k#12309, pl#2095: hours of training are not lost to Ctrl-C."""

    def fail(batch, logs):
        if batch == 1:
            raise error("enough")

    checkpoint = ModelCheckpoint("m.keras", save_on_exception=True)
    other = LambdaCallback(on_train_batch_end=fail)
    with pytest.raises(error):
        model.fit(*data, batch_size=4, verbose=0, callbacks=[checkpoint, other])

    loaded = kerascb.load_model("m.keras")
    for expected, found in zip(
        model.get_weights(), loaded.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.fit
def test_a_state_within_an_epoch_has_its_batch_and_no_metrics(model, data):
    """It is not taken for the end of an epoch that it never saw."""

    def fail(batch, logs):
        if batch == 1:
            raise RuntimeError("enough")

    checkpoint = ModelCheckpoint("m.keras", save_on_exception=True)
    other = LambdaCallback(on_train_batch_end=fail)
    with pytest.raises(RuntimeError):
        model.fit(*data, batch_size=4, verbose=0, callbacks=[checkpoint, other])

    [record] = kerascb.checkpoints(".")
    assert (record.epoch, record.batch, record.metrics) == (1, 2, {})


@pytest.mark.fit
def test_an_error_of_the_last_save_does_not_hide_the_first(
    model, data, failing, warned
):
    """The user sees why `fit` ended, and is warned that nothing was saved."""

    def fail(batch, logs):
        failing.append(OSError("disk gone"))
        raise RuntimeError("the cause")

    checkpoint = ModelCheckpoint("m.keras", save_on_exception=True)
    other = LambdaCallback(on_train_batch_end=fail)
    with pytest.raises(RuntimeError, match="the cause"):
        model.fit(*data, verbose=0, callbacks=[checkpoint, other])

    assert any("disk gone" in text for text in warned)


# -- in the background ------------------------------------------------------


@pytest.mark.fit
@pytest.mark.parametrize(("name", "weights_only"), FORMATS)
def test_background_saves_hold_the_state_of_their_step(
    model, data, needs_format, gate, name, weights_only
):
    """needs.md 21: training goes on, the file stays what it was to be."""
    needs_format(name, weights_only)
    checkpoint = ModelCheckpoint(
        name, save_weights_only=weights_only, background=True
    )
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    expected = [weight.copy() for weight in model.get_weights()]

    checkpoint.on_epoch_end(0, {})
    model.train_on_batch(*data)
    gate.set()
    checkpoint.wait()

    assert any(
        (new != old).any()
        for new, old in zip(model.get_weights(), expected, strict=True)
    )
    kerascb.load_weights(model, name)
    for found, old in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(found, old)


def test_training_waits_for_a_full_queue_and_says_so_once(
    model, gate, warned, monkeypatch
):
    """However many saves are asked for, two states at most are in memory."""
    checkpoint = ModelCheckpoint("m.keras", background=True)
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    tell = checkpoint._store._tell_of_queue

    def tell_and_open():
        tell()
        gate.set()

    monkeypatch.setattr(checkpoint._store, "_tell_of_queue", tell_and_open)
    for epoch in range(5):
        checkpoint.on_epoch_end(epoch, {})
    checkpoint.wait()

    assert sum("training waits for the disk" in text for text in warned) <= 1


def test_a_failed_background_save_is_raised_at_the_next_hook(model, failing):
    """google/orbax#605: no error is lost in a thread."""
    checkpoint = ModelCheckpoint("m.keras", background=True)
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    failing.append(OSError("disk gone"))

    checkpoint.on_epoch_end(0, {})
    checkpoint._store._writer.join()

    with pytest.raises(OSError, match="disk gone"):
        checkpoint.on_epoch_begin(1)


def test_a_failed_background_save_is_raised_at_latest_in_on_train_end(
    model, failing
):
    """Also that of the last epoch."""
    checkpoint = ModelCheckpoint("m.keras", background=True)
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    failing.append(OSError("disk gone"))

    checkpoint.on_epoch_end(0, {})

    with pytest.raises(OSError, match="disk gone"):
        checkpoint.on_train_end()


@pytest.mark.parametrize("background", [False, True])
def test_on_error_warn_trains_on(model, failing, warned, background):
    """k#11101, k#11796: a full disk costs a checkpoint, not the run."""
    checkpoint = ModelCheckpoint(
        "m.keras", on_error="warn", background=background
    )
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    failing.append(OSError("disk gone"))

    checkpoint.on_epoch_end(0, {})
    checkpoint.wait()
    checkpoint.on_epoch_end(1, {})
    checkpoint.on_train_end()

    assert sum("disk gone" in text for text in warned) == 1
    assert Path("m.keras").exists()


@pytest.mark.parametrize("background", [False, True])
def test_a_best_that_was_not_saved_is_none(model, failing, warned, background):
    """What is better than the file is saved, whatever failed between."""
    checkpoint = _best(on_error="warn", background=background)
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    for epoch, loss in enumerate([0.5, 0.2, 0.3]):
        checkpoint.on_epoch_begin(epoch)
        if loss == 0.2:
            failing.append(OSError("disk gone"))
        checkpoint.on_epoch_end(epoch, {"loss": loss})
        checkpoint.wait()
    checkpoint.on_train_end()

    assert (checkpoint.best, _saved_at()) == (0.3, 0.3)
    assert sum("disk gone" in text for text in warned) == 1


@pytest.mark.usefixtures("warned")
def test_a_last_state_that_failed_before_is_saved(model, failing):
    """`save_on_train_end` does not take a failed save for a save."""
    checkpoint = ModelCheckpoint(
        "m.keras", on_error="warn", save_on_train_end=True
    )
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    checkpoint.on_epoch_begin(0)
    failing.append(OSError("disk gone"))
    checkpoint.on_epoch_end(0, {"loss": 1.0})
    assert not Path("m.keras").exists()

    checkpoint.on_train_end({"loss": 1.0})

    assert Path("m.keras").exists()


@pytest.mark.fit
def test_a_failed_save_does_not_keep_the_last_state_from_being_saved(
    model, data, failing
):
    """A disk that was full for a moment costs one checkpoint."""
    checkpoint = ModelCheckpoint(
        "m.keras", save_freq=1, background=True, save_on_exception=True
    )

    def join(batch, logs):
        checkpoint._store._writer.join()

    failing.append(OSError("disk gone"))
    other = LambdaCallback(on_train_batch_end=join)
    with pytest.raises(OSError, match="disk gone"):
        model.fit(*data, batch_size=4, verbose=0, callbacks=[checkpoint, other])

    assert Path("m.keras").exists()


def test_failures_are_heard_of_within_an_epoch(model, failing):
    """A long epoch does not lose every checkpoint unnoticed."""
    checkpoint = ModelCheckpoint("m.keras", save_freq=1, background=True)
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    checkpoint.on_epoch_begin(0)
    failing.append(OSError("disk gone"))
    checkpoint.on_train_batch_end(0, {})
    checkpoint._store._writer.join()

    with pytest.raises(OSError, match="disk gone"):
        checkpoint.on_train_batch_end(1, {})


def test_the_next_fit_is_not_ended_by_failures_of_the_last(
    model, failing, warned
):
    """They are told, and over."""
    checkpoint = ModelCheckpoint("m.keras", background=True)
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    failing.append(OSError("disk gone"))
    checkpoint.on_epoch_end(0, {})
    checkpoint._store._writer.join()

    _save_epochs(model, checkpoint, 0.5)

    assert Path("m.keras").exists()
    assert sum("disk gone" in text for text in warned) == 1


def test_on_error_warn_covers_what_goes_wrong_before_writing(
    model, monkeypatch, warned
):
    """A `get_config` of the user's that fails ends no training either."""
    checkpoint = ModelCheckpoint("m.keras", on_error="warn")

    def fail(*args, **kwargs):
        raise ValueError("no config")

    monkeypatch.setattr(type(model), "get_config", fail)
    _save_epochs(model, checkpoint, 0.5)

    assert sum("no config" in text for text in warned) == 1


def test_a_model_that_saves_itself_does_so_at_once(warned):
    """Its code may read the model, so it runs in the training thread."""
    checkpoint = ModelCheckpoint("m.keras", background=True)

    run = drive([checkpoint], epochs=_losses(1, 1))

    assert run.model.saved == ["m.keras", "m.keras"]
    assert sum("in the training thread" in text for text in warned) == 1


# -- retries ----------------------------------------------------------------


@pytest.fixture
def naps(monkeypatch):
    """How long retries would have slept."""
    naps = []
    # Of tenacity alone: threads of others sleep as well.
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=naps.append))
    return naps


def test_a_busy_drive_is_tried_again(model, failing, naps):
    """tf#32505: a lock that is gone in a second ends no run."""
    checkpoint = ModelCheckpoint("m.keras", retries=3)
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    failing.extend([OSError("busy"), OSError("busy")])

    checkpoint.on_epoch_end(0, {})

    assert Path("m.keras").exists()
    assert naps == [0.5, 1.0]


def test_retries_end(model, failing, naps):
    """The error is the drive's own."""
    checkpoint = ModelCheckpoint("m.keras", retries=1)
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    failing.extend([OSError("busy"), OSError("still busy")])

    with pytest.raises(OSError, match="still busy"):
        checkpoint.on_epoch_end(0, {})


def test_what_waiting_does_not_mend_is_not_retried(model, failing, naps):
    """A wrong path stays wrong."""
    checkpoint = ModelCheckpoint("m.keras", retries=5)
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    failing.append(IsADirectoryError("m.keras"))

    with pytest.raises(IsADirectoryError):
        checkpoint.on_epoch_end(0, {})
    assert naps == []


# -- what is kept -----------------------------------------------------------


def _save_epochs(model, checkpoint, *losses, first=0):
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    for epoch, loss in enumerate(losses, first):
        checkpoint.on_epoch_begin(epoch)
        checkpoint.on_epoch_end(epoch, {"loss": loss})
        checkpoint.wait()
    checkpoint.on_train_end()


@pytest.mark.parametrize("background", [False, True])
def test_max_to_keep_keeps_the_newest(model, background):
    """k#12737, tf#33658: the disk does not fill up."""
    checkpoint = ModelCheckpoint(
        "c/m-{epoch}.keras", max_to_keep=2, background=background
    )

    _save_epochs(model, checkpoint, 4, 3, 2, 1)

    assert [n for n in _names("c") if n.startswith("m")] == [
        "m-3.keras",
        "m-4.keras",
    ]


def test_keep_best_keeps_the_best_besides_the_newest(model):
    """Rolling and best are kept apart."""
    checkpoint = ModelCheckpoint(
        "c/m-{epoch}.keras", monitor="loss", max_to_keep=1, keep_best=2
    )

    _save_epochs(model, checkpoint, 5.0, 1.0, 4.0, 2.0, 3.0)

    assert [n for n in _names("c") if n.startswith("m")] == [
        "m-2.keras",
        "m-4.keras",
        "m-5.keras",
    ]


def test_keep_best_goes_by_the_users_own_comparison(model):
    """`monitor_op` decides, also about what is removed."""
    checkpoint = ModelCheckpoint(
        "c/m-{epoch}.keras", monitor="score", keep_best=1
    )
    checkpoint.monitor_op = np.greater
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    for epoch, score in enumerate([0.1, 0.9, 0.2]):
        checkpoint.on_epoch_begin(epoch)
        checkpoint.on_epoch_end(epoch, {"score": score})
    checkpoint.on_train_end()

    assert [n for n in _names("c") if n.startswith("m")] == [
        "m-2.keras",
        "m-3.keras",
    ]


def test_what_others_wrote_is_never_removed(model):
    """Only checkpoints that this callback made are its to remove."""
    Path("c").mkdir()
    Path("c/m-0.keras").write_bytes(b"mine")
    Path("c/notes.txt").write_bytes(b"mine too")

    _save_epochs(
        model, ModelCheckpoint("c/m-{epoch}.keras", max_to_keep=1), 2, 1
    )

    assert {"m-0.keras", "notes.txt"} < set(_names("c"))


def test_a_run_that_goes_on_counts_what_the_last_one_kept(model):
    """A killed run's checkpoints are removed by its successor in their turn."""
    _save_epochs(
        model, ModelCheckpoint("c/m-{epoch}.keras", max_to_keep=2), 3, 2
    )
    _save_epochs(
        model,
        ModelCheckpoint("c/m-{epoch}.keras", max_to_keep=2),
        1,
        first=2,
    )

    assert [n for n in _names("c") if n.startswith("m")] == [
        "m-2.keras",
        "m-3.keras",
    ]


def test_a_plain_call_leaves_stocks_files_and_no_others(model):
    """No manifest, no lock, nothing temporary."""
    _save_epochs(model, ModelCheckpoint("c/m.keras"), 2, 1)

    assert _names("c") == ["m.keras"]


def test_a_plain_call_over_a_listed_checkpoint_is_listed(model):
    """What is in the folder and what its manifest says stay one."""
    _save_epochs(model, ModelCheckpoint("c/m.keras", verify=True), 2)

    _save_epochs(model, ModelCheckpoint("c/m.keras"), 1)

    [record] = kerascb.checkpoints("c")
    assert (record.metrics, record.verify()) == ({"loss": 1.0}, [])


# -- the best so far --------------------------------------------------------


def _best(**how):
    return ModelCheckpoint(
        "best.keras", monitor="loss", save_best_only=True, **how
    )


def _saved_at(path="best.keras"):
    return kerascb.checkpoints(os.path.dirname(path) or ".")[-1].metrics["loss"]


def test_a_run_that_goes_on_does_not_overwrite_a_better_model(model):
    """k#12803, k#11420, k#15491: needs.md's second pain."""
    _save_epochs(model, _best(), 0.5, 0.1)
    again = _best()

    _save_epochs(model, again, 0.3, first=2)

    assert (again.best, _saved_at()) == (0.1, 0.1)


def test_a_run_that_goes_on_saves_what_is_better(model):
    """The value that was read back is there to be beaten."""
    _save_epochs(model, _best(), 0.5, 0.1)

    _save_epochs(model, _best(), 0.05, first=2)

    assert _saved_at() == 0.05


def test_a_fresh_fit_starts_anew(model):
    """Another experiment is not measured by what an old file says."""
    _save_epochs(model, _best(), 0.1)

    _save_epochs(model, _best(), 0.3)

    assert _saved_at() == 0.3


def test_the_next_fold_starts_anew(make_model, data):
    """One callback, another model: its first epoch is saved."""
    fold = _best()
    for loss in (0.1, 0.3):
        model = make_model(optimizer="adam")
        model.train_on_batch(*data)
        _save_epochs(model, fold, loss)

    assert (fold.best, _saved_at()) == (0.3, 0.3)


def test_the_same_model_goes_on_with_its_best(model):
    """As in Keras: two fits of one model are one training."""
    checkpoint = _best()
    _save_epochs(model, checkpoint, 0.1)
    _save_epochs(model, checkpoint, 0.3)

    assert (checkpoint.best, _saved_at()) == (0.1, 0.1)


def test_the_value_of_a_plain_checkpoint_is_to_be_beaten(model):
    """Also where the run before did not save the best only."""
    _save_epochs(model, ModelCheckpoint("best.keras", "loss"), 0.2)

    _save_epochs(model, _best(), 0.3, first=1)

    assert _saved_at() == 0.2


def test_resume_best_can_be_forced(model):
    """For runs that are taken up by hand from epoch 0."""
    _save_epochs(model, _best(), 0.1)
    forced = _best(resume_best=True)
    _save_epochs(model, forced, 0.3)

    assert (forced.best, _saved_at()) == (0.1, 0.1)


def test_resume_best_can_be_forbidden(model):
    """Whatever is there, and whichever epoch it is."""
    _save_epochs(model, _best(), 0.1)
    _save_epochs(model, _best(resume_best=False), 0.3, first=5)

    assert _saved_at() == 0.3


def test_a_better_threshold_of_the_user_stands(model):
    """What was read back lowers no bar."""
    _save_epochs(model, _best(), 0.5)
    strict = _best(initial_value_threshold=0.1)
    _save_epochs(model, strict, 0.3, first=1)

    assert strict.best == 0.1


def test_a_file_that_does_not_tell_its_value_is_warned_of(model, warned):
    """Stock's checkpoints do not say what they were judged by."""
    model.save("best.keras")

    _save_epochs(model, _best(), 0.3, first=1)

    assert sum("does not tell the best `loss`" in text for text in warned) == 1


# -- what is in the files ---------------------------------------------------


def test_the_note_is_no_obstacle_to_stock(model, keras):
    """Keras reads a file with a note as one without."""
    _save_epochs(model, ModelCheckpoint("m.weights.h5"), 0.5)
    import h5py

    with h5py.File("m.weights.h5") as file:
        assert hdf5.NOTE_NAME in file


def test_verified_saves_are_read_back(model, monkeypatch):
    """A disk that lies is found out before the old file is replaced."""
    _save_epochs(model, ModelCheckpoint("m.keras", verify=True), 0.5)

    [record] = kerascb.checkpoints(".")
    assert record.verify() == []


def test_pickled_and_copied_with_everything(model):
    """Threads and open files stay behind."""
    checkpoint = ModelCheckpoint(
        "m-{epoch}.keras", background=True, max_to_keep=2
    )
    _save_epochs(model, checkpoint, 0.5)

    for copied in (
        pickle.loads(pickle.dumps(checkpoint)),
        copy.deepcopy(checkpoint),
    ):
        _save_epochs(model, copied, 0.4, 0.3, 0.2)
    assert len([n for n in _names() if n.endswith(".keras")]) == 2
