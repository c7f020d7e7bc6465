"""Frozen values: what variables were at one step, whatever comes after."""

import copy
import pickle
import threading

import numpy as np
import pytest

from kerascb.layouts.plan import NotPlannable

OPTIMIZERS = [
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "LossScaleOptimizer",
    "Muon",
    "Nadam",
    "RMSprop",
    "SGD",
]
TYPES = [
    "bool",
    "int8",
    "uint8",
    "int32",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
]
SEED = "seed_generator_state"
SHAPES = [(), (0, 3), (5,), (2, 3, 4)]


@pytest.fixture
def state(runtime):
    """The variables of a model and of its optimizer, up to date."""

    def read(model):
        model = runtime.unwrap(model)
        held = model.optimizer.variables
        return [*model.variables, *(held() if callable(held) else held)]

    return read


@pytest.fixture
def every_type(runtime):
    """Lets JAX have 64 bits."""
    if runtime.backend != "jax":
        yield
        return
    import jax

    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


@pytest.fixture
def make_variable(runtime, keras):
    """Makes a variable of the Keras in force."""
    if runtime.name == "keras3":
        return lambda value, dtype: keras.Variable(
            value, dtype=dtype, trainable=False
        )
    import tensorflow as tf

    return lambda value, dtype: tf.Variable(
        tf.cast(value, dtype), trainable=False
    )


@pytest.fixture
def tokens():
    """24 samples of 3 tokens each, and a number to learn for each."""
    generator = np.random.default_rng(0)
    return (
        generator.integers(0, 6, size=(24, 3)).astype("int32"),
        generator.normal(size=(24, 1)).astype("float32"),
    )


@pytest.fixture
def make_varied(runtime, keras):
    """Builds a model with every kind of state that training writes."""
    # Keras cannot train stateful layers on torch.
    stateful = runtime.backend != "torch"

    def make(recurrent=True, dropout=0.5, **arguments):
        layers = keras.layers
        middle = layers.Flatten()
        if recurrent:
            middle = layers.GRU(4, stateful=stateful)
        model = keras.Sequential(
            [
                layers.Input(batch_shape=(8, 3), dtype="int32")
                if hasattr(keras, "Variable")
                else layers.InputLayer(batch_input_shape=(8, 3)),
                layers.Embedding(6, 4),
                middle,
                layers.BatchNormalization(),
                layers.Dropout(dropout),
                layers.Dense(1),
            ]
        )
        model.compile(loss="mse", metrics=["mae"], **arguments)
        return model

    return make


def copies_of(values):
    """Arrays that have nothing to do with the values any more."""
    return [np.array(one.array()) for one in values]


def assert_equal(values, arrays):
    """The values are these, to the bit."""
    for value, array in zip(values, arrays, strict=True):
        np.testing.assert_array_equal(value.array(), array)
        assert value.array().dtype == array.dtype


def train(model, samples):
    """Some steps, the last ones compiled already."""
    model.fit(*samples, batch_size=8, epochs=2, verbose=0, shuffle=False)


# -- values stay ------------------------------------------------------------


@pytest.mark.fit
@pytest.mark.parametrize("recurrent", [False, True])
def test_training_leaves_frozen_values_alone(
    runtime, make_varied, tokens, state, recurrent
):
    """Weights, averages, RNN states, metrics, slots, sparse updates."""
    model = make_varied(recurrent, optimizer="adam")
    train(model, tokens)
    frozen = runtime.freeze(state(model))
    before = copies_of(frozen)
    train(model, tokens)

    assert_equal(frozen, before)
    after = copies_of(runtime.freeze(state(model)))
    unchanged = [
        variable.name
        for variable, old, new in zip(state(model), before, after, strict=True)
        if np.array_equal(old, new)
    ]
    # What belongs to a dropout that is not asked for.
    assert set(unchanged) <= {"learning_rate:0", "learning_rate", SEED}


