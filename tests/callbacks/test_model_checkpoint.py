"""What ModelCheckpoint saves, when, and what it says of it."""

import copy
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from kerascb import LambdaCallback, ModelCheckpoint
from kerascb.callbacks.callback import Callback, is_default
from kerascb.checkpoint import load_weights
from kerascb.errors import InvalidArgument, UnwritablePath
from kerascb.testing import FakeModel, drive
from tests.parity import assert_equal_runs, compare

NAN = float("nan")


def _losses(*values):
    return [{"loss": value} for value in values]


# -- arguments --------------------------------------------------------------


@pytest.mark.parametrize("save_freq", ["eval", 0, -1, True, False, 1.5, None])
def test_a_save_freq_that_means_nothing_is_refused(save_freq):
    """The error is Keras's first clause, before any training."""
    with pytest.raises(
        InvalidArgument,
        match=f"^Unrecognized save_freq: {save_freq}. Expected save_freq are",
    ):
        ModelCheckpoint("m.keras", save_freq=save_freq)


@pytest.mark.parametrize("period", [0, -1, True, 1.5, "2"])
def test_a_period_that_means_nothing_is_refused(period):
    """A period counts epochs."""
    with pytest.raises(InvalidArgument, match=f"got period={period!r}"):
        ModelCheckpoint("m.keras", period=period)


@pytest.mark.parametrize("filepath", [5, b"m.keras", ["m.keras"]])
def test_what_is_no_path_is_refused(filepath):
    """The error names the value."""
    with pytest.raises(
        InvalidArgument, match="filepath must be a str or a path"
    ):
        ModelCheckpoint(filepath)


@pytest.mark.parametrize("filepath", [None, ""])
def test_no_path_is_refused_before_training(filepath):
    """A path may be assigned later, but has to be there for training."""
    with pytest.raises(InvalidArgument, match="needs a path to save to"):
        drive([ModelCheckpoint(filepath)], epochs=_losses(1.0))


def test_an_unknown_keyword_is_refused():
    """A misspelt argument is not swallowed."""
    with pytest.raises(TypeError, match="save_best"):
        ModelCheckpoint("m.keras", save_best=True)


@pytest.mark.parametrize(
    ("weights_only", "name"),
    [
        (True, "tf.train.CheckpointOptions"),
        (False, "tf.saved_model.SaveOptions"),
    ],
)
def test_foreign_options_are_refused(weights_only, name):
    """The error names the class that is wanted."""
    with pytest.raises(TypeError, match=name):
        ModelCheckpoint("m", save_weights_only=weights_only, options=object())


def test_options_for_a_keras_archive_are_refused(tensorflow):
    """The format has none, also where the path is no str."""
    options = tensorflow.saved_model.SaveOptions()

    with pytest.raises(
        ValueError, match=r"^The native TF-Keras format does not"
    ):
        ModelCheckpoint(Path("m.keras"), options=options)


@pytest.mark.parametrize("threshold", ["0.5", NAN, [0.5]])
def test_a_threshold_that_is_no_number_is_refused(threshold):
    """No epoch is wasted on what can be compared with nothing."""
    with pytest.raises(InvalidArgument, match="initial_value_threshold="):
        ModelCheckpoint("m.keras", initial_value_threshold=threshold)


def test_a_count_of_numpy_is_a_count():
    """A frequency that was computed is as good as one that was typed."""
    checkpoint = ModelCheckpoint("m{batch}.keras", save_freq=np.int64(2))

    run = drive([checkpoint], losses=[1.0] * 4)

    assert run.model.saved == ["m2.keras", "m4.keras"]


@pytest.mark.parametrize("threshold", [0.5, 1, np.float32(0.5)])
def test_a_number_in_the_eighth_place_is_the_threshold(threshold):
    """Keras 3 has `initial_value_threshold` where Keras 2 has `options`."""
    checkpoint = ModelCheckpoint(
        "m.keras", "loss", 0, True, False, "min", "epoch", threshold
    )

    assert checkpoint.best == threshold


def test_options_in_the_eighth_place_are_options(tensorflow):
    """Both dialects' positional calls are understood."""
    checkpoint = ModelCheckpoint(
        "cp",
        "loss",
        0,
        True,
        True,
        "min",
        "epoch",
        tensorflow.train.CheckpointOptions(),
        0.5,
    )

    assert checkpoint.best == 0.5


