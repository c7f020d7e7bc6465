"""Fits with odd logs, other data, unbuilt models and adapted layers."""

import numpy as np
import pytest

from kerascb import BackupAndRestore
from tests.callbacks.crashing import Crash, Positions, crash, weights_equal


def backup(save_freq=1, **arguments):
    """One that has written when the hook is over."""
    return BackupAndRestore("backup", save_freq, background=False, **arguments)


# -- logs -------------------------------------------------------------------

# A loss has to be there for Keras's own bookkeeping to work.
ODD = {
    "none": lambda loss: {"loss": loss, "nothing": None},
    "array": lambda loss: {"loss": loss, "each": np.arange(3.0)},
    "dict": lambda loss: {"loss": loss, "parts": {"left": 1.0, "right": loss}},
    "list": lambda loss: {"loss": loss, "both": [1.0, 2.0]},
    "object": lambda loss: {"loss": loss, "thing": frozenset({1})},
    "text": lambda loss: {"loss": loss, "note": "fine"},
    "no loss": lambda loss: {"parts": {"left": 1.0}},
    "nothing": lambda loss: {},
}


@pytest.fixture
def make_odd(keras, data):
    """Builds models whose steps log what they are told to."""

    class Odd(keras.Model):
        """Logs oddly."""

        def __init__(self, logs):
            super().__init__()
            self.classes = keras.layers.Dense(3, activation="softmax")
            self.logs = logs

        def call(self, inputs):
            """One layer."""
            return self.classes(inputs)

        def train_step(self, *args):
            """That of Keras, with other logs."""
            logs = super().train_step(*args)
            if isinstance(logs, tuple):  # JAX hands its state on as well
                logs, state = logs
                return self.logs(logs["loss"]), state
            return self.logs(logs["loss"])

    def make(logs, seed=1):
        keras.utils.set_random_seed(seed)
        model = Odd(logs)
        model.compile(
            "sgd", "sparse_categorical_crossentropy", run_eagerly=True
        )
        model(data[0])
        return model

    return make


@pytest.mark.fit
@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("batches", [5, 4])
def test_odd_logs_are_no_hindrance(fit, make_odd, name, batches):
    """Killed within an epoch, and after its last batch."""
    logs = ODD[name]
    try:
        whole = fit(model=make_odd(logs), epochs=3)
    except Exception as error:  # noqa: BLE001 - whatever Keras makes of them
        pytest.skip(f"Keras cannot log this: {type(error).__name__}")
    crash(fit, backup(), Crash(batches=batches), model=make_odd(logs), epochs=3)
    resumed = fit(backup(), model=make_odd(logs, seed=7), epochs=3)

    assert resumed.record.epoch == [0, 1, 2]
    assert resumed.record.history.keys() == whole.record.history.keys()
    assert weights_equal(resumed, whole)


# -- other data -------------------------------------------------------------


@pytest.mark.fit
def test_a_run_with_more_data_is_not_cut_to_its_old_length(fit, data):
    """Later epochs are as long as their data are."""
    crash(fit, backup(), Crash(batches=5))
    x, y = (np.concatenate([each, each]) for each in data)
    positions = Positions()
    fit(backup(), positions, x=x, y=y, epochs=3)

    assert positions.trained == [
        *((1, batch) for batch in range(1, 6)),
        *((2, batch) for batch in range(6)),
    ]


@pytest.mark.fit
@pytest.mark.parametrize(("before", "after"), [(2, None), (2, 3), (None, 2)])
def test_another_steps_per_epoch_holds_from_the_restart_on(
    fit, data, tensorflow, warned, before, after
):
    """Also where nobody but Keras, counting, knows how long the data are."""
    x, y = data

    def endless():
        dataset = tensorflow.data.Dataset.from_tensor_slices((x, y)).batch(8)
        # Of a length that is not known.
        dataset = dataset.filter(lambda *_: True)
        return dataset if None in {before, after} else dataset.repeat()

    arguments = {"y": None, "batch_size": None, "shuffle": None}

    def run(*callbacks, steps, **more):
        fit(*callbacks, x=endless(), steps_per_epoch=steps, **arguments, **more)

    with pytest.raises(RuntimeError, match="killed"):
        run(backup("epoch"), Crash(batches=(before or 3) + 1), steps=before)
    positions = Positions()
    run(backup("epoch"), positions, steps=after, epochs=2)

    expected = 3 if after is None else after
    assert positions.trained == [(1, batch) for batch in range(expected)]


# -- what is not built yet --------------------------------------------------