@pytest.mark.fit
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "ftrl"])
def test_compiled_steps_leave_frozen_values_alone(
    runtime, make_varied, tokens, state, tensorflow, optimizer, jit_compile
):
    """XLA writes where its inputs were, unless somebody holds on to them."""
    model = make_varied(False, optimizer=optimizer, jit_compile=jit_compile)
    train(model, tokens)
    frozen = runtime.freeze(state(model))
    before = copies_of(frozen)
    train(model, tokens)

    assert_equal(frozen, before)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_no_optimizer_writes_through(runtime, keras, make_variable, name):
    """Each has its own way of updating in place."""
    if not hasattr(keras.optimizers, name):
        pytest.skip("this Keras has none such")
    if runtime.backend == "jax" and "LossScale" in name:
        pytest.skip("cannot be used outside of a compiled step")
    arguments = [keras.optimizers.SGD()] if "LossScale" in name else []
    optimizer = getattr(keras.optimizers, name)(*arguments)
    variables = [make_variable(np.ones((4, 4), "float32"), "float32")]
    gradients = [keras.ops.ones((4, 4))] if hasattr(keras, "ops") else None
    if gradients is None:
        import tensorflow as tf

        gradients = [tf.ones((4, 4))]

    def step():
        optimizer.apply_gradients(zip(gradients, variables, strict=True))

    step()
    held = optimizer.variables
    everything = variables + list(held() if callable(held) else held)
    frozen = runtime.freeze(everything)
    before = copies_of(frozen)
    step()

    assert_equal(frozen, before)
    assert not np.array_equal(runtime.freeze(variables)[0].array(), before[0])


@pytest.mark.parametrize("method", ["assign", "assign_add", "assign_sub"])
def test_assigning_leaves_frozen_values_alone(runtime, make_variable, method):
    """As metrics and users do."""
    variable = make_variable(np.ones((3,), "float32"), "float32")
    (frozen,) = runtime.freeze([variable])
    getattr(variable, method)(np.full((3,), 5, "float32"))

    np.testing.assert_array_equal(frozen.array(), np.ones(3))
    assert not np.array_equal(runtime.freeze([variable])[0].array(), np.ones(3))


def test_scattering_leaves_frozen_values_alone(runtime, tensorflow):
    """Also once the variable has given up sharing its memory."""
    variable = tensorflow.Variable(tensorflow.ones((4, 2)))
    rows = tensorflow.IndexedSlices(tensorflow.ones((1, 2)), [1])
    (first,) = runtime.freeze([variable])
    variable.scatter_add(rows)
    (second,) = runtime.freeze([variable])
    variable.scatter_add(rows)
    variable.assign_add(tensorflow.ones((4, 2)))

    assert first.array()[1].tolist() == [1, 1]
    assert second.array()[1].tolist() == [2, 2]
    assert variable.numpy()[1].tolist() == [4, 4]


def test_updating_torch_leaves_frozen_values_alone(runtime, keras):
    """In place, by views, and by memory that came from NumPy."""
    torch = _torch(runtime)
    own = keras.Variable(np.ones((4,), "float32"))
    lent = keras.Variable(np.ones((4,), "float32"))
    lent._value = torch.from_numpy(np.ones((4,), "float32"))
    frozen = runtime.freeze([own, lent])
    with torch.no_grad():
        for variable in (own, lent):
            variable.value.data[1:].mul_(3)
            variable.value.view(2, 2)[0] += 1

    assert [one.array().tolist() for one in frozen] == [[1.0] * 4] * 2
    assert lent.value.tolist() == [2, 4, 3, 3]


def test_views_that_users_have_keep_showing_the_value(runtime, keras):
    """A tensor that shares the memory of a variable goes on sharing it."""
    torch = _torch(runtime)
    variable = keras.Variable(np.ones((4,), "float32"))
    shown = variable.value.detach()
    runtime.freeze([variable])
    with torch.no_grad():
        variable.value.add_(1)

    assert shown.tolist() == [2, 2, 2, 2]


