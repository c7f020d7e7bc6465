"""Runs that were stopped, and are started again."""

import pytest

from kerascb import BackupAndRestore, Callback, EarlyStopping
from tests.callbacks.crashing import Crash, Positions, crash, weights_equal


class Stop(Callback):
    """Stops training within an epoch."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.at = (epoch, batch)

    def on_epoch_begin(self, epoch, logs=None):
        """Notes the epoch."""
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Stops at the batch."""
        if (self.epoch, batch) == self.at:
            self.model.stop_training = True


class KilledAtItsEnd(Callback):
    """Raises when training ends, before the backups are removed."""

    def on_train_end(self, logs=None):
        """The process is killed."""
        raise RuntimeError("killed")


def backup(save_freq="epoch", **arguments):
    """One that has written when the hook is over."""
    return BackupAndRestore("backup", save_freq, background=False, **arguments)


@pytest.fixture
def stopped(fit):
    """Fits, is stopped after the first batch of epoch 1, and is killed."""

    def stopped(save_freq):
        crash(fit, backup(save_freq), Stop(1, 0), KilledAtItsEnd())

    return stopped


FREQUENCIES = ["epoch", 1, 4]


@pytest.mark.fit
@pytest.mark.parametrize("save_freq", FREQUENCIES)
def test_a_stopped_run_trains_nothing_more(fit, stopped, save_freq):
    """It had come to its end, and was killed before it could say so."""
    stopped(save_freq)
    positions = Positions()
    resumed = fit(backup(save_freq), positions)

    assert positions.trained == []
    assert resumed.record.epoch == [0, 1]


@pytest.mark.fit
@pytest.mark.parametrize("save_freq", FREQUENCIES)
def test_the_weights_are_those_of_the_stop(fit, stopped, make_model, save_freq):
    """Nothing of the epoch that was stopped is lost."""
    whole = fit(Stop(1, 0))
    stopped(save_freq)
    resumed = fit(backup(save_freq), model=make_model(seed=7))

    assert weights_equal(resumed, whole)
    assert resumed.record.history == whole.record.history


@pytest.mark.fit
@pytest.mark.parametrize("save_freq", FREQUENCIES)
def test_with_more_epochs_it_goes_on_at_the_next(fit, stopped, save_freq):
    """The epoch that was stopped is over; who asks for more gets more."""
    stopped(save_freq)
    positions = Positions()
    resumed = fit(backup(save_freq), positions, epochs=6)

    assert positions.trained[0] == (2, 0)
    assert resumed.record.epoch == [0, 1, 2, 3, 4, 5]


@pytest.mark.fit
def test_a_run_whose_epochs_are_trained_gets_more_as_well(fit):
    """It was not stopped, only killed before its backups were removed."""
    crash(fit, backup(), KilledAtItsEnd(), epochs=2)
    positions = Positions()
    fit(backup(), positions, epochs=3)

    assert positions.trained == [(2, 0), (2, 1), (2, 2)]


@pytest.mark.fit
def test_a_kill_before_the_stopped_epoch_ends_is_no_stop(fit):
    """The epoch goes on from the batch before; the stop was never backed up."""
    crash(fit, backup(1), Stop(1, 1), Crash(epochs=2))
    positions = Positions()
    fit(backup(1), positions, epochs=2)

    assert positions.trained == [(1, 1), (1, 2)]


@pytest.mark.fit
def test_pain_an_early_stop_is_remembered(fit, data):
    """After a kill at its end it had begun to wait anew."""

    def stop():
        return EarlyStopping("val_loss", patience=1, min_delta=10.0)

    whole = fit(stop(), validation_data=data)
    crash(fit, backup(), stop(), KilledAtItsEnd(), validation_data=data)
    positions = Positions()
    resumed = fit(backup(), stop(), positions, validation_data=data)

    assert positions.trained == []
    assert resumed.record.history == whole.record.history


@pytest.mark.fit
def test_an_early_stop_restores_the_best_weights_after_a_restart(
    fit, data, make_model
):
    """What it does when training ends is done by the run that goes on."""

    def stop():
        return EarlyStopping(
            "val_loss", patience=1, min_delta=10.0, restore_best_weights=True
        )

    whole = fit(stop(), validation_data=data)
    crash(fit, KilledAtItsEnd(), backup(), stop(), validation_data=data)
    resumed = fit(
        backup(), stop(), model=make_model(seed=7), validation_data=data
    )

    assert weights_equal(resumed, whole)


@pytest.mark.fit
def test_backups_of_a_stopped_run_are_removed_when_it_has_ended(fit, stopped):
    """The second start has no work but that."""
    stopped("epoch")
    fit(backup())
    resumed = fit(backup(), epochs=1)

    assert resumed.record.epoch == [0]
