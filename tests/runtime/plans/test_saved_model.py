"""Tests of `kerascb.runtime.plans.saved_model`, against stock's directories."""

import gc
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest

from kerascb.checkpoint import load_model
from kerascb.layouts.notes import encode
from kerascb.layouts.plan import NotPlannable
from kerascb.runtime import Format, read_note

tf = pytest.importorskip("tensorflow")
pytestmark = [
    pytest.mark.filterwarnings(
        "ignore:The `native_serialization` parameter:DeprecationWarning",
    ),
]

X = np.linspace(0, 1, 32, dtype="float32").reshape(8, 4)
Y = np.ones((8, 1), "float32")
WORDS = np.array([[word] for word in "abcabcab"], object)
VALUES = [
    "variables/variables.data-00000-of-00001",
    "variables/variables.index",
]
KERAS2_FILE = "keras_metadata.pb"
KERAS3_FILE = "assets.extra/kerascb.keras"


@pytest.fixture(autouse=True)
def _directories_can_be_written(needs_format):
    needs_format("m")


@pytest.fixture
def make(keras):
    """Makes and trains a model."""

    def make(*inner, x=X, optimizer="adam", **how):
        keras.utils.set_random_seed(1)
        shape, dtype = x.shape[1:], "string" if x is WORDS else "float32"
        model = keras.Sequential(
            [
                keras.layers.Input(shape, dtype=dtype),
                *inner,
                keras.layers.Dense(5, activation="relu"),
                keras.layers.Dense(1),
            ]
        )
        model.compile(optimizer, "mse", metrics=["mae"], **how)
        model.fit(tf.constant(x) if x is WORDS else x, Y, verbose=0)
        return model

    return make


@pytest.fixture
def make_with_words(keras, runtime, make):
    """A model with lookup tables, a vocabulary and an embedding."""
    if runtime.backend != "tensorflow":
        pytest.skip("Keras looks words up with TensorFlow only")
    words = keras.layers.StringLookup()
    words.adapt(WORDS)
    return lambda: make(
        words,
        keras.layers.Embedding(5, 2),
        keras.layers.Flatten(),
        x=WORDS,
    )


@pytest.fixture
def save(runtime):
    """Writes what is planned for a model to a directory."""

    def save(model, path="ours", **note):
        plan = runtime.plan(model, Format.SAVED_MODEL)
        frozen = runtime.freeze(plan.variables)
        seeds = [frozen[index].array().tolist() for index in plan.seeds]
        note = encode({"seeds": seeds, **note}) if note or seeds else b""
        values = [value.raw() for value in frozen]
        for name, layout in plan.files.items():
            file = Path(path, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"".join(layout.render(values, note)))
        return files_of(path)

    return save


@pytest.fixture
def by_stock(runtime):
    """Has stock save a model to a directory."""

    def save(model):
        if runtime.name == "keras3":
            model.export("stock", verbose=False)
        else:
            model.save("stock")
        return files_of("stock")

    return save


@pytest.fixture
def exports(keras, monkeypatch, runtime):
    """Counts how often Keras exports a graph."""
    counted = []
    name = "export" if runtime.name == "keras3" else "save"
    export = getattr(keras.Sequential, name)
    monkeypatch.setattr(
        keras.Sequential,
        name,
        lambda *args, **how: counted.append(args) or export(*args, **how),
    )
    return counted


