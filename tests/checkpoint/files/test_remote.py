"""Paths that TensorFlow reaches, as `file://`; and fsspec, as `memory://`."""

import contextlib
import os

import fsspec
import numpy as np
import pytest

import kerascb
from kerascb import ModelCheckpoint
from kerascb.checkpoint import load_model, load_weights, notes
from kerascb.checkpoint.catalog.manifest import FILE_NAME
from kerascb.checkpoint.files.filesystem import filesystem_of
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


@pytest.fixture(params=["file", "memory"])
def far(request, tmp_path, tensorflow):
    """Turns a name into a path that Python itself does not read."""
    del tensorflow
    if request.param == "file":
        yield lambda name: f"file://{tmp_path}/far/{name}"
        return
    yield lambda name: f"memory://far/{name}"
    with contextlib.suppress(FileNotFoundError):
        fsspec.filesystem("memory").rm("/far", recursive=True)


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
    assert os.listdir() == (["far"] if far("").startswith("file") else [])


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


@pytest.mark.parametrize("name", [*MODELS, "w.weights.h5", "ck"])
def test_a_note_from_afar(trained, far, name):
    """What is remembered of a checkpoint is read there too."""
    trained(far(name), weights_only=name not in MODELS)

    assert notes.read(far(name))["epoch"] == 2


def test_no_note_from_afar(far):
    """Where nothing is, nothing is remembered."""
    assert notes.read(far("nothing")) is None


@pytest.mark.parametrize("name", ["m-{epoch}.keras", "ck-{epoch}"])
def test_pain_unlisted_far_away(trained, far, name):
    """What no manifest lists had no epoch and no metrics."""
    trained(far(name), weights_only=name.startswith("ck"))
    manifest = far(FILE_NAME)
    filesystem_of(manifest).remove(manifest)

    found = kerascb.checkpoints(far("").rstrip("/"))

    assert [one.epoch for one in found] == [1, 2]
    assert all("loss" in one.metrics for one in found)


def test_pain_a_better_model_far_away_is_kept(make_model, data, far):
    """A run that went on began anew, and replaced it by a worse one."""
    path = far("best.keras")
    checkpoint = ModelCheckpoint(
        path, monitor="loss", save_best_only=True, resume_best=True
    )
    model = make_model(optimizer="adam")
    model.fit(*data, epochs=2, verbose=0, callbacks=[checkpoint])
    best = notes.read(path)["best"]
    again = ModelCheckpoint(
        path, monitor="loss", save_best_only=True, resume_best=True
    )

    make_model(optimizer="adam", seed=7).fit(
        *data, epochs=3, initial_epoch=2, verbose=0, callbacks=[again]
    )

    assert again.best <= best
