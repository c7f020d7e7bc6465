"""Where a checkpoint that was asked for is put, and by which worker."""

import os
import threading
from pathlib import Path

import pytest

import kerascb
from kerascb import ModelCheckpoint
from kerascb.checkpoint.catalog.manifest import FILE_NAME
from kerascb.checkpoint.store import CheckpointStore
from kerascb.layouts.plan import NotPlannable
from kerascb.runtime import Format

TIMEOUT_S = 60

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*Keras 3 itself saves:UserWarning",
    "ignore:You are saving your model as an HDF5 file:UserWarning",
    "ignore:__array__ implementation doesn't accept:DeprecationWarning",
)


def _save_epochs(model, checkpoint, *losses):
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    for epoch, loss in enumerate(losses):
        checkpoint.on_epoch_begin(epoch)
        checkpoint.on_epoch_end(epoch, {"loss": loss})
    checkpoint.on_train_end()


# -- several workers --------------------------------------------------------


@pytest.fixture
def worker(runtime, monkeypatch):
    """This process is not the chief, and is told to write where that does."""
    monkeypatch.setattr(type(runtime), "is_chief", lambda self, model: False)


@pytest.fixture
def frozen(runtime, monkeypatch):
    """How often the model was frozen."""
    frozen = []
    freeze = type(runtime).freeze

    def count(self, *arguments):
        frozen.append(arguments)
        return freeze(self, *arguments)

    monkeypatch.setattr(type(runtime), "freeze", count)
    return frozen


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("background", [False, True])
def test_a_worker_leaves_to_the_chief_what_is_listed(model, frozen, background):
    """It takes part in freezing, which workers may have to do together."""
    checkpoint = ModelCheckpoint(
        "c/m-{epoch}.keras", max_to_keep=1, background=background
    )

    _save_epochs(model, checkpoint, 2.0, 1.0)

    assert not Path("c").exists()
    assert len(frozen) == 2


def test_a_worker_does_not_touch_what_the_chief_has_listed(
    model, runtime, monkeypatch
):
    """Else the chief's manifest would tell of bytes that are gone."""
    _save_epochs(model, ModelCheckpoint("c/m.keras", verify=True), 2.0)
    before = Path("c/m.keras").read_bytes()
    monkeypatch.setattr(type(runtime), "is_chief", lambda self, model: False)

    _save_epochs(model, ModelCheckpoint("c/m.keras"), 1.0)

    assert Path("c/m.keras").read_bytes() == before


@pytest.mark.usefixtures("worker")
def test_a_worker_without_a_list_writes_as_stock_does(model):
    """Where workers share no disk, each has its own checkpoints."""
    _save_epochs(model, ModelCheckpoint("c/m.keras"), 1.0)

    assert os.listdir("c") == ["m.keras"]


@pytest.mark.usefixtures("worker")
def test_a_worker_takes_part_in_what_keras_writes(model, runtime, monkeypatch):
    """What cannot be frozen is written aside, and thrown away."""
    paths = []

    def refuse(self, *arguments):
        raise NotPlannable("it is spread over several processes")

    monkeypatch.setattr(type(runtime), "plan", refuse)
    monkeypatch.setattr(
        type(runtime),
        "save",
        lambda self, model, path, form, options: paths.append(path),
    )

    _save_epochs(model, ModelCheckpoint("c/m.keras", verify=True), 1.0)

    [path] = paths
    assert os.path.basename(path) == "m.keras"
    assert not os.path.exists(os.path.dirname(path))
    assert not Path("c").exists()


@pytest.mark.parametrize("is_chief", [True, False])
def test_workers_decide_alike_whether_the_last_state_is_saved(
    model, runtime, monkeypatch, frozen, is_chief
):
    """One that froze once more than the others would wait for them."""
    monkeypatch.setattr(type(runtime), "is_chief", lambda self, model: is_chief)

    _save_epochs(
        model,
        ModelCheckpoint("c/m.keras", verify=True, save_on_train_end=True),
        1.0,
    )

    assert len(frozen) == 2  # for the save, and to compare


# -- relative paths ---------------------------------------------------------


