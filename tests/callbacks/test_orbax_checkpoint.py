"""OrbaxCheckpoint: models in Orbax's format, written beside training."""

import copy
import importlib
import os
import pickle
import threading
from concurrent.futures import wait

import numpy as np
import pytest

from kerascb import OrbaxCheckpoint
from kerascb.errors import (
    InvalidArgument,
    MissingDependency,
    UnsupportedRuntime,
    UnwritablePath,
)
from kerascb.testing import FakeModel, drive
from tests import parity

pytest.importorskip("orbax.checkpoint")
# Keras's own reading of variables, since NumPy 2.

NAN = float("nan")


class Response:
    """What Orbax answers to a save in the background."""

    def __init__(self, error):
        self._error = error

    def result(self):
        """Waits for nothing."""
        if self._error:
            raise self._error


class Checkpointer:
    """Stands in for Orbax's; notes the steps."""

    def __init__(self, latest=None, error=None):
        self.latest = latest
        self.steps = []
        self.in_background = []
        self.error = error
        self.close_error = None
        self.is_closed = False
        self.go_on = threading.Event()
        self.go_on.set()

    def save_checkpointables(self, step, items):
        """Notes the step and the thread, and fails if it is to."""
        assert self.go_on.wait(timeout=60)
        self._note(step)
        if threading.current_thread() is not threading.main_thread():
            self.in_background.append(step)
        if self.error:
            raise self.error

    def save_checkpointables_async(self, step, items):
        """Notes the step, and fails later if it is to."""
        self._note(step)
        self.in_background.append(step)
        return Response(self.error)

    def _note(self, step):
        self.steps.append(step)
        self.latest = type("Metadata", (), {"step": step})

    def wait(self):
        """Waits for nothing."""

    def close(self):
        """Notes it."""
        self.is_closed = True
        if self.close_error:
            raise self.close_error


@pytest.fixture
def orbax(runtime, monkeypatch):
    """Stands in for Orbax; what it was asked is in it."""
    checkpointer = Checkpointer()
    monkeypatch.setattr(runtime, "require_orbax", lambda: None)
    monkeypatch.setattr(
        runtime, "orbax_items", lambda model, weights_only: dict
    )
    monkeypatch.setattr(
        OrbaxCheckpoint, "checkpointer", property(lambda self: self._stand_in)
    )
    monkeypatch.setattr(
        OrbaxCheckpoint, "_stand_in", checkpointer, raising=False
    )
    return checkpointer


@pytest.fixture
def not_jax(runtime):
    """Skips where Orbax copies before it answers, and has to."""
    if runtime.backend == "jax":
        pytest.skip("Orbax saves in a background of its own")


# -- arguments --------------------------------------------------------------


@pytest.mark.parametrize("bad", ["invalid", 0, -3, True, 0.5, None])
def test_nonsense_save_freq_is_refused(bad):
    """In stock's words."""
    with pytest.raises(InvalidArgument, match="Unrecognized save_freq"):
        OrbaxCheckpoint("checkpoints", save_freq=bad)


@pytest.mark.parametrize("bad", [0, -1, "2", 1.5, True])
def test_keeping_nothing_is_refused(bad):
    """Each save would remove itself; and what is no count keeps nothing."""
    with pytest.raises(InvalidArgument, match="max_to_keep"):
        OrbaxCheckpoint("checkpoints", max_to_keep=bad)


@pytest.mark.parametrize("threshold", ["0.5", NAN])
def test_a_threshold_that_is_no_number_is_refused(threshold):
    """No epoch is wasted on what can be compared with nothing."""
    with pytest.raises(InvalidArgument, match="initial_value_threshold="):
        OrbaxCheckpoint("checkpoints", initial_value_threshold=threshold)


def test_a_missing_orbax_is_told_in_the_constructor(monkeypatch):
    """With the command that brings it."""
    imported = importlib.import_module

    def without_orbax(name):
        if name.startswith("orbax"):
            raise ImportError(name)
        return imported(name)

    monkeypatch.setattr(importlib, "import_module", without_orbax)
    with pytest.raises(MissingDependency, match=r"kerascb\[orbax\]"):
        OrbaxCheckpoint("checkpoints")


