"""TerminateOnNaN: the end of a run that went bad."""

import numpy as np
import pytest

import kerascb
from kerascb.testing import drive
from tests.parity import assert_equal_runs, compare

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    "bad", [NAN, INF, -INF, np.float32(NAN), np.array(INF)]
)
def test_stops_after_the_first_bad_batch(bad, capsys):
    """The loop ends on the batch that went bad, and says which it was."""
    run = drive([kerascb.TerminateOnNaN()], losses=[0.3, bad, 0.2])

    assert run.batches_seen == 2
    assert capsys.readouterr().out == (
        "Batch 1: Invalid loss, terminating training\n"
    )


def test_a_finite_loss_goes_on(capsys):
    """Nothing is said and nothing stopped."""
    run = drive([kerascb.TerminateOnNaN()], losses=[0.3, 1e30, 0.2])

    assert run.batches_seen == 3
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("logs", [None, {}, {"accuracy": NAN}])
def test_a_batch_without_a_loss_passes(logs):
    """Only `loss` is looked at."""
    callback = kerascb.TerminateOnNaN()

    assert callback.on_batch_end(0, logs) is None


def test_names_a_batch_that_was_there(capsys):
    """Keras 3 counts on to 11 with four steps an execution and ten batches."""
    callback = kerascb.TerminateOnNaN()
    callback.model = type("Model", (), {"stop_training": False})()
    callback.set_params({"verbose": 0, "epochs": 1, "steps": 10})
    callback.on_train_batch_end(11, {"loss": NAN})

    assert "Batch 9: Invalid loss" in capsys.readouterr().out


def test_raises_where_it_is_told_to():
    """`raise_error` leaves the fit at once, so that backups survive."""
    with pytest.raises(
        RuntimeError, match="NaN or Inf loss encountered at batch 0"
    ):
        drive([kerascb.TerminateOnNaN(raise_error=True)], losses=[NAN])


def test_sees_a_bad_epoch_of_a_loop_without_batches(capsys):
    """A loop that reports no batches is stopped as well (keras#6747)."""
    callback = kerascb.TerminateOnNaN()
    callback.model = type("Model", (), {"stop_training": False})()
    callback.on_epoch_end(4, {"loss": NAN})

    assert callback.model.stop_training is True
    assert capsys.readouterr().out == (
        "Epoch 5: Invalid loss, terminating training\n"
    )


@pytest.mark.fit
def test_ends_a_fit_as_stock_does(runtime, keras, make_model, data, tmp_path):
    """Same epochs, same printed line."""
    stock, ours = compare(
        runtime,
        lambda classes: [classes.TerminateOnNaN()],
        lambda: make_model(keras.optimizers.SGD(1e38)),
        data,
        tmp_path,
        batch_size=4,
        shuffle=False,
    )

    assert ours.printed == stock.printed != ""
    assert ours.epochs == stock.epochs
    np.testing.assert_array_equal(ours.history["loss"], stock.history["loss"])
    assert ours.warned == stock.warned


@pytest.mark.fit
def test_adds_nothing_to_a_good_fit(runtime, make_model, data, tmp_path):
    """History and output are stock's."""
    assert_equal_runs(
        *compare(
            runtime,
            lambda classes: [classes.TerminateOnNaN()],
            make_model,
            data,
            tmp_path,
        )
    )