def test_donating_the_buffers_leaves_frozen_values_alone(runtime, keras):
    """As a compiled train step of Keras does."""
    if runtime.backend != "jax":
        pytest.skip("about JAX")
    import jax

    step = jax.jit(lambda value: value * 2 + 1, donate_argnums=0)
    variable = keras.Variable(np.arange(4096, dtype="float32"))
    frozen = []
    for _ in range(4):
        frozen += runtime.freeze([variable])
        variable._value = step(variable.value)

    assert [one.array()[3] for one in frozen] == [3, 7, 15, 31]


def test_freezing_copies_nothing_on_the_cpu(runtime, keras, make_model):
    """Two frozen values of one step show the same memory."""
    variables = make_model().weights[:1]
    first, second = runtime.freeze(variables) + runtime.freeze(variables)

    assert np.shares_memory(first.array(), second.array())


def test_mixed_precision_freezes_what_is_trained(runtime, keras):
    """The full numbers, not what the layers compute with."""
    layer = keras.layers.Dense(2, dtype="mixed_bfloat16")
    layer.build((None, 3))
    (kernel, _) = runtime.freeze(layer.variables)

    assert kernel.dtype == "float32"
    np.testing.assert_array_equal(kernel.array(), layer.get_weights()[0])


# -- what they show ---------------------------------------------------------


@pytest.mark.usefixtures("every_type")
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_shows_every_type_and_shape(runtime, make_variable, dtype, shape):
    """The same bits, without asking the device for shape and type."""
    numbers = np.arange(int(np.prod(shape))).reshape(shape)
    (frozen,) = runtime.freeze([make_variable(numbers, dtype)])

    assert (frozen.shape, frozen.dtype) == (shape, dtype)
    array = frozen.array()
    assert (array.shape, array.dtype.name) == (shape, dtype)
    assert not array.flags.writeable
    np.testing.assert_array_equal(
        array.astype("float64"), numbers.astype(array.dtype).astype("float64")
    )


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_raw_bytes_are_flat_and_not_copied(
    runtime, make_variable, dtype, shape
):
    """What a file is written from."""
    (frozen,) = runtime.freeze([make_variable(np.ones(shape), dtype)])
    raw = frozen.raw()

    assert (raw.ndim, raw.itemsize, raw.readonly) == (1, 1, True)
    assert bytes(raw) == frozen.array().tobytes()
    if raw.nbytes:
        assert np.shares_memory(np.frombuffer(raw, "uint8"), frozen.array())


def test_gaps_are_closed(runtime, keras):
    """A parameter of torch may be the transposed view of another tensor."""
    torch = _torch(runtime)
    variable = keras.Variable(np.zeros((2, 3), "float32"))
    variable._value = torch.arange(6.0).reshape(3, 2).T
    (frozen,) = runtime.freeze([variable])

    assert frozen.array().tolist() == [[0, 2, 4], [1, 3, 5]]
    assert bytes(frozen.raw()) == np.float32([0, 2, 4, 1, 3, 5]).tobytes()


@pytest.mark.parametrize("name", ["float8_e4m3fn", "float8_e5m2"])
def test_shows_8_bit_floats(runtime, tensorflow, name):
    """Though TensorFlow cannot show them to NumPy."""
    kind = getattr(tensorflow.dtypes.experimental, name)
    variable = tensorflow.Variable(tensorflow.cast([1.0, 2.0], kind))
    (frozen,) = runtime.freeze([variable])

    assert (frozen.dtype, frozen.array().dtype.name) == (name, name)
    assert frozen.array().astype("float32").tolist() == [1, 2]


def test_strings_are_objects(runtime, tensorflow):
    """They lie anywhere, so that there are no flat bytes."""
    (frozen,) = runtime.freeze([tensorflow.Variable(["a", "bc"])])

    assert (frozen.dtype, frozen.array().tolist()) == ("object", [b"a", b"bc"])
    with pytest.raises(NotPlannable, match="strings"):
        frozen.raw()