def test_a_file_in_the_way_is_told_before_training(orbax, tmp_path):
    """A checkpoint could never be written there."""
    (tmp_path / "taken").write_text("mine")

    with pytest.raises(UnwritablePath, match="directory"):
        drive([OrbaxCheckpoint("taken")], losses=[1.0])


def test_keras2_is_refused_before_training(keras2_only):
    """It could not load what is saved."""
    with pytest.raises(UnsupportedRuntime, match="needs Keras 3"):
        drive([OrbaxCheckpoint("checkpoints")], losses=[1.0])


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_it_can_be_copied_and_pickled(again, tmp_path):
    """Orbax's threads and files stay behind."""
    callback = OrbaxCheckpoint(tmp_path / "checkpoints", save_freq=7)
    callback.checkpointer.close()
    twin = again(callback)

    assert (twin.save_freq, twin._checkpointer) == (7, None)


def test_it_can_be_copied_while_it_saves(orbax):
    """What is being written is not the copy's."""
    orbax.go_on.clear()
    callback = OrbaxCheckpoint("checkpoints")
    callback.set_model(FakeModel())
    callback.on_epoch_end(0)
    twin = copy.deepcopy(callback)
    orbax.go_on.set()
    callback.on_train_end()

    assert twin._pending is None


def test_one_process_leads_itself():
    """There are no others to wait for."""
    callback = OrbaxCheckpoint("checkpoints")

    assert callback.is_primary_host()
    assert not callback.is_multihost_enabled()


# -- when -------------------------------------------------------------------


def test_saves_each_epoch_under_its_number(orbax):
    """Zero-based, as stock."""
    drive([OrbaxCheckpoint("checkpoints")], epochs=[{"loss": 1.0}] * 3)

    assert orbax.steps == orbax.in_background == [0, 1, 2]


def test_saves_in_the_foreground_if_asked(orbax):
    """`save_on_background=False`."""
    callback = OrbaxCheckpoint("checkpoints", save_on_background=False)
    drive([callback], epochs=[{"loss": 1.0}])

    assert (orbax.steps, orbax.in_background) == ([0], [])


def test_saves_every_few_batches_under_the_batches_so_far(orbax):
    """Counted over the borders of epochs."""
    callback = OrbaxCheckpoint("checkpoints", save_freq=2)
    drive([callback], epochs=[{"loss": 1.0}] * 2, steps=3)

    assert orbax.steps == [2, 4, 6]


def test_counts_batches_and_not_executions(orbax):
    """10 batches in executions of 4; Keras 3 reports the last one as 11."""
    callback = OrbaxCheckpoint("checkpoints", save_freq=8)
    callback.set_model(FakeModel())
    callback.set_params({"steps": 10})
    callback.on_train_begin()
    for epoch in range(2):
        callback.on_epoch_begin(epoch)
        for batch in (3, 7, 11):
            callback.on_train_batch_end(batch)
    callback.on_train_end()

    assert orbax.steps == [8, 18]


def test_no_batch_hook_unless_batches_count():
    """Keras pays for every batch hook."""
    callback = OrbaxCheckpoint("checkpoints")

    assert callback.on_train_batch_end._is_default


def test_integer_save_freq_goes_with_save_best_only(orbax):
    """Stock: TypeError, 'NoneType' object is not callable."""
    callback = OrbaxCheckpoint(
        "checkpoints", monitor="loss", save_best_only=True, save_freq=1
    )
    drive([callback], losses=[3.0, 4.0, 2.0])

    assert orbax.steps == [1, 3]


def test_nan_is_never_best(orbax):
    """Stock took it, and never saved again."""
    callback = OrbaxCheckpoint(
        "checkpoints", monitor="loss", save_best_only=True
    )
    drive([callback], epochs=[{"loss": x} for x in (NAN, 2.0, NAN, 1.0)])

    assert orbax.steps == [1, 3]
    assert callback.best == 1.0


def test_an_array_is_no_best(orbax):
    """The error names the metric."""
    callback = OrbaxCheckpoint(
        "checkpoints", monitor="loss", save_best_only=True
    )

    with pytest.raises(InvalidArgument, match="can only compare numbers"):
        drive([callback], epochs=[{"loss": np.array([1.0, 2.0])}])


def test_the_threshold_is_to_be_beaten(orbax):
    """Before the first save."""
    callback = OrbaxCheckpoint(
        "checkpoints",
        monitor="loss",
        save_best_only=True,
        initial_value_threshold=1.5,
    )
    drive([callback], epochs=[{"loss": x} for x in (2.0, 1.0)])

    assert orbax.steps == [1]


