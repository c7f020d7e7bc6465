"""TensorFlow checkpoints, read into models that are compiled otherwise."""

import numpy as np
import pytest

from kerascb.checkpoint import load_weights
from kerascb.errors import InvalidArgument
from kerascb.runtime import Format

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept:DeprecationWarning",
)


@pytest.fixture
def saved(runtime, make_model, data, tensorflow):
    """Trains a model a step and saves it as a checkpoint; returns it."""
    del tensorflow
    model = make_model(optimizer="adam")
    model.train_on_batch(*data)
    runtime.save(model, "cp", Format.TF_CHECKPOINT)
    return model


@pytest.mark.parametrize(
    ("name", "settings"),
    [("Adam", {"amsgrad": True}), ("RMSprop", {"centered": True})],
)
def test_the_optimizer_starts_anew(
    keras, saved, make_model, data, caplog, name, settings
):
    """The weights are loaded, the optimizer is untouched, a log says so."""
    optimizer = getattr(keras.optimizers, name)(**settings)
    model = make_model(optimizer=optimizer, seed=7)

    load_weights(model, "cp")

    np.testing.assert_array_equal(
        model.get_weights()[0], saved.get_weights()[0]
    )
    assert int(optimizer.iterations) == 0
    (record,) = caplog.records
    assert "the optimizer starts anew" in record.getMessage()
    model.train_on_batch(*data)


def test_a_legacy_optimizer(
    runtime, keras, make_model, data, keras2_only, caplog
):
    """What those of Keras 2 keep for each weight counts as well."""

    def make(momentum, seed):
        optimizer = keras.optimizers.legacy.SGD(0.1, momentum=momentum)
        return make_model(optimizer=optimizer, seed=seed)

    saved, other, alike = make(0.0, 1), make(0.9, 7), make(0.0, 7)
    saved.train_on_batch(*data)
    runtime.save(saved, "cp", Format.TF_CHECKPOINT)

    load_weights(other, "cp")
    load_weights(alike, "cp")

    assert caplog.text.count("the optimizer starts anew") == 1
    assert int(other.optimizer.iterations) == 0
    assert int(alike.optimizer.iterations) == 1


def test_a_distributed_model(runtime, make_model, data, tensorflow):
    """The optimizer's variables are made where the model's are."""
    with tensorflow.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = make_model(optimizer="adam")
        fresh = make_model(optimizer="adam", seed=7)
    model.fit(*data, batch_size=24, verbose=0)
    runtime.save(model, "cp", Format.TF_CHECKPOINT)

    load_weights(fresh, "cp")

    np.testing.assert_array_equal(
        fresh.get_weights()[0], model.get_weights()[0]
    )
    assert int(fresh.optimizer.iterations.numpy()) == 1


def test_weights_saved_before_compiling(
    runtime, keras, make_model, tensorflow, caplog
):
    """A checkpoint without any optimizer is one of weights."""
    keras.utils.set_random_seed(1)
    bare = keras.Sequential(
        [
            keras.layers.Input((4,)),
            keras.layers.Dense(5, name="hidden"),
            keras.layers.Dense(3, name="classes"),
        ]
    )
    runtime.save(bare, "cp", Format.TF_CHECKPOINT)
    model = make_model(optimizer="adam", seed=7)

    load_weights(model, "cp")

    np.testing.assert_array_equal(model.get_weights()[0], bare.get_weights()[0])


@pytest.mark.usefixtures("saved")
@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("units", [[6, 3], [5, 4, 3]], ids=["shape", "depth"])
def test_another_model_is_refused(keras, units, compiled):
    """Weights that are missing, or of another shape, are an error."""
    model = keras.Sequential(
        [
            keras.layers.Input((4,)),
            *(keras.layers.Dense(number) for number in units),
        ]
    )
    if compiled:
        model.compile("adam", "mse")

    with pytest.raises(InvalidArgument, match="saved from another model"):
        load_weights(model, "cp")