def test_arrays_outlive_what_they_were_frozen_from(runtime, make_variable):
    """A writer may be the last who knows of them."""
    variable = make_variable(np.arange(4096), "float32")
    array = runtime.freeze([variable])[0].array()
    variable.assign(np.zeros(4096, "float32"))
    del variable

    np.testing.assert_array_equal(array, np.arange(4096))


def test_can_be_read_from_another_thread(runtime, make_variable):
    """While training goes on."""
    variable = make_variable(np.ones((64,)), "float32")
    (frozen,) = runtime.freeze([variable])
    seen = []
    thread = threading.Thread(target=lambda: seen.append(bytes(frozen.raw())))
    thread.start()
    variable.assign(np.zeros((64,), "float32"))
    thread.join(timeout=60)

    assert seen == [np.ones(64, "float32").tobytes()]


@pytest.mark.parametrize("device", ["cpu", "device"])
def test_device_is_where_values_are_kept(runtime, make_variable, device):
    """Both are the same without an accelerator."""
    variable = make_variable(np.ones((3,)), "float32")
    (frozen,) = runtime.freeze([variable], device)
    variable.assign(np.zeros((3,), "float32"))

    assert frozen.array().tolist() == [1, 1, 1]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    "again",
    [
        copy.copy,
        copy.deepcopy,
        lambda one: pickle.loads(pickle.dumps(one)),
    ],
)
def test_can_be_copied_and_pickled(runtime, make_variable, again, dtype):
    """As a callback is that holds them; what comes back is an array."""
    variable = make_variable(np.arange(3), dtype)
    (frozen,) = runtime.freeze([variable])
    twin = again(frozen)
    variable.assign(np.zeros((3,), "float32"))

    assert (twin.shape, twin.dtype) == ((3,), dtype)
    assert twin.array().tolist() == [0, 1, 2]
    runtime.thaw([variable], [twin])
    assert runtime.freeze([variable])[0].array().tolist() == [0, 1, 2]


@pytest.mark.parametrize("thing", [object(), np.ones(3)])
def test_what_is_no_variable_is_told(runtime, tensorflow, thing):
    """A table of a lookup layer, say."""
    with pytest.raises(NotPlannable, match=type(thing).__name__):
        runtime.freeze([thing])


def test_graphs_of_old_are_told(runtime, tensorflow):
    """Nothing can be read there."""
    variable = tensorflow.Variable(1.0)
    with (
        tensorflow.Graph().as_default(),
        pytest.raises(NotPlannable, match="eagerly"),
    ):
        runtime.freeze([variable])


# -- thawing ----------------------------------------------------------------


@pytest.mark.fit
def test_thawed_values_can_be_trained_and_thawed_again(
    runtime, make_varied, tokens, state
):
    """Training twice from the same values gives the same values."""
    model = make_varied(False, dropout=0, optimizer="adam")
    train(model, tokens)
    frozen = runtime.freeze(state(model))
    before = copies_of(frozen)
    train(model, tokens)
    once = copies_of(runtime.freeze(state(model)))
    runtime.thaw(state(model), frozen)
    thawed = copies_of(runtime.freeze(state(model)))
    train(model, tokens)
    twice = copies_of(runtime.freeze(state(model)))

    for there, wanted in zip(thawed, before, strict=True):
        np.testing.assert_array_equal(there, wanted)
    for there, wanted in zip(twice, once, strict=True):
        np.testing.assert_array_equal(there, wanted)
    assert_equal(frozen, before)


@pytest.mark.usefixtures("every_type")
@pytest.mark.parametrize("dtype", TYPES)
def test_thawing_keeps_the_type(runtime, make_variable, dtype):
    """The bits come back."""
    variable = make_variable(np.arange(3), dtype)
    before = runtime.freeze([variable])
    variable.assign(np.zeros((3,), before[0].array().dtype))
    runtime.thaw([variable], before)

    (after,) = runtime.freeze([variable])
    assert after.dtype == before[0].dtype
    assert bytes(after.raw()) == bytes(before[0].raw())


def _torch(runtime):
    if runtime.backend != "torch":
        pytest.skip("about torch")
    import torch

    return torch