def test_an_unknown_mode_is_warned_of(warned):
    """As stock does, at construction."""
    ModelCheckpoint("m.keras", mode="unknown")

    assert len(warned) == 1
    assert warned[0].startswith("ModelCheckpoint mode ")


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        (
            {"period": 2},
            "`period` argument is deprecated. Please use `save_freq` to "
            "specify the frequency in number of batches seen.",
        ),
        (
            {"load_weights_on_restart": False},
            "`load_weights_on_restart` argument is deprecated. Please use "
            "`model.load_weights()` for loading weights before the start of "
            "`model.fit()`.",
        ),
    ],
)
def test_legacy_arguments_are_taken_with_a_warning(warned, argument, text):
    """The text is stock's, on every Keras."""
    ModelCheckpoint("m.keras", **argument)

    assert warned == [text]


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))]
)
def test_a_copy_goes_on_where_the_original_was(duplicate):
    """The best so far comes along, the model does not."""
    checkpoint = ModelCheckpoint("m.keras", "loss", save_best_only=True)
    drive([checkpoint], epochs=_losses(0.5))

    twin = duplicate(checkpoint)
    run = drive([twin], epochs=_losses(0.6, 0.4))

    assert run.model.saved == ["m.keras"]
    assert twin.best == 0.4


# -- when it saves ----------------------------------------------------------


def test_saves_every_epoch():
    """By default each epoch's end saves; `{epoch}` counts from 1."""
    run = drive([ModelCheckpoint("m{epoch:02d}.keras")], epochs=_losses(1, 2))

    assert run.model.saved == ["m01.keras", "m02.keras"]


def test_a_path_object_is_taken():
    """A `PathLike` is as good as a str."""
    checkpoint = ModelCheckpoint(Path("a") / "m.keras")

    assert checkpoint.filepath == os.path.join("a", "m.keras")


@pytest.mark.usefixtures("warned")
def test_period_saves_every_n_epochs():
    """The old argument works again."""
    run = drive(
        [ModelCheckpoint("m{epoch}.keras", period=2)], epochs=_losses(*range(5))
    )

    assert run.model.saved == ["m2.keras", "m4.keras"]


def test_batches_are_counted_over_the_borders_of_epochs():
    """Five batches an epoch and `save_freq=15` saves every third epoch."""
    checkpoint = ModelCheckpoint("m{epoch}-{batch}.keras", save_freq=15)

    run = drive([checkpoint], epochs=_losses(*range(7)), steps=5)

    assert run.model.saved == ["m3-5.keras", "m6-5.keras"]


def test_steps_per_execution_are_counted_right():
    """Keras 3 reports batch 11 of 10 at the end; 10 are counted."""
    checkpoint = ModelCheckpoint("m{epoch}.keras", save_freq=20)
    checkpoint.set_params({"verbose": 0, "epochs": 4, "steps": 10})
    checkpoint.set_model(FakeModel())
    checkpoint.on_train_begin()
    for epoch in range(4):
        checkpoint.on_epoch_begin(epoch)
        checkpoint.on_train_batch_end(3, {})
        checkpoint.on_train_batch_end(7, {})
        checkpoint.on_train_batch_end(11, {})

    assert checkpoint.model.saved == ["m2.keras", "m4.keras"]


def test_an_epoch_that_begins_in_long_executions_is_counted_whole():
    """3 batches, then 8 in executions of 8: the eleventh is saved."""
    checkpoint = ModelCheckpoint("m{epoch}.keras", save_freq=11)
    checkpoint.set_model(FakeModel())
    checkpoint.on_train_begin()
    for epoch, last in enumerate((2, 7)):
        checkpoint.on_epoch_begin(epoch)
        checkpoint.on_train_batch_end(last, {})

    assert checkpoint.model.saved == ["m2.keras"]


def test_batches_are_counted_over_the_borders_of_fits():
    """As in Keras; a loop of short fits saves as often as a long one."""
    checkpoint = ModelCheckpoint("m{batch}.keras", save_freq=3)

    saved = [drive([checkpoint], losses=[1.0] * 2).model.saved for _ in "123"]

    assert saved == [[], ["m1.keras"], ["m2.keras"]]