@pytest.fixture
def gate(monkeypatch):
    """Keeps the background from writing until it is opened."""
    opened = threading.Event()
    put = CheckpointStore._put

    def wait(self, *arguments):
        assert opened.wait(TIMEOUT_S)
        put(self, *arguments)

    monkeypatch.setattr(CheckpointStore, "_put", wait)
    yield opened
    opened.set()


@pytest.mark.parametrize(
    ("filepath", "weights_only", "part"),
    [
        ("m-{epoch}.keras", False, "m-1.keras"),
        ("cp-{epoch}", True, "checkpoint"),
        ("c/m-{epoch}", False, "c/m-1/saved_model.pb"),
    ],
)
def test_a_background_save_stays_in_the_folder_it_was_asked_for(
    model, gate, needs_format, monkeypatch, filepath, weights_only, part
):
    """A script that changes its folder meanwhile takes no file along."""
    target = needs_format(filepath, weights_only)
    there, elsewhere = Path.cwd(), Path("elsewhere").resolve()
    elsewhere.mkdir()
    checkpoint = ModelCheckpoint(
        filepath, save_weights_only=weights_only, background=True, verify=True
    )
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    checkpoint.on_epoch_end(0, {"loss": 1.0})
    monkeypatch.chdir(elsewhere)
    gate.set()
    checkpoint.wait()

    assert os.listdir(elsewhere) == []
    assert (there / part).is_file() or target.form is Format.WEIGHTS
    [record] = kerascb.checkpoints(there / os.path.dirname(filepath))
    assert record.verify() == []


def test_a_list_has_names_from_its_own_folder(model):
    """The folder can be moved, whatever it is called."""
    _save_epochs(model, ModelCheckpoint("c/m-{epoch}.keras", max_to_keep=1), 1)

    assert str(Path.cwd()) not in Path("c", FILE_NAME).read_text()


def test_each_folder_has_its_own_list(model, monkeypatch):
    """What was saved before the folder changed is nobody's to remove."""
    checkpoint = ModelCheckpoint("m-{epoch}.keras", max_to_keep=1)
    checkpoint.set_model(model)
    checkpoint.on_train_begin()
    checkpoint.on_epoch_end(0, {"loss": 1.0})
    there, elsewhere = Path.cwd(), Path("elsewhere").resolve()
    elsewhere.mkdir()

    monkeypatch.chdir(elsewhere)
    checkpoint.on_epoch_end(1, {"loss": 1.0})
    checkpoint.on_train_end()

    assert [one.epoch for one in kerascb.checkpoints(there)] == [1]
    assert [one.epoch for one in kerascb.checkpoints(elsewhere)] == [2]


def test_a_line_names_the_path_as_it_was_given(model, capsys, keras3_only):
    """The user finds it in the script."""
    checkpoint = ModelCheckpoint("m.keras", verbose=1, background=True)

    _save_epochs(model, checkpoint, 1.0)

    assert "finished saving model to m.keras" in capsys.readouterr().out


# -- bfloat16 ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("filepath", "weights_only", "unreadable_by"),
    [
        ("m.h5", False, {"keras2", "keras3"}),
        ("w.h5", True, {"keras2", "keras3"}),
        ("m.weights.h5", True, {"keras2"}),
        ("m.keras", False, {"keras2"}),
        ("cp", True, set()),
    ],
)
def test_what_cannot_be_loaded_again_is_warned_of_once(
    keras, runtime, needs_format, warned, filepath, weights_only, unreadable_by
):
    """Keras reads bfloat16 back from few of the formats it writes."""
    needs_format(filepath, weights_only)
    inputs = keras.Input((4,))
    outputs = keras.layers.Dense(3, dtype="bfloat16")(inputs)
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse")

    _save_epochs(
        model, ModelCheckpoint(filepath, save_weights_only=weights_only), 2, 1
    )

    told = [text for text in warned if "bfloat16" in text]
    assert len(told) == (runtime.name in unreadable_by)
    if not told:
        kerascb.load_weights(model, filepath)
        return
    with pytest.raises((TypeError, ValueError)):
        kerascb.load_weights(model, filepath)
