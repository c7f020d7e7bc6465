"""SavedModel directories, and what else a directory may be."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from kerascb import ModelCheckpoint
from kerascb import runtime as runtimes
from kerascb.checkpoint import load_model, load_weights
from kerascb.errors import InvalidArgument
from kerascb.runtime import Format

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*Keras 3 itself saves:UserWarning",
    "ignore:__array__ implementation doesn't accept:DeprecationWarning",
    "ignore:The `native_serialization` parameter:DeprecationWarning",
)

KERAS2_FILE = Path("m", "keras_metadata.pb")
KERAS3_FILE = Path("m", "assets.extra", "kerascb.keras")


@pytest.fixture(autouse=True)
def _directories_can_be_written(needs_format):
    needs_format("m")


@pytest.fixture
def save(runtime, make_model, data):
    """Trains a model a step and saves it to the directory `m`."""

    def save(seed=1, steps=1):
        model = make_model(optimizer="adam", seed=seed)
        for _ in range(steps):
            model.train_on_batch(*data)
        runtime.save(model, "m", Format.SAVED_MODEL)
        return model

    return save


def _assert_same_weights(model, other):
    np.testing.assert_array_equal(
        model.get_weights()[0], other.get_weights()[0]
    )


@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")
def test_saved_before_the_first_step(save, data):
    """An optimizer without any state yet is no obstacle."""
    model = save(steps=0)

    loaded = load_model("m")

    _assert_same_weights(model, loaded)
    assert int(loaded.optimizer.iterations) == 0
    loaded.train_on_batch(*data)


@pytest.mark.parametrize("content", [b"", b"of an earlier run"])
def test_pain_the_directory_of_a_run_with_keras_2(save, keras3_only, content):
    """A file of Keras 2 does not stay where Keras 3 saves."""
    KERAS2_FILE.parent.mkdir()
    KERAS2_FILE.write_bytes(content)

    model = save()

    assert not KERAS2_FILE.exists()
    _assert_same_weights(model, load_model("m"))


def test_the_directory_of_a_run_with_keras_3(save, keras2_only):
    """An archive of Keras 3 does not stay where Keras 2 saves."""
    KERAS3_FILE.parent.mkdir(parents=True)
    KERAS3_FILE.write_bytes(b"")

    model = save()

    assert not KERAS3_FILE.exists()
    _assert_same_weights(model, load_model("m"))


@pytest.mark.parametrize("part", ["export", "save_model"])
def test_graph_and_model_go_together(
    save, keras, keras3_only, monkeypatch, part
):
    """If either fails, the model that was saved before is still there."""
    first = save()
    home = keras.models if part == "save_model" else keras.Sequential

    def fail(*_, **__):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(home, part, fail)
        with pytest.raises(OSError, match="disk full"):
            save(seed=2)

    _assert_same_weights(first, load_model("m"))


def test_no_other_keras_is_imported(save, monkeypatch):
    """A Keras in use that can read a directory is enough."""
    save()
    monkeypatch.setattr(runtimes, "installed", lambda: pytest.fail("imported"))

    load_model("m")


@pytest.mark.parametrize(
    "load", [load_model, lambda path: load_weights(0, path)]
)
@pytest.mark.parametrize("files", [[], ["notes.txt"]], ids=["empty", "foreign"])
def test_a_directory_of_something_else(load, files):
    """A directory that is no model is named, in words."""
    Path("m").mkdir()
    for name in files:
        Path("m", name).touch()

    with pytest.raises(InvalidArgument, match="no model and no weights in"):
        load("m")


def test_a_directory_of_checkpoints():
    """The error names a prefix that could be loaded."""
    Path("m").mkdir()
    Path("m", "cp-1.index").touch()
    Path("m", "cp-2.index").touch()

    with pytest.raises(InvalidArgument, match=r"the prefix of one: 'm/cp-2'"):
        load_weights(None, "m")


@pytest.mark.fit
def test_an_unzipped_archive(make_model, data, keras3_only):
    """Keras 3 reads an archive that was unzipped; so does kerascb."""
    model = make_model(optimizer="adam")
    model.fit(*data, verbose=0, callbacks=[ModelCheckpoint("m.keras")])
    shutil.unpack_archive("m.keras", "unzipped", "zip")

    _assert_same_weights(model, load_model("unzipped"))