def test_batches_are_counted_on_after_a_fit_that_failed():
    """They were trained; where its epoch stopped is no matter."""
    checkpoint = ModelCheckpoint("m{batch}.keras", save_freq=11)
    checkpoint.set_model(FakeModel())
    for last in (2, 7):
        checkpoint.on_train_begin()
        checkpoint.on_epoch_begin(0)
        checkpoint.on_train_batch_end(last, {})

    assert checkpoint.model.saved == ["m8.keras"]


@pytest.mark.parametrize(("loss", "fetches"), [(0.6, 0), (0.4, 1)])
def test_a_batch_that_saves_nothing_does_not_fetch_the_model(
    runtime, monkeypatch, loss, fetches
):
    """On JAX that would bring home all of its state, at every batch."""
    fetched = []
    monkeypatch.setattr(
        type(runtime),
        "unwrap",
        lambda self, model: fetched.append(model) or model,
    )
    checkpoint = ModelCheckpoint(
        "m.keras",
        "loss",
        save_best_only=True,
        save_freq=1,
        initial_value_threshold=0.5,
    )
    checkpoint.set_model(FakeModel())
    checkpoint.on_train_begin()

    checkpoint.on_train_batch_end(0, {"loss": loss})

    assert len(fetched) == fetches


def test_no_batch_hook_without_need():
    """Stock's lists keep their fast paths while saving goes by epochs."""
    assert is_default(ModelCheckpoint("m.keras").on_train_batch_end)
    assert not is_default(
        ModelCheckpoint("m.keras", save_freq=2).on_train_batch_end
    )


def test_counters_are_called_as_stock_calls_them():
    """Code that looks at them keeps working."""
    checkpoint = ModelCheckpoint("m.keras", save_freq=4)

    drive([checkpoint], losses=[1.0] * 6)

    assert checkpoint._batches_seen_since_last_saving == 2
    assert checkpoint._last_batch_seen == 5
    assert checkpoint._current_epoch == 0
    assert (checkpoint.period, checkpoint.epochs_since_last_save) == (1, 0)


# -- the best ---------------------------------------------------------------


def test_saves_the_best_only():
    """What is no better is not saved."""
    checkpoint = ModelCheckpoint("m{epoch}.keras", "loss", save_best_only=True)

    run = drive([checkpoint], epochs=_losses(0.5, 0.6, 0.4, 0.4))

    assert run.model.saved == ["m1.keras", "m3.keras"]
    assert checkpoint.best == 0.4


def test_the_best_is_kept_over_fits():
    """A second fit of the same model does not overwrite a better state."""
    checkpoint = ModelCheckpoint("m{epoch}.keras", "loss", save_best_only=True)
    model = drive([checkpoint], epochs=_losses(0.5)).model

    drive([checkpoint], epochs=_losses(0.6, 0.4), model=model)

    assert model.saved == ["m1.keras", "m2.keras"]


def test_pain_nan_in_the_first_epoch_stops_all_saving():
    """NaN is never the best; later epochs are saved."""
    checkpoint = ModelCheckpoint("m{epoch}.keras", "loss", save_best_only=True)

    run = drive([checkpoint], epochs=_losses(NAN, 1.0, NAN, 0.5))

    assert run.model.saved == ["m2.keras", "m4.keras"]


def test_pain_small_improvements_are_lost_in_float32():
    """Values are compared as Python floats."""
    checkpoint = ModelCheckpoint("m{epoch}.keras", "loss", save_best_only=True)

    run = drive([checkpoint], epochs=_losses(1.0, 0.99999999, 0.99999998))

    assert len(run.model.saved) == 3


def test_initial_value_threshold():
    """What is worse than the threshold is not saved."""
    checkpoint = ModelCheckpoint(
        "m{epoch}.keras",
        "loss",
        save_best_only=True,
        initial_value_threshold=0.5,
    )

    run = drive([checkpoint], epochs=_losses(0.7, 0.4))

    assert run.model.saved == ["m2.keras"]


def test_pain_a_missing_monitor_overwrites_the_best(warned):
    """Once there is a best model on disk, only a better one replaces it."""
    checkpoint = ModelCheckpoint("m{epoch}.keras", "loss", save_best_only=True)

    run = drive([checkpoint], epochs=[{"loss": 0.5}, {}, {"loss": 0.4}])

    assert run.model.saved == ["m1.keras", "m3.keras"]
    assert warned == []


