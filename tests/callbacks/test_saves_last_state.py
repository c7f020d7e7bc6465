"""The last state of a training: saved when it ends, and not twice."""

import errno
from pathlib import Path

import numpy as np
import pytest

import kerascb
from kerascb import (
    EarlyStopping,
    LambdaCallback,
    ModelCheckpoint,
    SwapEMAWeights,
)
from kerascb.checkpoint.commit import staging
from kerascb.errors import SaveFailed

pytestmark = pytest.mark.filterwarnings(
    "ignore:You are saving your model as an HDF5 file:UserWarning",
    "ignore:__array__ implementation doesn't accept:DeprecationWarning",
)


@pytest.fixture
def written(monkeypatch):
    """The paths that were written to."""
    written = []
    write = ModelCheckpoint._write

    def note(self, model, path, *arguments):
        written.append(path)
        write(self, model, path, *arguments)

    monkeypatch.setattr(ModelCheckpoint, "_write", note)
    return written


@pytest.fixture
def full(monkeypatch):
    """The disk is full."""

    def fail(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(staging, "write_file", fail)


def _train(model, checkpoint, meanwhile=lambda: None):
    """An epoch that is saved at its end, and the end of training."""
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    checkpoint.on_epoch_begin(0)
    checkpoint.on_train_batch_end(0, {"loss": 1.0})
    checkpoint.on_epoch_end(0, {"loss": 1.0})
    meanwhile()
    checkpoint.on_train_end({"loss": 1.0})


def _assert_holds(path, model):
    loaded = kerascb.load_model(path)
    for found, expected in zip(
        loaded.get_weights(), model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


# -- the end of training ----------------------------------------------------


@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize("schedule", [{}, {"save_freq": 1}], ids=str)
def test_what_is_saved_already_is_not_saved_again(
    model, written, schedule, background
):
    """The values are the same, and so is the path."""
    checkpoint = ModelCheckpoint(
        "m.keras", save_on_train_end=True, background=background, **schedule
    )

    _train(model, checkpoint)

    assert written == ["m.keras"]


@pytest.mark.usefixtures("warned")
@pytest.mark.parametrize(
    ("filepath", "weights_only"),
    [
        ("m.h5", False),
        ("m.weights.h5", True),
        ("w.h5", True),
        ("cp", True),
        ("folder", False),
    ],
)
def test_no_format_is_written_twice(
    model, written, needs_format, filepath, weights_only
):
    """Dates and random numbers in a file do not make it another."""
    target = needs_format(filepath, weights_only)
    checkpoint = ModelCheckpoint(
        filepath, save_weights_only=weights_only, save_on_train_end=True
    )

    _train(model, checkpoint)

    assert written == [target.path]


@pytest.mark.parametrize("background", [False, True])
def test_weights_that_were_changed_after_the_last_step_are_saved(
    model, background
):
    """No step was made, yet the file would not hold what the model is."""
    checkpoint = ModelCheckpoint(
        "m.keras", save_on_train_end=True, background=background
    )

    def change():
        model.set_weights([weight + 1 for weight in model.get_weights()])

    _train(model, checkpoint, change)

    _assert_holds("m.keras", model)


def test_a_learning_rate_that_was_changed_after_the_last_step_is_saved(
    keras, make_model, data
):
    """Be it a variable, as in Keras 3, or part of the configuration."""
    model = make_model(optimizer=keras.optimizers.Adam())
    model.train_on_batch(*data)
    checkpoint = ModelCheckpoint("m.keras", save_on_train_end=True)

    def change():
        model.optimizer.learning_rate.assign(0.125)

    _train(model, checkpoint, change)

    loaded = kerascb.load_model("m.keras")
    assert float(np.asarray(loaded.optimizer.learning_rate)) == 0.125


def test_the_last_state_has_its_own_path(model, written):
    """What was saved elsewhere is not saved under the path asked for."""
    checkpoint = ModelCheckpoint(
        "m-{epoch}-{loss}.keras", save_on_train_end=True
    )
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    checkpoint.on_epoch_end(0, {"loss": 1.0})

    checkpoint.on_train_end({"loss": 0.5})

    assert written == ["m-1-1.0.keras", "m-1-0.5.keras"]


def test_the_last_state_of_batches_has_its_batch(model, written, warned):
    """`{batch}` is the last one that was trained."""
    checkpoint = ModelCheckpoint(
        "m-{batch}.keras", save_freq=2, save_on_train_end=True
    )
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    checkpoint.on_epoch_begin(0)
    for batch in range(3):
        checkpoint.on_train_batch_end(batch, {"loss": 1.0})
    checkpoint.on_epoch_end(0, {"loss": 1.0})

    checkpoint.on_train_end({"loss": 1.0})

    assert written == ["m-2.keras", "m-3.keras"]
    assert warned == []


def test_a_state_that_cannot_be_compared_is_saved(model, written, monkeypatch):
    """One save too many is better than one too few."""
    checkpoint = ModelCheckpoint("m.keras", save_on_train_end=True)

    def hide():
        monkeypatch.setattr(checkpoint._store, "_written_last", None)

    _train(model, checkpoint, hide)

    assert written == ["m.keras"] * 2


@pytest.mark.fit
def test_pain_the_last_save_is_not_of_the_weights_that_were_restored(
    make_model, data
):
    """`EarlyStopping` puts the best weights back when training ends."""
    model = make_model(optimizer="adam")
    stop = EarlyStopping("loss", mode="max", restore_best_weights=True)
    checkpoint = ModelCheckpoint("m.keras", save_on_train_end=True)

    model.fit(*data, epochs=3, verbose=0, callbacks=[stop, checkpoint])

    _assert_holds("m.keras", model)


@pytest.mark.fit
def test_pain_the_last_save_is_not_of_the_average(keras, make_model, data):
    """The average takes the weights' place after the last epoch's save."""
    model = make_model(
        optimizer=keras.optimizers.Adam(use_ema=True, ema_momentum=0.5)
    )
    checkpoint = ModelCheckpoint("m.keras", save_on_train_end=True)

    model.fit(
        *data,
        batch_size=8,
        epochs=2,
        verbose=0,
        callbacks=[SwapEMAWeights(), checkpoint],
    )

    _assert_holds("m.keras", model)


# -- an error ---------------------------------------------------------------


@pytest.mark.fit
@pytest.mark.usefixtures("full")
def test_an_error_that_was_raised_is_not_told_again(model, data, warned):
    """The warning says what the traceback does not."""
    checkpoint = ModelCheckpoint("m.keras", save_on_exception=True)

    with pytest.raises(SaveFailed, match="No space left"):
        model.fit(*data, verbose=0, callbacks=[checkpoint])

    [text] = warned
    assert text.startswith("ModelCheckpoint: the state in which `fit` ended")
    assert "No space left" not in text


@pytest.mark.fit
@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("on_error", ["raise", "warn"])
def test_a_last_state_that_could_not_be_saved_is_told_once(
    model, data, warned, on_error
):
    """One warning, one reason, and no word that training goes on."""

    def fail(batch, logs):
        raise RuntimeError("the cause")

    checkpoint = ModelCheckpoint(
        "m.keras", save_on_exception=True, on_error=on_error
    )
    other = LambdaCallback(on_train_batch_end=fail)
    with pytest.raises(RuntimeError, match="the cause"):
        model.fit(*data, verbose=0, callbacks=[checkpoint, other])

    [text] = warned
    assert text.count("No space left on device") == 1
    assert "goes on" not in text
    assert not Path("m.keras").exists()
