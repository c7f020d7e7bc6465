"""Every callback in a real fit, on the CPU and on a GPU where there is one.

They also run with Keras on JAX and on torch, where TensorFlow may be absent.
"""

import numpy as np
import pytest

import kerascb

pytestmark = pytest.mark.fit

STACKS = {
    "BackupAndRestore": lambda: [kerascb.BackupAndRestore("backup")],
    "BaseLogger": lambda: [kerascb.BaseLogger()],
    "CSVLogger": lambda: [kerascb.CSVLogger("log.csv")],
    "EarlyStopping": lambda: [
        kerascb.EarlyStopping(patience=5, restore_best_weights=True)
    ],
    "History": lambda: [kerascb.History()],
    "LambdaCallback": lambda: [
        kerascb.LambdaCallback(on_train_batch_end=lambda batch, logs: None)
    ],
    "LearningRateScheduler": lambda: [
        kerascb.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
    ],
    "ModelCheckpoint": lambda: [
        kerascb.ModelCheckpoint("{epoch}.keras"),
        kerascb.ModelCheckpoint("{epoch}.weights.h5", save_weights_only=True),
        kerascb.ModelCheckpoint("batch.keras", save_freq=2),
    ],
    "ProgbarLogger": lambda: [kerascb.ProgbarLogger()],
    "ReduceLROnPlateau": lambda: [
        kerascb.ReduceLROnPlateau(patience=1, min_delta=10)
    ],
    "TensorBoard": lambda: [
        kerascb.TensorBoard("logs", histogram_freq=1, update_freq="batch")
    ],
    "TerminateOnNaN": lambda: [kerascb.TerminateOnNaN()],
}
EPOCHS, BATCHES = 3, 4


def fit(model, data, callbacks):
    return model.fit(
        *data,
        epochs=EPOCHS,
        batch_size=6,
        validation_data=data,
        verbose=0,
        shuffle=False,
        callbacks=callbacks,
    )


def everything():
    return [one for build in STACKS.values() for one in build()]


@pytest.mark.parametrize("name", [*STACKS, "all of them"])
def test_a_fit_goes_through(device, make_model, data, name):
    """All epochs and a finite loss; evaluation and prediction after it."""
    del device
    build = STACKS.get(name, everything)
    model = make_model()
    history = fit(model, data, build())

    assert history.epoch == [0, 1, 2]
    assert np.isfinite(history.history["val_loss"]).all()
    assert np.isfinite(model.evaluate(*data, verbose=0)).all()
    assert model.predict(data[0], verbose=0).shape == (24, 3)


def test_callbacks_change_no_number(device, make_model, data):
    """The losses with every callback that only looks are those without."""
    del device
    watching = [
        one
        for name in STACKS
        if name not in {"LearningRateScheduler", "ReduceLROnPlateau"}
        for one in STACKS[name]()
        if not isinstance(one, kerascb.EarlyStopping)
    ]
    plain = fit(make_model(), data, []).history
    watched = fit(make_model(), data, watching).history

    assert {name: watched[name] for name in plain} == plain


def test_restored_weights_are_those_of_the_best_epoch(device, make_model, data):
    """Bit by bit, on the device too."""
    del device
    stopping = kerascb.EarlyStopping(
        "accuracy", restore_best_weights=True, patience=9
    )
    kept = {}
    model = make_model()
    keeping = kerascb.LambdaCallback(
        on_epoch_end=lambda epoch, logs: kept.update(
            {epoch: stopping.model.get_weights()}
        )
    )
    fit(model, data, [stopping, keeping])

    for mine, best in zip(
        model.get_weights(), kept[stopping.best_epoch], strict=True
    ):
        np.testing.assert_array_equal(mine, best)


def test_averages_are_swapped_in_and_out(device, keras, make_model, data):
    """Evaluation sees the averages, training goes on with the weights."""
    del device
    optimizer = keras.optimizers.Adam(0.1, use_ema=True, ema_momentum=0.5)
    model = make_model(optimizer=optimizer)
    history = fit(model, data, [kerascb.SwapEMAWeights()])

    assert history.epoch == [0, 1, 2]


def test_an_interrupted_fit_goes_on(device, make_model, data):
    """Weights and optimizer go on where the backup left them."""
    del device

    def interrupt(epoch, logs):
        if epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(
            make_model("adam"),
            data,
            [
                kerascb.BackupAndRestore("backup"),
                kerascb.LambdaCallback(on_epoch_end=interrupt),
            ],
        )
    resumed = fit(
        make_model("adam", seed=9), data, [kerascb.BackupAndRestore("backup")]
    )
    whole = fit(make_model("adam"), data, [])

    assert resumed.epoch == [0, 1, 2]
    np.testing.assert_allclose(
        resumed.history["loss"], whole.history["loss"], rtol=1e-5
    )
