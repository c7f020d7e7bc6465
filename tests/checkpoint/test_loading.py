"""Back from disk, from every format."""

import importlib
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from kerascb import ModelCheckpoint
from kerascb.checkpoint import load_model, load_weights
from kerascb.checkpoint.loading import find
from kerascb.errors import InvalidArgument
from kerascb.runtime import Format, in_force
from tests.parity import assert_trains_alike

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*Keras 3 itself saves:UserWarning",
    "ignore:You are saving your model as an HDF5 file:UserWarning",
    # NumPy 2 with TensorFlow's arrays, inside Keras.
    "ignore:__array__ implementation doesn't accept:DeprecationWarning",
    "ignore:The `native_serialization` parameter:DeprecationWarning",  # JAX's
)

MODELS = ["m.keras", "m.h5", "m.hdf5", "m"]
WEIGHTS = ["w.weights.h5", "cp", "sub/cp-{epoch:02d}.ckpt"]
WITHOUT_OPTIMIZER = ["w.h5", "w.hdf5"]


@pytest.fixture
def trained(keras, make_model, data, needs_format):
    """Trains a model and saves it to a path; returns the model."""

    def train(path, weights_only=False, **model_args):
        needs_format(path, weights_only)
        model = make_model(optimizer="adam", **model_args)
        x, y = data
        model.fit(
            x,
            y,
            epochs=2,
            verbose=0,
            shuffle=False,
            callbacks=[ModelCheckpoint(path, save_weights_only=weights_only)],
        )
        return model

    return train


@pytest.mark.fit
@pytest.mark.parametrize("path", MODELS)
def test_training_continues_from_every_whole_model(trained, data, path):
    """A model comes back with its optimizer, out of every format."""
    model = trained(path)

    loaded = load_model(path)

    assert int(loaded.optimizer.iterations) == int(model.optimizer.iterations)
    assert_trains_alike(model, loaded, data)


@pytest.mark.fit
@pytest.mark.parametrize("path", WEIGHTS)
def test_training_continues_from_weights(trained, make_model, data, path):
    """Optimizer state is loaded into a model that was never trained."""
    model = trained(path, weights_only=True)
    fresh = make_model(optimizer="adam", seed=7)

    load_weights(fresh, path.format(epoch=2))

    assert_trains_alike(model, fresh, data)