def test_a_missing_monitor_is_told_once_as_stock_tells_it(warned, is_keras3):
    """Keras 3 saves as long as there is no best; Keras 2 never does."""
    checkpoint = ModelCheckpoint(
        "m{epoch}.keras", "val_x", save_best_only=True, mode="min"
    )

    run = drive([checkpoint], epochs=_losses(1, 2))

    text = "Can save best model only with val_x available"
    assert warned == [f"{text}." if is_keras3 else f"{text}, skipping."]
    assert len(run.model.saved) == (2 if is_keras3 else 0)


def test_pain_a_misspelt_monitor_is_told_with_the_nearest_name(warned):
    """The warning says what may have been meant."""
    checkpoint = ModelCheckpoint(
        "m.keras", "val_acuracy", save_best_only=True, mode="max"
    )

    drive([checkpoint], epochs=[{"loss": 1.0, "val_accuracy": 0.5}])

    assert len(warned) == 1
    assert warned[0].endswith("Did you mean `val_accuracy`?")


def test_an_array_is_no_best(warned):
    """What is not one number is saved, with stock's warning."""
    checkpoint = ModelCheckpoint("m{epoch}.keras", "loss", save_best_only=True)

    run = drive([checkpoint], epochs=_losses(np.array([1.0, 2.0])))

    assert run.model.saved == ["m1.keras"]
    assert len(warned) == 1
    assert "Falling back to `save_best_only=False`" in warned[0]


def test_pain_batches_and_best_crash():
    """An integer `save_freq` judges by the batch's own value."""
    checkpoint = ModelCheckpoint(
        "m{batch}.keras", "loss", save_best_only=True, save_freq=2
    )

    run = drive([checkpoint], losses=[0.9, 0.5, 0.4, 0.6, 0.5, 0.3])

    assert run.model.saved == ["m2.keras", "m6.keras"]


def test_pain_batches_and_best_validation_never_save(warned):
    """What falls due within an epoch waits for its validation."""
    checkpoint = ModelCheckpoint(
        "m{epoch}.keras", "val_loss", save_best_only=True, save_freq=3
    )
    epochs = [
        {"loss": 1.0, "val_loss": value} for value in (0.5, 0.6, 0.4, 0.3)
    ]

    run = drive([checkpoint], epochs=epochs, steps=2)

    assert run.model.saved == ["m2.keras", "m3.keras"]
    assert len(warned) == 1
    assert "only the end of an epoch can bring `val_loss`" in warned[0]


def test_a_direction_is_not_needed_without_best(warned):
    """A monitor of unknown direction is nobody's business without `best`."""
    drive([ModelCheckpoint("m.keras", "width")], epochs=_losses(1))

    assert warned == []


# -- paths ------------------------------------------------------------------


def test_pain_a_missing_key_in_the_path_kills_training(warned):
    """Its name stands in its place, and that is told once."""
    checkpoint = ModelCheckpoint("m{epoch}-{val_loss:.2f}.keras")

    run = drive([checkpoint], epochs=_losses(1, 2))

    assert run.model.saved == ["m1-val_loss.keras", "m2-val_loss.keras"]
    assert len(warned) == 1
    assert "'val_loss'" in warned[0]


@pytest.mark.parametrize(
    "filepath", ["m{}.keras", "m{epoch.keras", "m{epoch:zz}.keras"]
)
def test_an_unreadable_path_is_refused_before_training(filepath):
    """No epoch is wasted on a template that nothing can fill."""
    with pytest.raises(
        InvalidArgument, match=r"^Failed to format this callback"
    ):
        drive([ModelCheckpoint(filepath)], epochs=_losses(1))


def test_batch_in_the_path_needs_batches():
    """The end of an epoch has no batch to name."""
    with pytest.raises(KeyError, match="no epoch has a value for 'batch'"):
        drive([ModelCheckpoint("m{batch}.keras")], epochs=_losses(1))


@pytest.mark.fit
@pytest.mark.parametrize("name", ["mape", "val_loss", "los", "acc"])
def test_a_placeholder_no_epoch_will_fill(make_model, data, name):
    """It is told before the first step, as the error that Keras raises."""
    model = make_model()
    checkpoint = ModelCheckpoint(f"m{{{name}:.2f}}.keras")

    with pytest.raises(KeyError, match=f"no epoch has a value for '{name}'"):
        model.fit(*data, verbose=0, callbacks=[checkpoint])

    assert int(model.optimizer.iterations) == 0