def test_a_missing_monitor_skips_and_is_told_once(orbax, warned):
    """In stock's words."""
    callback = OrbaxCheckpoint("checkpoints", save_best_only=True, mode="min")
    drive([callback], epochs=[{"loss": 1.0}] * 2)

    assert orbax.steps == []
    assert warned == [
        "Can save best model only with val_loss available, skipping save at "
        "epoch 0."
    ]


def test_verbose_says_where(orbax, capsys):
    """Stock documents it and prints nothing."""
    drive([OrbaxCheckpoint("checkpoints", verbose=1)], losses=[1.0])

    assert "Saving checkpoint to checkpoints/0" in capsys.readouterr().out


def test_second_run_in_the_same_folder_is_not_lost(orbax, warned):
    """Stock saved nothing until it had passed the first run's last step."""
    drive([OrbaxCheckpoint("checkpoints")], epochs=[{"loss": 1.0}] * 3)
    drive([OrbaxCheckpoint("checkpoints")], epochs=[{"loss": 1.0}] * 2)

    assert orbax.steps == [0, 1, 2, 3, 4]
    assert len(warned) == 1
    assert "already holds step 2" in warned[0]


def test_a_resumed_run_keeps_its_numbers(orbax, warned):
    """Nothing is to be warned of."""
    drive([OrbaxCheckpoint("checkpoints")], epochs=[{"loss": 1.0}] * 2)
    drive(
        [OrbaxCheckpoint("checkpoints")],
        epochs=[{"loss": 1.0}],
        initial_epoch=2,
    )

    assert orbax.steps == [0, 1, 2]
    assert warned == []


# -- errors in the background -----------------------------------------------


def test_an_error_in_the_background_is_raised_by_the_next_save(orbax):
    """Stock never looked."""
    orbax.error = OSError("disk full")
    with pytest.raises(OSError, match="disk full"):
        drive([OrbaxCheckpoint("checkpoints")], epochs=[{"loss": 1.0}] * 2)

    assert orbax.steps == [0]


def test_an_error_in_the_background_ends_an_epoch_that_saves_nothing(
    orbax, not_jax
):
    """The run is not continued in vain until something is saved again."""
    orbax.error = OSError("disk full")
    callback = OrbaxCheckpoint(
        "checkpoints", monitor="loss", save_best_only=True
    )
    callback.set_model(FakeModel())
    callback.on_train_begin()
    callback.on_epoch_end(0, {"loss": 1.0})
    wait([callback._pending], timeout=60)
    with pytest.raises(OSError, match="disk full"):
        callback.on_epoch_end(1, {"loss": 2.0})


def test_training_does_not_wait_for_a_save(orbax, not_jax):
    """Orbax copies every array before it answers; that takes seconds."""
    orbax.go_on.clear()
    callback = OrbaxCheckpoint("checkpoints")
    callback.set_model(FakeModel())
    callback.on_epoch_end(0)
    steps = list(orbax.steps)
    orbax.go_on.set()
    callback.on_train_end()

    assert (steps, orbax.steps) == ([], [0])


def test_no_thread_outlives_training(orbax):
    """Whether a save failed or not."""
    orbax.error = OSError("disk full")
    callback = OrbaxCheckpoint("checkpoints")
    with pytest.raises(OSError, match="disk full"):
        drive([callback], losses=[1.0])

    threads = [
        one
        for one in threading.enumerate()
        if one.name.startswith("OrbaxCheckpoint")
    ]
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)


def test_an_error_of_the_last_save_is_raised_at_the_end(orbax):
    """At the latest."""
    orbax.error = OSError("disk full")
    callback = OrbaxCheckpoint("checkpoints")
    with pytest.raises(OSError, match="disk full"):
        drive([callback], epochs=[{"loss": 1.0}])


def test_an_error_of_closing_is_raised(orbax):
    """Stock swallowed it."""
    orbax.close_error = OSError("no commit")
    callback = OrbaxCheckpoint("checkpoints")
    callback._checkpointer = orbax

    with pytest.raises(OSError, match="no commit"):
        drive([callback], losses=[1.0])


