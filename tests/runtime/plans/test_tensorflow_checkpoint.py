"""Planned TensorFlow checkpoints, against those that TensorFlow writes."""

import gc
import json
import weakref
from types import SimpleNamespace

import numpy as np
import pytest

from kerascb.layouts.plan import NotPlannable
from kerascb.layouts.tensor_bundle import NOTE_KEY
from kerascb.runtime import Format

tf = pytest.importorskip("tensorflow")
pytestmark = [
    pytest.mark.usefixtures("tensorflow"),
    pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize`"),
]

DATA = ".data-00000-of-00001"
X = np.linspace(0, 1, 32, dtype="float32").reshape(8, 4)
Y = np.ones((8, 1), "float32")
WORDS = tf.constant([[word] for word in "abcabcab"])


def _dense(keras, optimizer="adam", **how):
    model = keras.Sequential(
        [
            keras.layers.Input((4,)),
            keras.layers.Dense(5, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer, "mse", metrics=["mae"], **how)
    return model, X


def _untrained(keras):
    model, x = _dense(keras)
    model.fit = lambda *_, **__: None
    return model, x


def _custom(keras):
    class Custom(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.raw = tf.Variable(3.0)
            self.text = tf.Variable("text")
            self.parts = [keras.layers.Dense(3), keras.layers.Dense(2)]
            self.named = {"a": keras.layers.Dense(2)}

        def call(self, x):
            for part in self.parts:
                x = part(x)
            return self.named["a"](x) * self.raw

    model = keras.Sequential(
        [keras.layers.Input((4,)), Custom(), keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    return model, X


def _words(keras):
    words = keras.layers.StringLookup()
    words.adapt(WORDS)
    model = keras.Sequential(
        [
            keras.layers.Input((1,), dtype="string"),
            words,
            keras.layers.Embedding(5, 2),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    return model, WORDS


def _subclassed(keras):
    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = keras.Sequential([keras.layers.Dense(3)])
            self.out = keras.layers.Dense(1)

        def call(self, x):
            return self.out(self.inner(x))

    model = Model()
    model.compile("rmsprop", "mse")
    return model, X


def _mixed(keras):
    optimizer = keras.mixed_precision.LossScaleOptimizer(
        keras.optimizers.Adam()
    )
    model = keras.Sequential(
        [
            keras.layers.Input((4,)),
            keras.layers.Dense(3, dtype="bfloat16"),
            keras.layers.Dense(1, dtype="mixed_bfloat16"),
        ]
    )
    model.compile(optimizer, "mse")
    return model, X


def _quantised(keras):
    if not hasattr(keras.Model, "quantize"):
        pytest.skip("this Keras does not quantise")
    model, x = _untrained(keras)
    model.quantize("int8")
    return model, x


def _replicated(keras):
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        return _dense(keras)


def _averages(keras):
    return _dense(keras, keras.optimizers.SGD(momentum=0.9, use_ema=True))


def _legacy(keras):
    if keras.__version__.startswith("3"):
        pytest.skip("Keras 3 has no older optimizers")
    legacy = keras.optimizers.legacy.RMSprop(momentum=0.9)
    return _dense(keras, legacy)


MODELS = {
    make.__name__.lstrip("_"): make
    for make in (
        *(_dense, _untrained, _custom, _words, _subclassed, _mixed),
        *(_quantised, _replicated, _averages, _legacy),
    )
}


@pytest.fixture(params=MODELS)
def trained(request, keras):
    """A model of each kind, with what it was trained on."""
    model, x = MODELS[request.param](keras)
    model.fit(x, Y, verbose=0)
    return SimpleNamespace(model=model, x=x)


@pytest.fixture
def dense(keras):
    """A trained model of dense layers."""
    model, _ = _dense(keras)
    model.fit(X, Y, verbose=0)
    return model


@pytest.fixture
def by_stock(runtime, tmp_path):
    """Has TensorFlow save a model; gives the files."""

    def save(model):
        prefix = tmp_path / "stock" / "cp"
        runtime.save(model, str(prefix), Format.TF_CHECKPOINT)
        return {
            name: prefix.with_name(f"cp{name}").read_bytes()
            for name in (DATA, ".index")
        }

    return save


@pytest.fixture
def rendered(runtime):
    """The files that are planned for a model, as it is now."""

    def render(model, note=b""):
        plan = runtime.plan(model, Format.TF_CHECKPOINT)
        frozen = runtime.freeze(plan.variables)
        values = [value.raw() for value in frozen]
        return {
            name: b"".join(layout.render(values, note))
            for name, layout in plan.files.items()
        }

    return render


@pytest.fixture
def written(runtime, rendered, tmp_path):
    """Writes what is planned for a model, with its seeds in the note."""

    def write(model):
        plan = runtime.plan(model, Format.TF_CHECKPOINT)
        seeds = [
            runtime.freeze([plan.variables[index]])[0].array().tolist()
            for index in plan.seeds
        ]
        note = json.dumps({"kerascb": 1, "seeds": seeds}).encode()
        for name, content in rendered(model, note).items():
            (tmp_path / f"ours{name}").write_bytes(content)
        return str(tmp_path / "ours")

    return write


@pytest.fixture
def asked(monkeypatch):
    """Counts how often TensorFlow walks through a model."""
    from tensorflow.python.checkpoint.checkpoint import TrackableSaver

    walks = []
    walk = TrackableSaver._gather_serialized_tensors
    monkeypatch.setattr(
        TrackableSaver,
        "_gather_serialized_tensors",
        lambda *args: walks.append(args) or walk(*args),
    )
    return walks


@pytest.mark.fit
def test_equal_to_stocks_own(trained, by_stock, rendered):
    """Keys, object graph and values, byte for byte."""
    assert rendered(trained.model) == by_stock(trained.model)


@pytest.mark.fit
def test_restored_by_tensorflow(trained, written, by_stock):
    """All of it goes back, the optimizer too; the note is passed over."""
    model, x = trained.model, trained.x
    prefix, before = written(model), by_stock(model)
    model.fit(x, Y, verbose=0)

    tf.train.Checkpoint(model).read(prefix).assert_consumed()

    assert by_stock(model) == before
    assert NOTE_KEY in dict(tf.train.list_variables(prefix))


@pytest.mark.fit
def test_walked_through_once(dense, rendered, by_stock, asked):
    """The next save has the new values at the old places."""
    first = rendered(dense)
    dense.fit(X, Y, verbose=0)
    second = rendered(dense)

    assert len(asked) == 1
    assert first != second == by_stock(dense)


@pytest.mark.fit
def test_another_optimizer(dense, rendered, by_stock):
    """A model that was compiled anew is walked through anew."""
    rendered(dense)
    dense.compile("sgd", "mse")
    dense.fit(X, Y, verbose=0)

    assert rendered(dense) == by_stock(dense)


@pytest.mark.fit
def test_a_variable_that_is_replaced(keras, rendered, by_stock):
    """One that Keras does not know of is noticed when it is gone."""
    model, _ = _custom(keras)
    model.fit(X, Y, verbose=0)
    rendered(model)
    model.layers[0].raw = tf.Variable(4.0)
    gc.collect()

    assert rendered(model) == by_stock(model)


def test_tables_are_read_each_time(keras, rendered, by_stock):
    """A table is no variable; it may have changed, or be another one."""
    model, _ = _words(keras)
    first = rendered(model)
    counts = model.layers[0].token_counts
    counts.insert(tf.constant(["d"]), tf.constant([7], tf.int64))

    assert first != rendered(model) == by_stock(model)


def test_state_that_python_has(keras, rendered, by_stock):
    """What an object serializes is read each time, too."""

    class Count(tf.train.experimental.PythonState):
        number = 0

        def serialize(self):
            return str(self.number)

        def deserialize(self, string_value):
            self.number = int(string_value)

    model, _ = _dense(keras)
    layer = model.layers[0]
    layer.seen = Count()
    first = rendered(model)
    layer.seen.number = 3

    assert first != rendered(model) == by_stock(model)


def test_parts_that_write_themselves(dense_unfitted, runtime):
    """A saver of the user's own may do anything."""
    from tensorflow.python.saved_model import registration

    class Own(tf.__internal__.tracking.AutoTrackable):
        pass

    registration.register_checkpoint_saver(
        package="Tests",
        name="Own",
        predicate=lambda trackable: isinstance(trackable, Own),
        save_fn=lambda trackables, file_prefix: [],
        restore_fn=lambda trackables, merged_prefix: None,
    )
    dense_unfitted.layers[0].own = Own()

    with pytest.raises(NotPlannable, match=r"write themselves, by Tests\.Own"):
        runtime.plan(dense_unfitted, Format.TF_CHECKPOINT)


@pytest.mark.parametrize(
    "options", [{"experimental_io_device": "/CPU:0"}, {"enable_async": True}]
)
def test_options_are_left_to_tensorflow(dense_unfitted, runtime, options):
    """What they ask for only TensorFlow's own saver does."""
    with pytest.raises(NotPlannable, match="CheckpointOptions"):
        runtime.plan(
            dense_unfitted,
            Format.TF_CHECKPOINT,
            tf.train.CheckpointOptions(**options),
        )


def test_options_that_ask_for_nothing(dense_unfitted, runtime):
    """Those that say what holds anyway are no obstacle."""
    plan = runtime.plan(
        dense_unfitted, Format.TF_CHECKPOINT, tf.train.CheckpointOptions()
    )

    assert list(plan.files) == [DATA, ".index"]


def test_a_model_without_weights_yet(keras, runtime):
    """Keras's own saver says what is to be done."""
    model, _ = _subclassed(keras)

    with pytest.raises(NotPlannable, match="not been built"):
        runtime.plan(model, Format.TF_CHECKPOINT)


@pytest.mark.fit
def test_generators_continue(keras, runtime, written):
    """The states of dropout and its like are in the note."""
    if runtime.name == "keras2":
        layer = keras.layers.Dropout(0.5, rng_type="stateful")
    else:
        layer = keras.layers.Dropout(0.5)
    model = keras.Sequential(
        [keras.layers.Input((4,)), layer, keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    model.fit(X, Y, verbose=0)
    prefix = written(model)
    after = np.asarray(model(X, training=True))

    runtime.load_weights(model, prefix, Format.TF_CHECKPOINT)

    np.testing.assert_array_equal(np.asarray(model(X, training=True)), after)


def test_nothing_keeps_a_model(keras, runtime):
    """A plan that is kept goes with its model."""
    model, _ = _dense(keras)
    runtime.plan(model, Format.TF_CHECKPOINT)
    gone = weakref.ref(model)

    del model
    gc.collect()

    assert gone() is None


@pytest.fixture
def dense_unfitted(keras):
    """A model of dense layers that was not trained."""
    model, _ = _dense(keras)
    return model