@pytest.mark.fit
@pytest.mark.parametrize("stock_is_built", [True, False])
def test_an_unbuilt_model_takes_up_a_backup_of_stocks(
    fit, keras, data, stock, warned, stock_is_built
):
    """Swapped for ours, the callback asks for no build() in the script."""

    def make(seed, is_built):
        keras.utils.set_random_seed(seed)
        model = keras.Sequential(
            [keras.layers.Dense(3, activation="softmax", name="classes")]
        )
        model.compile("adam", "sparse_categorical_crossentropy")
        if is_built:
            model.build((None, 4))
        return model

    theirs = stock("BackupAndRestore")("backup", "epoch")
    whole = fit(model=make(1, is_built=True), epochs=3)
    try:
        crash(
            fit,
            theirs,
            Crash(epochs=2),
            model=make(1, stock_is_built),
            epochs=3,
        )
    except ValueError:
        pytest.skip("Keras's own takes no unbuilt model here")
    positions = Positions()
    resumed = fit(backup(), positions, model=make(7, is_built=False), epochs=3)

    assert positions.trained[0] == (2, 0)
    assert weights_equal(resumed, whole)


@pytest.mark.fit
def test_without_a_backup_an_unbuilt_model_is_left_to_fit(
    fit, keras, runtime, monkeypatch
):
    """Building it early costs a trace, for which there is no reason."""
    model = keras.Sequential([keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    built = []
    build = type(runtime).build
    monkeypatch.setattr(
        type(runtime),
        "build",
        lambda *args: built.append(True) or build(*args),
    )
    monkeypatch.setattr(type(runtime), "give_generators", lambda *args: None)
    fit(backup("epoch"), model=model, epochs=1)

    assert built == []


# -- layers that were adapted -----------------------------------------------


@pytest.fixture
def make_adapted(keras, data):
    """Builds models with a `Normalization` that knows some samples."""

    def make(samples, seed=1, **arguments):
        keras.utils.set_random_seed(seed)
        norm = keras.layers.Normalization(**arguments)
        if samples is None:
            norm.build((None, 4))
        else:
            norm.adapt(samples)
        model = keras.Sequential(
            [
                keras.layers.Input((4,)),
                norm,
                keras.layers.Dense(3, activation="softmax"),
            ]
        )
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    return make


@pytest.mark.fit
@pytest.mark.parametrize("samples", ["the same", "others", None])
def test_a_normalization_is_that_of_the_run(fit, make_adapted, data, samples):
    """What it has adapted to before the kill counts, its constants too."""
    x = data[0] * 3 + 1
    again = {"the same": x, "others": x[:5] * 9, None: None}[samples]
    whole = fit(model=make_adapted(x), x=x)
    crash(fit, backup(), Crash(batches=5), model=make_adapted(x), x=x)
    resumed = fit(backup(), model=make_adapted(again, seed=7), x=x)

    assert weights_equal(resumed, whole)
    np.testing.assert_array_equal(
        resumed.predict(x, verbose=0), whole.predict(x, verbose=0)
    )


WORDS = np.array([["a"], ["b"], ["a"], ["c"]] * 6)
NUMBERS = np.array([[3], [4], [3], [9]] * 6)


@pytest.fixture
def make_lookup(keras, tensorflow):
    """Builds models with a table of words, or of integers."""

    def make(inputs, seed=1, mode="one_hot"):
        keras.utils.set_random_seed(seed)
        is_text = inputs.dtype.kind == "U"
        kind = "StringLookup" if is_text else "IntegerLookup"
        lookup = getattr(keras.layers, kind)(output_mode=mode)
        lookup.adapt(inputs)
        dtype = "string" if is_text else "int64"
        entry = keras.layers.Input((1,), dtype=dtype)
        hidden = lookup(entry)
        if mode == "int":
            hidden = keras.layers.Flatten()(
                keras.layers.Embedding(6, 3)(hidden)
            )
        answer = keras.layers.Dense(3, activation="softmax")(hidden)
        model = keras.Model(entry, answer)
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    return make


@pytest.mark.fit
@pytest.mark.parametrize("inputs", [WORDS, NUMBERS], ids=["words", "numbers"])
@pytest.mark.parametrize("mode", ["one_hot", "int", "tf_idf"])
def test_tables_of_lookups_work_after_a_restore(
    fit, make_lookup, tensorflow, inputs, mode
):
    """The script adapts them as before; what is learnt comes back."""
    x = tensorflow.constant(inputs)
    whole = fit(model=make_lookup(inputs, mode=mode), x=x)
    crash(
        fit,
        backup(),
        Crash(batches=5),
        model=make_lookup(inputs, mode=mode),
        x=x,
    )
    resumed = fit(backup(), model=make_lookup(inputs, seed=7, mode=mode), x=x)

    np.testing.assert_array_equal(
        resumed.predict(x, verbose=0), whole.predict(x, verbose=0)
    )