class _Adds(Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["mine"] = 0.5


@pytest.mark.fit
@pytest.mark.parametrize(
    "other",
    [
        _Adds,
        lambda: LambdaCallback(
            on_epoch_end=lambda epoch, logs: logs.update(mine=0.5)
        ),
    ],
    ids=["class", "lambda"],
)
def test_what_another_callback_logs_can_be_in_the_path(make_model, data, other):
    """Nobody can foresee it, so nothing is refused."""
    callbacks = [other(), ModelCheckpoint("m{mine}.keras")]

    make_model().fit(*data, verbose=0, callbacks=callbacks)

    assert Path("m0.5.keras").is_file()


@pytest.mark.fit
def test_validation_can_be_in_the_path(make_model, data):
    """A fit that validates fills `{val_loss}`."""
    make_model().fit(
        *data,
        verbose=0,
        validation_split=0.25,
        callbacks=[
            ModelCheckpoint("{epoch}-{val_loss:.2f}-{val_accuracy}.keras")
        ],
    )

    assert len(list(Path().glob("1-*.keras"))) == 1


@pytest.mark.fit
def test_a_directory_in_the_place_of_the_file(make_model, data):
    """The text is Keras's, and comes before training."""
    Path("m.h5").mkdir()
    model = make_model()

    with pytest.raises(
        OSError,
        match=r"Please specify a non-directory filepath for ModelCheckpoint\.",
    ):
        model.fit(*data, verbose=0, callbacks=[ModelCheckpoint("m.h5")])

    assert int(model.optimizer.iterations) == 0


def test_a_directory_found_when_saving(make_model):
    """A template can lead to one as well."""
    Path("m1.keras").mkdir()
    checkpoint = ModelCheckpoint("m{epoch}.keras")

    with pytest.raises(UnwritablePath, match="non-directory filepath"):
        drive([checkpoint], epochs=_losses(1), model=make_model())


def test_a_file_in_the_place_of_a_folder():
    """A folder that cannot be made is told before training."""
    Path("f").write_text("")

    with pytest.raises(UnwritablePath, match=r"'.*f' is a file"):
        drive([ModelCheckpoint("f/m.keras")], epochs=_losses(1))


@pytest.mark.fit
def test_folders_are_made(make_model, data):
    """Parents are created when something is saved."""
    make_model().fit(
        *data, verbose=0, callbacks=[ModelCheckpoint("a/{epoch}/m.keras")]
    )

    assert Path("a/1/m.keras").is_file()


@pytest.mark.parametrize(
    ("filepath", "weights_only"),
    [("m", False), ("w.h5", True), ("w.keras", True), ("cp", True)],
)
def test_pain_keras3_refuses_old_paths(
    make_model, warned, keras3_only, needs_format, filepath, weights_only
):
    """They are written, with one warning that says what became of them."""
    needs_format(filepath, weights_only)
    checkpoint = ModelCheckpoint(filepath, save_weights_only=weights_only)

    for _ in range(2):
        drive([checkpoint], epochs=_losses(1, 2), model=make_model())

    ours = [text for text in warned if "Keras 3 itself saves" in text]
    assert len(ours) == 1
    assert ours[0].startswith("ModelCheckpoint: ")


@pytest.mark.usefixtures("warned")
def test_a_prefix_is_a_checkpoint_to_tensorflow(make_model, tensorflow):
    """TensorFlow finds the newest by its own means, with the optimizer."""
    checkpoint = ModelCheckpoint("cp/{epoch:02d}", save_weights_only=True)

    drive([checkpoint], epochs=_losses(1, 2), model=make_model())

    newest = tensorflow.train.latest_checkpoint("cp")
    assert os.path.basename(newest) == "02"
    assert sorted(os.listdir("cp")) == [
        "01.data-00000-of-00001",
        "01.index",
        "02.data-00000-of-00001",
        "02.index",
        "checkpoint",
    ]
    names = [name for name, _ in tensorflow.train.list_variables(newest)]
    assert any(name.startswith("optimizer/") for name in names)


@pytest.mark.usefixtures("warned")
@pytest.mark.parametrize("weights_only", [True, False])
def test_options_reach_tensorflow(make_model, tensorflow, weights_only):
    """Options are taken where a format of TensorFlow's is written."""
    options = (
        tensorflow.train.CheckpointOptions()
        if weights_only
        else tensorflow.saved_model.SaveOptions()
    )
    checkpoint = ModelCheckpoint(
        "x", save_weights_only=weights_only, options=options
    )

    drive([checkpoint], epochs=_losses(1), model=make_model())

    assert Path("x.index" if weights_only else "x/saved_model.pb").is_file()


@pytest.mark.parametrize(
    ("path", "weights_only", "telling"),
    [
        ("m.weights.h5", True, {"keras2", "keras3"}),
        ("m", True, set()),
        ("m", False, {"keras3"}),
    ],
)
def test_options_that_have_no_effect(
    runtime, make_model, tensorflow, warned, path, weights_only, telling
):
    """Options that nothing takes are told of, once."""
    options = (
        tensorflow.train.CheckpointOptions()
        if weights_only
        else tensorflow.saved_model.SaveOptions()
    )
    checkpoint = ModelCheckpoint(
        path, save_weights_only=weights_only, options=options
    )

    for _ in range(2):
        drive([checkpoint], epochs=_losses(1, 2), model=make_model())

    told = [text for text in warned if "options have no effect" in text]
    assert len(told) == (runtime.name in telling)


def test_pain_an_own_save_without_overwrite_breaks(keras):
    """A model that overrides `save(path)` is called with what it takes."""

    class Own(keras.Model):
        saved = None

        def save(self, filepath):
            self.saved = filepath

    model = Own()

    drive([ModelCheckpoint("any/where")], epochs=_losses(1), model=model)

    assert model.saved == "any/where"


def test_workers_write_where_they_may(runtime, monkeypatch):
    """A worker that is not the chief writes aside, and cleans up."""
    discarded = []
    monkeypatch.setattr(
        type(runtime), "write_path", lambda self, path, model: f"aside/{path}"
    )
    monkeypatch.setattr(
        type(runtime),
        "discard_write_path",
        lambda self, path, model: discarded.append(path),
    )

    run = drive([ModelCheckpoint("m.keras")], epochs=_losses(1))

    assert run.model.saved == ["aside/m.keras"]
    assert discarded == [os.path.abspath("aside/m.keras")]


@pytest.mark.fit
def test_what_a_path_becomes_is_told_of_the_line_that_trains(
    make_model, data, keras3_only, needs_format
):
    """The user finds the call, and not a line of ours or of Keras's."""
    needs_format("w.h5", weights_only=True)
    checkpoint = ModelCheckpoint("w.h5", save_weights_only=True)
    model = make_model()

    with pytest.warns(UserWarning, match="is written as Keras 2") as caught:
        model.fit(*data, verbose=0, callbacks=[checkpoint])

    assert caught[0].filename == __file__


# -- loading on restart -----------------------------------------------------


@pytest.mark.usefixtures("warned")
@pytest.mark.parametrize("folder", ["", "run/"])
def test_restart_loads_the_newest(make_model, folder):
    """Also for a bare file name, for which stock finds nothing."""
    filepath = f"{folder}w-{{epoch}}.weights.h5"
    model = make_model()
    drive(
        [ModelCheckpoint(filepath, save_weights_only=True)],
        epochs=_losses(1),
        model=model,
    )
    checkpoint = ModelCheckpoint(
        filepath, save_weights_only=True, load_weights_on_restart=True
    )

    fresh = make_model(seed=7)
    checkpoint.set_model(fresh)
    checkpoint.on_train_begin()

    np.testing.assert_array_equal(
        fresh.get_weights()[0], model.get_weights()[0]
    )


@pytest.mark.usefixtures("warned")
def test_restart_without_a_file(make_model):
    """The first start has nothing to load."""
    checkpoint = ModelCheckpoint("w.weights.h5", load_weights_on_restart=True)
    checkpoint.set_model(make_model())

    checkpoint.on_train_begin()

    assert not Path("w.weights.h5").exists()


@pytest.mark.usefixtures("warned")
def test_restart_with_a_broken_file(make_model):
    """The error is stock's, and names the file."""
    Path("w.weights.h5").write_text("broken")
    checkpoint = ModelCheckpoint("w.weights.h5", load_weights_on_restart=True)
    checkpoint.set_model(make_model())

    with pytest.raises(ValueError, match=r"^Error loading file from w.weights"):
        checkpoint.on_train_begin()


# -- by hand ----------------------------------------------------------------


def test_hooks_by_hand_without_logs():
    """No list, no params, no `on_train_begin`, no logs."""
    checkpoint = ModelCheckpoint("m{epoch}.keras")
    checkpoint.set_model(FakeModel())

    checkpoint.on_epoch_end(0)

    assert checkpoint.model.saved == ["m1.keras"]


def test_batch_hooks_by_hand_without_logs():
    """The epoch is the first until one has begun."""
    checkpoint = ModelCheckpoint("m{epoch}-{batch}.keras", save_freq=1)
    checkpoint.set_model(FakeModel())

    checkpoint.on_train_batch_end(0)

    assert checkpoint.model.saved == ["m1-1.keras"]


# -- parity -----------------------------------------------------------------

ATTRIBUTES = (
    "monitor",
    "verbose",
    "filepath",
    "save_best_only",
    "save_weights_only",
    "save_freq",
    "best",
    "_current_epoch",
)


@pytest.mark.fit
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5")
@pytest.mark.parametrize(
    "arguments",
    [
        {"filepath": "m{epoch:02d}.keras"},
        {"filepath": "m-{epoch}-{val_loss:.2f}.h5", "verbose": 1},
        {
            "filepath": "best.keras",
            "save_best_only": True,
            "verbose": 1,
            "mode": "min",
        },
        {
            "filepath": "best.weights.h5",
            "monitor": "val_accuracy",
            "save_best_only": True,
            "save_weights_only": True,
            "verbose": 1,
        },
        {
            "filepath": "b/{epoch}-{batch}-{loss:.1f}.weights.h5",
            "save_weights_only": True,
            "save_freq": 4,
            "verbose": 1,
        },
        {
            "filepath": "m.keras",
            "monitor": "unknown",
            "save_best_only": True,
            "mode": "min",
        },
    ],
    ids=["epochs", "hdf5", "best", "weights", "batches", "missing"],
)
@pytest.mark.usefixtures("newest_keras3")
def test_parity(runtime, make_model, data, tmp_path, arguments):
    """History, files, printed lines, warnings and weights are stock's."""
    stock, ours = compare(
        runtime,
        lambda classes: [classes.ModelCheckpoint(**arguments)],
        make_model,
        data,
        tmp_path,
        batch_size=8,
        # A missing monitor is told once, not every epoch.
        epochs=1 if arguments.get("monitor") == "unknown" else 3,
    )

    assert_equal_runs(stock, ours, *ATTRIBUTES)
    for path in sorted(ours.files):
        one, other = make_model(seed=5), make_model(seed=6)
        load_weights(one, tmp_path / "stock" / path)
        load_weights(other, tmp_path / "ours" / path)
        _assert_equal_weights(one, other)


@pytest.mark.fit
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5")
@pytest.mark.parametrize(
    ("filepath", "weights_only"),
    [
        ("m{epoch}", False),
        ("cp/cp-{epoch}.ckpt", True),
        ("w.h5", True),
        ("w.keras", True),
    ],
)
def test_parity_of_old_paths(
    runtime, make_model, data, tmp_path, keras2_only, filepath, weights_only
):
    """Keras 2 writes what it always wrote there, without a word."""
    stock, ours = compare(
        runtime,
        lambda classes: [
            classes.ModelCheckpoint(
                filepath, save_weights_only=weights_only, verbose=1
            )
        ],
        make_model,
        data,
        tmp_path,
    )

    assert_equal_runs(stock, ours, *ATTRIBUTES)


def _assert_equal_weights(one, other):
    for first, second in zip(
        one.get_weights(), other.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(first, second)


@pytest.mark.fit
def test_an_epoch_between_two_validations_is_no_checkpoint(
    make_model, data, warned
):
    """Nothing is written for it, and nothing said (`validation_freq`)."""
    make_model().fit(
        *data,
        epochs=4,
        validation_data=data,
        validation_freq=2,
        verbose=0,
        callbacks=[
            ModelCheckpoint(
                "v-{epoch}-{val_loss:.1f}.weights.h5",
                save_best_only=True,
                save_weights_only=True,
            )
        ],
    )

    assert warned == []
    assert {path.name[:3] for path in Path().glob("v-*")} == {"v-2", "v-4"}
