"""Whole models in HDF5 files, whatever they were compiled with."""

import numpy as np
import pytest

from kerascb import ModelCheckpoint
from kerascb.checkpoint import load_model, load_weights
from kerascb.runtime import Format
from tests.parity import assert_trains_alike

pytestmark = [
    pytest.mark.fit,
    pytest.mark.filterwarnings(
        "ignore:.*Keras 3 itself saves:UserWarning",
        "ignore:You are saving your model as an HDF5 file:UserWarning",
        "ignore:__array__ implementation doesn't accept:DeprecationWarning",
        "ignore:The `native_serialization` parameter:DeprecationWarning",
    ),
]


def _half_error(true, predicted):
    return 0.5 * (true - predicted) ** 2


@pytest.fixture
def functions_get_tensors(runtime):
    """Skips where `train_on_batch` hands a user's function arrays."""
    if runtime.backend == "torch":
        pytest.skip("Keras on torch hands them arrays, which do not mix")


@pytest.fixture
def registered(keras):
    """Registers an object with Keras, for the time of a test."""
    known = keras.utils.get_custom_objects()
    before = dict(known)
    yield keras.utils.register_keras_serializable
    known.clear()
    known.update(before)


@pytest.fixture
def saved(make_model, data):
    """Trains a model as compiled, saves it to `m.h5`; returns the model."""

    def save(optimizer="adam", **compile_args):
        model = make_model(optimizer=optimizer, **compile_args)
        x, y = data
        y = np.eye(3, dtype="float32")[y]
        model.fit(x, y, verbose=0, callbacks=[ModelCheckpoint("m.h5")])
        return model

    return save


def _one_hot(data):
    x, y = data
    return x, np.eye(3, dtype="float32")[y]


@pytest.mark.usefixtures("functions_get_tensors")
def test_a_loss_and_a_metric_of_the_users_own(saved, data):
    """Functions that `custom_objects` names are the loss and the metric."""
    model = saved(loss=_half_error, metrics=[_half_error])

    loaded = load_model("m.h5", custom_objects={"_half_error": _half_error})

    assert_trains_alike(model, loaded, _one_hot(data))


@pytest.mark.usefixtures("functions_get_tensors")
def test_a_loss_and_a_metric_that_are_registered(saved, data, registered):
    """Registered functions need not be named."""

    @registered("kerascb_tests")
    def error(true, predicted):
        return _half_error(true, predicted)

    model = saved(loss=error, metrics=[error])

    assert_trains_alike(model, load_model("m.h5"), _one_hot(data))


@pytest.mark.parametrize("package", ["Custom", "kerascb_tests"])
def test_an_optimizer_that_is_registered(
    keras, saved, data, registered, package
):
    """Also in the default package, whose name Keras 2 gives its own."""

    @registered(package)
    class Own(keras.optimizers.Adam):
        pass

    model = saved(optimizer=Own(), loss="mse")

    loaded = load_model("m.h5")

    assert type(loaded.optimizer) is Own
    assert_trains_alike(model, loaded, _one_hot(data))


@pytest.mark.parametrize("other", ["other.keras", "other"])
def test_pain_a_checkpoint_beside_an_hdf5_one(
    make_model, data, needs_format, other
):
    """Keras, writing HDF5, took the optimizer out of what is saved later."""
    needs_format(other)
    model = make_model(optimizer="adam")
    checkpoints = [ModelCheckpoint("m.h5"), ModelCheckpoint(other)]
    model.fit(*data, epochs=2, verbose=0, callbacks=checkpoints)

    loaded = load_model(other)

    assert type(loaded.optimizer) is type(model.optimizer)
    assert int(loaded.optimizer.iterations) == int(model.optimizer.iterations)


def test_weights_of_a_whole_model_with_its_optimizer(saved, make_model, data):
    """`load_weights` takes the optimizer's state out of a whole model."""
    model = saved(loss="mse")
    fresh = make_model(optimizer="adam", seed=7, loss="mse")

    load_weights(fresh, "m.h5")

    assert int(fresh.optimizer.iterations) == int(model.optimizer.iterations)
    assert_trains_alike(model, fresh, _one_hot(data))


def test_weights_of_a_whole_model_of_another_optimizer(
    saved, make_model, caplog
):
    """The weights are loaded; the optimizer starts anew, and a log says so."""
    model = saved(loss="mse")
    fresh = make_model(optimizer="sgd", seed=7, loss="mse")

    load_weights(fresh, "m.h5")

    np.testing.assert_array_equal(
        fresh.get_weights()[0], model.get_weights()[0]
    )
    assert int(fresh.optimizer.iterations) == 0
    assert caplog.text.count("the optimizer starts anew") == 1


def test_saved_before_the_first_step(runtime, make_model, caplog):
    """There is no state to lose, and nothing to warn of."""
    runtime.save(make_model(optimizer="adam"), "m.h5", Format.HDF5)
    caplog.clear()

    loaded = load_model("m.h5")

    assert int(loaded.optimizer.iterations) == 0
    assert "starts anew" not in caplog.text


@pytest.mark.parametrize("takes", [load_model, load_weights])
def test_an_optimizer_that_scales_losses(
    keras, saved, make_model, keras2_only, takes
):
    """Keras 2 loses the state of the optimizer inside it."""
    del keras2_only

    def scaling():
        return keras.mixed_precision.LossScaleOptimizer(keras.optimizers.Adam())

    model = saved(optimizer=scaling(), loss="mse")
    if takes is load_model:
        loaded = load_model("m.h5")
    else:
        loaded = make_model(optimizer=scaling(), seed=7, loss="mse")
        load_weights(loaded, "m.h5")

    assert int(loaded.optimizer.iterations) == int(model.optimizer.iterations)
