"""What was saved before a model went bad is not replaced by it."""

import os
from pathlib import Path

import numpy as np
import pytest

import kerascb
from kerascb.callbacks._faults import fault_in
from kerascb.testing import drive

NAN = float("nan")


def test_nobody_looks():
    """Without a `TerminateOnNaN` there is nothing to be found."""
    assert fault_in([kerascb.History()], {"loss": NAN}) is None


def test_a_fault_is_found_before_its_own_callback_has_looked():
    """One that saves may stand before it in the list."""
    callback = kerascb.TerminateOnNaN()

    assert fault_in([callback], {"loss": NAN}) == "Invalid loss"
    assert fault_in([callback], {"loss": 0.5}) is None


def test_lists_within_lists_are_looked_through():
    """As events go through them."""
    inner = kerascb.CallbackList([kerascb.TerminateOnNaN()])

    assert fault_in([inner], {"loss": NAN}) == "Invalid loss"


@pytest.fixture(params=["first", "last"])
def in_order(request):
    """Puts a `TerminateOnNaN` before another callback, or behind it."""

    def order(other, *arguments, **options):
        pair = [kerascb.TerminateOnNaN(*arguments, **options), other]
        return pair if request.param == "first" else pair[::-1]

    return order


@pytest.mark.parametrize("save_freq", ["epoch", 1])
def test_a_checkpoint_is_not_replaced(in_order, save_freq, warned):
    """Stock writes the broken model over the good one."""
    checkpoint = kerascb.ModelCheckpoint("m.keras", save_freq=save_freq)
    run = drive(in_order(checkpoint), epochs=[{"loss": 1.0}, {"loss": NAN}])

    assert len(run.model.saved) == 1
    assert "Nothing is saved from then on" in warned[-1]
    assert sum("Nothing is saved" in text for text in warned) == 1


def test_a_checkpoint_is_not_replaced_for_a_metric(in_order, warned):
    """Whatever the user has asked to be looked at."""
    checkpoint = kerascb.ModelCheckpoint("m.keras")
    run = drive(
        in_order(checkpoint, metrics=True),
        epochs=[{"loss": 1.0}, {"loss": 1.0, "val_loss": NAN}],
    )

    assert len(run.model.saved) == 1


def test_without_terminate_on_nan_a_checkpoint_saves_as_stock():
    """Nobody has said that a NaN is the end."""
    checkpoint = kerascb.ModelCheckpoint("m.keras")
    run = drive([checkpoint], epochs=[{"loss": 1.0}, {"loss": NAN}])

    assert len(run.model.saved) == 2


def test_the_next_fit_saves_again(in_order, warned):
    """What was found belongs to one fit."""
    checkpoint = kerascb.ModelCheckpoint("m.keras")
    callbacks = in_order(checkpoint)
    drive(callbacks, epochs=[{"loss": NAN}])
    run = drive(callbacks, epochs=[{"loss": 1.0}])

    assert len(run.model.saved) == 1


# -- fits --------------------------------------------------------------------


class Spoil(kerascb.Callback):
    """Makes the weights NaN as the third epoch begins."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            weights = self.model.get_weights()
            self.model.set_weights([one * NAN for one in weights])


class SpoilLate(kerascb.Callback):
    """Makes a weight infinite after the last batch of the third epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == (2, 2):
            weights = self.model.get_weights()
            weights[-1][-1] = np.inf
            self.model.set_weights(weights)


@pytest.fixture
def fit(make_model, data):
    """Fits a new model for four epochs, in stock's list or in ours."""

    def fit(*callbacks, listed="stock's", **fit_args):
        model = make_model()
        hooks = [*callbacks]
        if listed == "ours":
            hooks = kerascb.CallbackList(
                hooks, add_history=True, model=model, epochs=4, steps=None
            )
        return model.fit(
            *data,
            epochs=4,
            batch_size=8,
            verbose=0,
            callbacks=hooks,
            **fit_args,
        )

    return fit


@pytest.mark.fit
@pytest.mark.parametrize("listed", ["stock's", "ours"])
@pytest.mark.parametrize("save_freq", ["epoch", 1])
@pytest.mark.parametrize("raise_error", [False, True])
def test_the_backup_is_kept_and_gone_on_from(
    fit, in_order, listed, save_freq, raise_error, warned
):
    """Gracefully or with an error, whatever is outstanding (keras#21771)."""
    backup = kerascb.BackupAndRestore("backup", save_freq)
    callbacks = [Spoil(), *in_order(backup, raise_error)]
    if raise_error:
        with pytest.raises(RuntimeError, match="NaN or Inf loss"):
            fit(*callbacks, listed=listed)
    else:
        fit(*callbacks, listed=listed)
    assert Path("backup/latest.npz").exists()
    resumed = fit(kerascb.BackupAndRestore("backup", save_freq))

    assert resumed.epoch == [0, 1, 2, 3]
    assert np.isfinite(resumed.history["loss"]).all()


@pytest.mark.fit
@pytest.mark.parametrize("listed", ["stock's", "ours"])
def test_the_backup_is_kept_for_weights_too(fit, in_order, listed, warned):
    """Though the loss has been finite at the batch."""
    callbacks = in_order(kerascb.BackupAndRestore("backup"), weights=True)
    fit(SpoilLate(), *callbacks, listed=listed)

    assert "Invalid weights of" in warned[-1]
    assert "stays in 'backup'" in warned[-1]
    assert Path("backup/latest.npz").exists()


@pytest.mark.fit
@pytest.mark.parametrize("listed", ["stock's", "ours"])
@pytest.mark.parametrize("raise_error", [False, True])
def test_a_checkpoint_holds_the_last_good_model(
    fit, in_order, keras, listed, raise_error, warned
):
    """Also where the state that an error leaves is to be saved."""
    checkpoint = kerascb.ModelCheckpoint(
        "m.weights.h5", save_weights_only=True, save_on_exception=True
    )
    callbacks = [Spoil(), *in_order(checkpoint, raise_error)]
    if raise_error:
        with pytest.raises(RuntimeError, match="NaN or Inf loss"):
            fit(*callbacks, listed=listed)
    else:
        fit(*callbacks, listed=listed)

    model = keras.Sequential(
        [
            keras.layers.Input((4,)),
            keras.layers.Dense(5, activation="relu", name="hidden"),
            keras.layers.Dense(3, activation="softmax", name="classes"),
        ]
    )
    model.load_weights("m.weights.h5")
    assert all(np.isfinite(one).all() for one in model.get_weights())
    assert os.listdir() == ["m.weights.h5"]
