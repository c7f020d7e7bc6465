"""Paths that TensorFlow's file systems reach; `file://` stands for them."""

import os

import numpy as np
import pytest

from kerascb import ModelCheckpoint
from kerascb.checkpoint import load_model, load_weights
from kerascb.checkpoint.latest import newest

pytestmark = [
    pytest.mark.fit,
    pytest.mark.filterwarnings(
        "ignore:.*Keras 3 itself saves:UserWarning",
        "ignore:You are saving your model as an HDF5 file:UserWarning",
        "ignore:__array__ implementation doesn't accept:DeprecationWarning",
        "ignore:The `native_serialization` parameter:DeprecationWarning",
    ),
]

MODELS = ["m.keras", "m.h5", "m"]
WEIGHTS = ["w.weights.h5", "w.h5", "ck"]


@pytest.fixture
def far(tmp_path, tensorflow):
    """Turns a name into a path that only TensorFlow reads."""
    del tensorflow
    return lambda name: f"file://{tmp_path}/far/{name}"


@pytest.fixture
def trained(make_model, data):
    """Trains a model and saves it to a path; returns the model."""

    def train(path, weights_only=False):
        model = make_model(optimizer="adam")
        checkpoint = ModelCheckpoint(path, save_weights_only=weights_only)
        model.fit(*data, epochs=2, verbose=0, callbacks=[checkpoint])
        return model

    return train


def _assert_same_weights(model, other):
    np.testing.assert_array_equal(
        model.get_weights()[0], other.get_weights()[0]
    )


@pytest.mark.parametrize("name", MODELS)
def test_a_whole_model(trained, far, name):
    """A model comes back from afar, with its optimizer."""
    model = trained(far(name))

    loaded = load_model(far(name))

    _assert_same_weights(model, loaded)
    assert int(loaded.optimizer.iterations) == int(model.optimizer.iterations)
    assert os.listdir() == ["far"]


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights(trained, make_model, far, name):
    """Weights are found by what is there, as on this machine."""
    model = trained(far(name), weights_only=True)
    fresh = make_model(optimizer="adam", seed=7)

    load_weights(fresh, far(name))

    _assert_same_weights(model, fresh)


@pytest.mark.parametrize("name", MODELS)
def test_weights_of_a_whole_model(trained, make_model, far, name):
    """Weights can be taken out of a model that lies far away."""
    model = trained(far(name))
    fresh = make_model(optimizer="adam", seed=7)

    load_weights(fresh, far(name))

    _assert_same_weights(model, fresh)


@pytest.mark.parametrize(
    "load", [load_model, lambda path: load_weights(0, path)]
)
def test_nothing(far, load):
    """A path where nothing is gets Python's own error."""
    with pytest.raises(FileNotFoundError, match="No model and no weights"):
        load(far("nothing"))


@pytest.mark.parametrize("name", ["ck-{epoch}", "w-{epoch}.weights.h5"])
def test_pain_a_restart_from_afar(trained, make_model, data, far, name):
    """`load_weights_on_restart` silently restored nothing."""
    model = trained(far(name), weights_only=True)

    found = newest(far(name))

    assert found == far(name.format(epoch=2))
    fresh = make_model(optimizer="adam", seed=7)
    load_weights(fresh, found)
    _assert_same_weights(model, fresh)


def test_nothing_to_restart_from(far):
    """A folder that is not there holds nothing."""
    assert newest(far("ck-{epoch}")) is None
