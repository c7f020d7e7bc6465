"""What the tests share: the Keras in force, small models, small data."""

from __future__ import annotations

import gc
import importlib.util
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")

import numpy as np
import pytest

from kerascb import runtime as runtimes
from kerascb.checkpoint import formats
from kerascb.errors import InvalidArgument

_COMPARED_WITH = (3, 15)
_OPTIONAL = {
    "OrbaxCheckpoint": "orbax",
    "TensorBoard": "tensorboard",
    "indices": "tensorflow",
}


def pytest_addoption(parser):
    """Adds `--soak` for the long tests, `--screenshots` for those of pages."""
    parser.addoption("--soak", action="store_true", help="run long tests too")
    parser.addoption(
        "--screenshots", metavar="DIR", help="keep what pages looked like here"
    )


def pytest_collection_modifyitems(config, items):
    """Passes over long tests, and examples whose package is not installed."""
    soaks = config.getoption("--soak")
    for item in items:
        if not soaks and item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.skip("long: --soak runs it"))
        if isinstance(item, pytest.DoctestItem):
            package = _OPTIONAL.get(item.name.rpartition(".")[2])
            if package and importlib.util.find_spec(package) is None:
                item.add_marker(pytest.mark.skip(f"needs {package}"))


@pytest.fixture(scope="session")
def runtime():
    """The runtime of the Keras in force."""
    return runtimes.in_force()


@pytest.fixture(scope="session")
def keras(runtime):
    """The Keras in force: `keras` or `tf_keras`."""
    return importlib.import_module(runtime.package)


@pytest.fixture(scope="session")
def stock(runtime):
    """Stock's class of a name, whatever is installed in its place."""
    return runtime.stock


@pytest.fixture(scope="session")
def is_keras3(runtime):
    """True where the Keras in force is Keras 3."""
    return runtime.name == "keras3"


@pytest.fixture
def keras2_only(runtime):
    """Skips on Keras 3."""
    if runtime.name != "keras2":
        pytest.skip("about Keras 2")


@pytest.fixture
def keras3_only(runtime):
    """Skips on Keras 2."""
    if runtime.name != "keras3":
        pytest.skip("about Keras 3")


@pytest.fixture
def newest_keras3(runtime):
    """Skips on a Keras 3 that prints and saves otherwise than the newest."""
    version = tuple(int(part) for part in runtime.version.split(".")[:2])
    if runtime.name == "keras3" and version < _COMPARED_WITH:
        pytest.skip(f"compared with Keras {_COMPARED_WITH}, not {version}")


@pytest.fixture(scope="session")
def tensorflow(runtime):
    """TensorFlow, where the Keras in force runs on it; else skips."""
    if runtime.backend != "tensorflow":
        pytest.skip("needs TensorFlow as the backend")
    return importlib.import_module("tensorflow")


@pytest.fixture
def needs_format(runtime):
    """Skips where a path means a format that this installation lacks."""

    def check(path, weights_only=False):
        try:
            target = formats.target_of(str(path), weights_only, runtime)
        except InvalidArgument as error:
            pytest.skip(str(error))
        return target

    return check


@pytest.fixture
def data():
    """24 samples of 4 features in 3 classes that can be told apart."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(24, 4)).astype("float32")
    y = np.argmax(x[:, :3], axis=1).astype("int32")
    return x, y


@pytest.fixture
def make_model(keras):
    """Builds small compiled classifiers, equal for equal seeds."""

    def make(optimizer="sgd", metrics=("accuracy",), seed=1, **compile_args):
        keras.utils.set_random_seed(seed)
        model = keras.Sequential(
            [
                keras.layers.Input((4,)),
                keras.layers.Dense(5, activation="relu", name="hidden"),
                keras.layers.Dense(3, activation="softmax", name="classes"),
            ]
        )
        model.compile(
            optimizer=optimizer,
            loss=compile_args.pop("loss", "sparse_categorical_crossentropy"),
            metrics=list(metrics),
            **compile_args,
        )
        return model

    return make


@pytest.fixture
def model(make_model, data):
    """A model that has trained a step."""
    model = make_model(optimizer="adam")
    model.train_on_batch(*data)
    return model


@pytest.fixture
def warned(runtime, monkeypatch):
    """The texts warned of since the test began, in the runtime's channel.

    Keras 3 warns through `warnings`, Keras 2 through TensorFlow's log; what
    kerascb itself warns of through `warnings` is among them on both.
    """
    from tests.parity import collect_warnings

    with collect_warnings(runtime) as texts:
        yield texts


def _gpus(runtime):
    if runtime.backend == "torch":
        import torch

        return ["cuda:0"] if torch.cuda.is_available() else []
    if runtime.backend == "jax":
        import jax

        return ["gpu:0"] if jax.default_backend() == "gpu" else []
    import tensorflow as tf

    return ["GPU:0"] if tf.config.list_physical_devices("GPU") else []


@pytest.fixture(params=["cpu", pytest.param("gpu", marks=pytest.mark.gpu)])
def device(request, runtime, keras):
    """Runs a test on the CPU, and on a GPU where one is visible."""
    if request.param == "cpu":
        # No scope of its own: the default place, where there is no GPU.
        yield "cpu"
        return
    found = _gpus(runtime)
    if not found:
        pytest.skip(f"no GPU is visible to {runtime.backend}")
    if runtime.name == "keras3":
        scope = keras.device(found[0])
    else:
        scope = importlib.import_module("tensorflow").device(found[0].upper())
    with scope:
        yield found[0]


@pytest.fixture(scope="module", autouse=True)
def _what_there_is_is_not_looked_through_again():
    """Collections of garbage look at what a module's own tests have made.

    An engine that has been imported is a million objects, and Keras collects
    garbage whenever a session is cleared.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _folder_of_its_own(tmp_path, monkeypatch):
    """Each test works in a folder of its own."""
    monkeypatch.chdir(tmp_path)