@pytest.mark.fit
@pytest.mark.parametrize("path", [*WITHOUT_OPTIMIZER, "w.keras"])
def test_weights_from_old_names(trained, make_model, path):
    """Names that Keras 3 refuses hold the weights all the same."""
    model = trained(path, weights_only=True)
    fresh = make_model(optimizer="adam", seed=7)

    load_weights(fresh, path)

    for one, other in zip(
        model.get_weights(), fresh.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.fit
@pytest.mark.parametrize("path", WITHOUT_OPTIMIZER)
def test_stock_reads_what_we_wrote(trained, make_model, path):
    """`model.load_weights(path)` of an existing script keeps working."""
    model = trained(path, weights_only=True)
    fresh = make_model(optimizer="adam", seed=7)

    fresh.load_weights(path)

    np.testing.assert_array_equal(
        fresh.get_weights()[0], model.get_weights()[0]
    )


@pytest.mark.fit
def test_a_directory_serves(trained, data, tensorflow):
    """TensorFlow loads the directory, and predicts what the model does."""
    model = trained("m")

    served = tensorflow.saved_model.load("m").signatures["serving_default"]
    (predicted,) = served(tensorflow.constant(data[0])).values()

    np.testing.assert_allclose(
        predicted, model.predict(data[0], verbose=0), rtol=1e-5
    )


@pytest.mark.fit
def test_a_directory_brings_seeds_back(keras, data, keras3_only, needs_format):
    """Dropout goes on from where it was, which no Keras file can do."""
    needs_format("m")
    model = keras.Sequential(
        [
            keras.layers.Input((4,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5, seed=3),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(*data, verbose=0, callbacks=[ModelCheckpoint("m")])

    assert_trains_alike(model, load_model("m"), data)


@pytest.mark.fit
def test_a_directory_is_replaced(trained, data):
    """Saving twice to one directory leaves the last state."""
    trained("m", seed=5)
    model = trained("m", seed=6)

    np.testing.assert_array_equal(
        load_model("m").get_weights()[0], model.get_weights()[0]
    )


@pytest.mark.fit
@pytest.mark.parametrize(
    "compile_args",
    [
        {"loss": "mse", "metrics": ["mae", "mse"]},
        {"loss": "mse", "metrics": []},
        {"loss": None, "metrics": None},
    ],
    ids=["names", "no-metrics", "objects"],
)
def test_hdf5_however_it_was_compiled(keras, make_model, data, compile_args):
    """A loss given by its short name does not stop an HDF5 file loading."""
    if compile_args["loss"] is None:
        compile_args = {
            "loss": keras.losses.MeanSquaredError(),
            "metrics": [keras.metrics.RootMeanSquaredError(name="rmse")],
        }
    x, y = data
    y = np.eye(3, dtype="float32")[y]
    model = make_model(optimizer="adam", **compile_args)
    model.fit(x, y, verbose=0, callbacks=[ModelCheckpoint("m.h5")])

    assert_trains_alike(model, load_model("m.h5"), (x, y))


@pytest.mark.fit
def test_uncompiled_on_request(trained):
    """`compile=False` leaves the optimizer out."""
    trained("m.h5")

    assert getattr(load_model("m.h5", compile=False), "optimizer", None) is None


@pytest.mark.fit
def test_what_a_file_is_does_not_hang_on_its_name(trained, tmp_path):
    """A renamed file is recognised by its content."""
    trained("m.keras")
    (tmp_path / "m.keras").rename("model.backup")

    found = find("model.backup")

    assert (found.form, found.path) == (Format.KERAS, "model.backup")


@pytest.mark.fit
@pytest.mark.parametrize("path", ["w.weights.h5", "w.h5", "cp"])
def test_weights_are_no_model(trained, path):
    """The error names the way that works."""
    trained(path, weights_only=True)

    with pytest.raises(InvalidArgument, match=r"load_weights\(model"):
        load_model(path)


def test_a_graph_is_no_model(tensorflow, keras3_only):
    """A SavedModel that others wrote holds no Keras model."""
    module = tensorflow.Module()
    module.value = tensorflow.Variable(1.0)
    tensorflow.saved_model.save(module, "graph")

    with pytest.raises(InvalidArgument, match="TFSMLayer"):
        load_model("graph")


@pytest.mark.fit
@pytest.mark.parametrize("path", MODELS)
def test_weights_of_a_whole_model(trained, make_model, data, path):
    """Weights can be taken out of everything that holds some."""
    model = trained(path)
    fresh = make_model(optimizer="adam", seed=7)

    load_weights(fresh, path)

    np.testing.assert_array_equal(
        fresh.get_weights()[0], model.get_weights()[0]
    )


@pytest.mark.fit
@pytest.mark.parametrize("weights_only", [True, False])
def test_every_variable_comes_back(keras, data, tensorflow, weights_only):
    """Also moving averages, which no optimizer knows, and of custom models."""

    @keras.utils.register_keras_serializable("kerascb_tests")
    class Custom(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.normal = keras.layers.BatchNormalization()
            self.dense = keras.layers.Dense(3)

        def call(self, x, training=None):
            return self.dense(self.normal(x, training=training))

    def build():
        model = Custom()
        model.compile("adam", "mse")
        model(data[0])
        return model

    x = data[0]
    model = build()
    checkpoint = ModelCheckpoint("m", save_weights_only=weights_only)
    model.fit(x, x[:, :3], verbose=0, callbacks=[checkpoint])

    if weights_only:
        other = build()
        load_weights(other, "m")
    else:
        other = load_model("m", custom_objects={"Custom": Custom})

    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert_trains_alike(model, other, (x, x[:, :3]))


def test_nothing():
    """A path where nothing is gets Python's own error."""
    with pytest.raises(FileNotFoundError, match="No model and no weights"):
        load_model("nothing")


def test_something_else(tmp_path):
    """A file that is neither archive nor HDF5 is named."""
    (tmp_path / "m.keras").write_text("hello")

    with pytest.raises(InvalidArgument, match=r"neither a \.keras archive"):
        load_model("m.keras")


def test_the_prefix_of_weights_without_tensorflow(tmp_path):
    """What was mapped to `.weights.h5` is found under the path given."""
    (tmp_path / "cp.weights.h5").write_text("")

    assert find("cp").path == "cp.weights.h5"


@pytest.mark.fit
@pytest.mark.parametrize("path", ["m.keras", "m"])
def test_the_keras_that_wrote_it_reads_it(path, data):
    """In a process with two Kerases each model comes back as its own."""
    pytest.importorskip("tensorflow")
    for package in ("tf_keras", "keras"):
        keras = pytest.importorskip(package)
        model = keras.Sequential([keras.layers.Dense(3)])
        model.compile("adam", "mse")
        x = data[0]
        checkpoint = ModelCheckpoint(f"{package}-{path}")
        model.fit(x, x[:, :3], verbose=0, callbacks=[checkpoint])

        loaded = load_model(f"{package}-{path}")

        assert isinstance(loaded, importlib.import_module(package).Model)


def test_an_archive_without_metadata(tmp_path):
    """A zip file of something else is told apart."""
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("a", "b")

    with pytest.raises(InvalidArgument, match=r"neither a \.keras archive"):
        load_model("m.keras")


@pytest.fixture
def file_of_keras2(tmp_path, keras3_only):
    """An HDF5 file that Keras 2 wrote, in a process of its own."""
    pytest.importorskip("tf_keras")
    script = """
import numpy as np, tf_keras as keras
keras.utils.set_random_seed(1)
model = keras.Sequential([keras.layers.InputLayer((4,)), keras.layers.Dense(1)])
model.compile("adam", "mse", metrics=["mae"])
x = np.ones((4, 4), "float32")
model.fit(x, x[:, :1], epochs=3, verbose=0)
model.save("old.h5")
print(float(model.train_on_batch(x, x[:, :1])[0]))
print(float(model.train_on_batch(x, x[:, :1])[0]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "TF_USE_LEGACY_KERAS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(line) for line in done.stdout.split()]


@pytest.mark.fit
def test_an_hdf5_file_of_keras2(file_of_keras2, monkeypatch):
    """Keras 3 goes on from it where Keras 2 left off."""
    # This process may have seen tf_keras, which would take its own file.
    monkeypatch.setattr("kerascb.runtime.loaded", lambda: [in_force()])

    model = load_model("old.h5")

    x = np.ones((4, 4), "float32")
    losses = [model.train_on_batch(x, x[:, :1])[0] for _ in range(2)]
    assert int(model.optimizer.iterations) == 5
    np.testing.assert_allclose(losses[1], file_of_keras2[1], rtol=1e-3)


@pytest.mark.fit
def test_the_state_of_another_optimizer(
    trained, keras3_only, caplog, monkeypatch
):
    """State that fits no optimizer is left out, and logged."""
    trained("m.h5")
    monkeypatch.setattr(
        "kerascb.runtime._hdf5_3._optimizer",
        lambda config: importlib.import_module("keras").optimizers.SGD(),
    )

    model = load_model("m.h5")

    assert int(model.optimizer.iterations) == 0
    assert "the optimizer starts anew" in caplog.text


@pytest.mark.fit
def test_weights_in_shards(make_model, keras3_only):
    """Weights that Keras 3 spread over files are found by their index."""
    model, fresh = make_model(), make_model(seed=7)
    model.save_weights("w.weights.json", max_shard_size=1)

    load_weights(fresh, "w.weights.json")

    np.testing.assert_array_equal(
        fresh.get_weights()[0], model.get_weights()[0]
    )


@pytest.mark.fit
@pytest.mark.parametrize("path", ["m.keras", "m.h5"])
def test_a_renamed_model(trained, data, tmp_path, path):
    """What is found by its content is loaded by it as well."""
    model = trained(path)
    (tmp_path / path).rename("model.backup")

    assert_trains_alike(model, load_model("model.backup"), data)