def test_the_folder_is_let_go_of_in_spite_of_an_error(orbax):
    """No thread is left."""
    orbax.error = OSError("disk full")
    callback = OrbaxCheckpoint("checkpoints")
    callback._checkpointer = orbax
    with pytest.raises(OSError, match="disk full"):
        drive([callback], losses=[1.0])

    assert orbax.is_closed


def test_waiting_raises_what_went_wrong(orbax):
    """For those who wait themselves."""
    orbax.error = OSError("disk full")
    callback = OrbaxCheckpoint("checkpoints")
    callback.set_model(FakeModel())
    callback.on_epoch_end(0)

    with pytest.raises(OSError, match="disk full"):
        callback.wait_until_finished()


# -- with a model -----------------------------------------------------------


@pytest.mark.fit
@pytest.mark.filterwarnings("ignore:Sharding info not provided")
@pytest.mark.usefixtures("newest_keras3")
def test_the_model_comes_back_whole(keras3_only, keras, data):
    """Through Keras's own loader: weights, optimizer, config."""
    inputs = keras.Input((4,))
    outputs = keras.layers.Dense(3, activation="softmax")(inputs)
    model = keras.Model(inputs, outputs)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(
        *data, epochs=2, verbose=0, callbacks=[OrbaxCheckpoint("checkpoints")]
    )
    loaded = keras.saving.load_model(os.path.abspath("checkpoints"))

    assert os.listdir("checkpoints") == ["1"]
    assert int(loaded.optimizer.iterations) == int(model.optimizer.iterations)
    for ours, theirs in zip(
        loaded.get_weights(), model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.fit
@pytest.mark.filterwarnings("ignore:Sharding info not provided")
@pytest.mark.usefixtures("newest_keras3")
@pytest.mark.parametrize("weights_only", [False, True])
def test_a_checkpoint_is_of_one_step(keras3_only, keras, data, weights_only):
    """Whatever is trained while it is written."""
    inputs = keras.Input((4,))
    outputs = keras.layers.Dense(3, activation="softmax")(inputs)
    model = keras.Model(inputs, outputs)
    model.compile("adam", "sparse_categorical_crossentropy")
    callback = OrbaxCheckpoint(
        os.path.abspath("checkpoints"), save_weights_only=weights_only
    )
    callback.set_model(model)
    model.fit(*data, epochs=1, verbose=0)
    weights = model.get_weights()
    callback.on_epoch_end(0)
    model.fit(*data, epochs=1, verbose=0)
    callback.on_train_end()
    model.load_weights(os.path.abspath("checkpoints"))

    for ours, theirs in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.usefixtures("newest_keras3")
def test_closing_the_checkpointer_waits(keras3_only, make_model):
    """Those who drive hooks by hand close Orbax's object themselves."""
    callback = OrbaxCheckpoint(os.path.abspath("checkpoints"))
    callback.set_model(make_model())
    callback.on_epoch_end(0)
    callback.checkpointer.close()

    assert os.listdir("checkpoints") == ["0"]


@pytest.mark.fit
@pytest.mark.usefixtures("newest_keras3")
def test_second_fit_of_one_instance_saves_too(
    keras3_only, make_model, data, warned
):
    """The checkpointer that was closed is made anew."""
    model, callback = make_model(), OrbaxCheckpoint("checkpoints")
    model.fit(*data, epochs=1, verbose=0, callbacks=[callback])
    model.fit(*data, epochs=1, verbose=0, callbacks=[callback])

    assert os.listdir("checkpoints") == ["1"]


@pytest.mark.fit
@pytest.mark.parametrize("weights_only", [False, True])
@pytest.mark.usefixtures("newest_keras3")
def test_files_are_stocks(
    keras3_only, runtime, make_model, data, tmp_path, weights_only
):
    """The items of a checkpoint, as Keras's loaders want them."""
    stock, ours = parity.compare(
        runtime,
        lambda classes: [
            classes.OrbaxCheckpoint(
                os.path.abspath("checkpoints"),
                max_to_keep=2,
                save_weights_only=weights_only,
            )
        ],
        make_model,
        data,
        tmp_path,
    )

    assert (ours.history, ours.printed) == (stock.history, stock.printed)
    assert items(ours) == items(stock)


def items(outcome):
    """Step and item of everything that a fit has saved."""
    return {tuple(path.split(os.sep)[1:3]) for path in outcome.files}