def files_of(folder):
    """Name → content of the files in a folder."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in Path(folder).rglob("*")
        if file.is_file()
    }


def tensors_of(folder):
    """Key → value of the variables in a directory."""
    reader = tf.train.load_checkpoint(f"{folder}/variables/variables")
    return {
        key: reader.get_tensor(key).tolist()
        for key in reader.get_variable_to_shape_map()
        if key != "_CHECKPOINTABLE_OBJECT_GRAPH"
    }


def served(folder, x):
    """What the graph in a directory predicts."""
    loaded = tf.saved_model.load(folder)
    serve = loaded.signatures["serving_default"]
    ((name, spec),) = serve.structured_input_signature[1].items()
    ((_, result),) = serve(**{name: tf.constant(x, spec.dtype)}).items()
    return result.numpy()


@pytest.mark.fit
def test_stocks_files_and_values(runtime, make, save, by_stock):
    """The same files, and the same values in those of variables."""
    model = make()
    ours, stock = save(model), by_stock(model)

    own = {KERAS3_FILE} if runtime.name == "keras3" else set()
    assert ours.keys() - own == stock.keys()
    assert tensors_of("ours") == tensors_of("stock")
    if runtime.backend == "tensorflow":  # jax2tf orders objects otherwise
        assert [ours[name] for name in VALUES] == [
            stock[name] for name in VALUES
        ]
    assert ours.get(KERAS2_FILE) == stock.get(KERAS2_FILE)


@pytest.mark.fit
def test_the_graph_is_exported_once_a_fit(
    keras, runtime, make, save, by_stock, exports
):
    """Later saves have the values of their step; the next fit exports anew."""
    model = make()
    saved = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: save(model, f"e{epoch}")
    )
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[saved])

    assert len(exports) == 1
    assert tensors_of("e0") != tensors_of("e2")
    by_stock(model)
    assert tensors_of("e2") == tensors_of("stock")
    model.fit(X, Y, epochs=1, verbose=0, callbacks=[saved])
    assert len(exports) == 3  # stock's own was one of them


@pytest.mark.fit
def test_exported_anew_where_python_trains(make, save, exports):
    """Run eagerly, a model is what its Python attributes are by now."""
    model = make(run_eagerly=True)
    save(model)
    save(model)

    assert len(exports) == 2


@pytest.mark.fit
def test_nothing_is_saved_to_export(make, save, monkeypatch):
    """TensorFlow writes the graph alone; the values are ours to write."""
    from tensorflow.python.checkpoint.functional_saver import MultiDeviceSaver

    trace = MultiDeviceSaver.save

    def save_values(*args, **how):
        assert not tf.executing_eagerly(), "a part of the graph it may be"
        return trace(*args, **how)

    monkeypatch.setattr(MultiDeviceSaver, "save", save_values)
    save(make())


@pytest.mark.fit
def test_served(make, save):
    """What TensorFlow serves predicts as the model that was saved."""
    model = make()
    save(model)
    model.fit(X, Y, verbose=0)
    save(model)

    np.testing.assert_allclose(
        served("ours", X), model.predict(X, verbose=0), rtol=1e-6
    )


@pytest.mark.fit
def test_loaded_with_its_optimizer(make, save):
    """The model comes back, and goes on from the same step."""
    model = make()
    save(model)
    model.fit(X, Y, verbose=0)
    save(model)

    loaded = load_model("ours")

    np.testing.assert_array_equal(
        loaded.predict(X, verbose=0), model.predict(X, verbose=0)
    )
    assert int(loaded.optimizer.iterations) == 2
    loaded.fit(X, Y, shuffle=False, verbose=0)
    model.fit(X, Y, shuffle=False, verbose=0)
    np.testing.assert_allclose(
        loaded.get_weights()[0], model.get_weights()[0], rtol=1e-6
    )


@pytest.mark.fit
def test_generators_continue(keras, runtime, make, save):
    """Dropout goes on where it was."""
    how = {"rng_type": "stateful"} if runtime.name == "keras2" else {}
    dropout = keras.layers.Dropout(0.5, **how)
    if not how.keys() <= dropout.get_config().keys():
        pytest.skip("this Keras does not save what generator a layer has")
    model = make(dropout)
    save(model)
    after = np.asarray(model(X, training=True))

    loaded = load_model("ours")

    np.testing.assert_array_equal(np.asarray(loaded(X, training=True)), after)


@pytest.mark.fit
def test_tables_and_vocabularies(make_with_words, save, by_stock):
    """Tables are written as they are, files of words are copied."""
    model = make_with_words()
    save(model)
    model.fit(tf.constant(WORDS), Y, verbose=0)

    ours, stock = save(model), by_stock(model)

    assert [ours[name] for name in VALUES] == [stock[name] for name in VALUES]
    np.testing.assert_allclose(
        served("ours", WORDS),
        model.predict(tf.constant(WORDS), verbose=0),
        rtol=1e-6,
    )


@pytest.mark.fit
def test_fingerprint(make, save):
    """Two checkpoints of a fit are two models to who tells them apart."""
    model = make()
    fingerprint = tf.saved_model.experimental.read_fingerprint
    save(model)
    first = fingerprint("ours")
    model.train_on_batch(X, Y)

    index = save(model)["variables/variables.index"]

    second = fingerprint("ours")
    digest = tf.fingerprint([index]).numpy()[0].tobytes()
    assert second.checkpoint_hash == int.from_bytes(digest, "little")
    assert second.checkpoint_hash != first.checkpoint_hash
    assert second.graph_def_program_hash == first.graph_def_program_hash


@pytest.mark.fit
def test_pain_a_learning_rate_that_is_lowered(
    keras, make, save, by_stock, keras2_only
):
    """The description of the model has the rate of each save."""
    model = make()
    save(model)
    keras.backend.set_value(model.optimizer.learning_rate, 1e-5)

    ours, stock = save(model), by_stock(model)

    assert ours[KERAS2_FILE] == stock[KERAS2_FILE]
    loaded = keras.models.load_model("ours")
    assert float(loaded.optimizer.learning_rate) == pytest.approx(1e-5)


@pytest.mark.fit
@pytest.mark.parametrize("optimizer", ["Adam", "SGD"])
def test_older_optimizers(keras, make, save, by_stock, keras2_only, optimizer):
    """Their variables belong to the weights they are for."""
    kind = getattr(keras.optimizers.legacy, optimizer)
    model = make(optimizer=kind())
    save(model)
    model.fit(X, Y, verbose=0)

    ours, stock = save(model), by_stock(model)

    assert [ours[name] for name in VALUES] == [stock[name] for name in VALUES]


@pytest.mark.fit
def test_training_does_not_notice(make, save):
    """What was compiled stays compiled, and goes on the same."""
    watched, alone = make(), make()
    function, config = watched.train_function, watched.get_compile_config()
    save(watched)
    watched.fit(X, Y, shuffle=False, verbose=0)
    alone.fit(X, Y, shuffle=False, verbose=0)

    assert watched.train_function is function
    assert watched.get_compile_config() == config
    np.testing.assert_array_equal(
        watched.get_weights()[0], alone.get_weights()[0]
    )


@pytest.mark.fit
def test_other_threads_save_meanwhile(make, save, keras, runtime, monkeypatch):
    """A checkpoint that another thread writes is written as ever."""
    model = make()
    variable = tf.Variable([1.0, 2.0])
    checkpoint = tf.train.Checkpoint(variable=variable)
    name = "export" if runtime.name == "keras3" else "save"
    export = getattr(keras.Sequential, name)

    def export_beside_a_writer(*args, **how):
        thread = threading.Thread(target=checkpoint.write, args=("other",))
        thread.start()
        thread.join()
        return export(*args, **how)

    monkeypatch.setattr(keras.Sequential, name, export_beside_a_writer)
    save(model)

    values = dict(tf.train.list_variables("other"))
    assert values["variable/.ATTRIBUTES/VARIABLE_VALUE"] == [2]


@pytest.mark.fit
def test_note(make, save):
    """It stands among the variables; TensorFlow does not look at it."""
    save(make(), epoch=3)

    assert read_note("ours")["epoch"] == 3


def test_options_are_left_to_tensorflow(make_model, runtime, keras2_only):
    """What they ask for only TensorFlow's own saver does."""
    options = tf.saved_model.SaveOptions(save_debug_info=True)

    with pytest.raises(NotPlannable, match="SaveOptions"):
        runtime.plan(make_model(), Format.SAVED_MODEL, options)


@pytest.mark.fit
def test_nothing_keeps_a_model(runtime, make):
    """A graph that is kept goes with its model."""
    if runtime.backend == "jax":
        pytest.skip("JAX itself keeps what was exported")
    model = make()
    runtime.plan(model, Format.SAVED_MODEL)
    gone = weakref.ref(model)

    del model
    gc.collect()

    assert gone() is None
