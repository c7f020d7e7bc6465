"""Every variable that training changes, under a name that lasts."""

import numpy as np
import pytest

pytestmark = pytest.mark.fit


@pytest.fixture
def train(samples):
    """Trains a model for an epoch."""

    def train(model, targets=None, **arguments):
        x, y = samples
        y = y if targets is None else targets
        model.fit(x, y, batch_size=8, verbose=0, **arguments)
        return model

    return train


@pytest.fixture
def names_after(runtime, make_net, make_optimizer, train):
    """Names of the variables of a model that has been trained."""

    def names(net="plain", optimizer="adam", **compiled):
        model = make_net(net)
        model.compile(make_optimizer(optimizer), loss="mse", **compiled)
        return list(runtime.run_variables(train(model)))

    return names


@pytest.mark.parametrize("net", ["plain", "noisy", "nested", "subclassed"])
@pytest.mark.parametrize("optimizer", ["adam", "averages", "loss scale"])
def test_names_are_those_of_the_first_model_of_a_process(
    keras, names_after, net, optimizer
):
    """However many layers have been numbered before."""
    keras.backend.clear_session()
    first = names_after(net, optimizer)

    assert names_after(net, optimizer) == first
    assert len(set(first)) == len(first)


def test_names_say_where_a_variable_is(names_after, runtime):
    """As a person would look for it."""
    names = names_after(metrics=["mae"])

    slot = "momentum" if runtime.name == "keras3" else "m"
    assert {
        "dense/kernel",
        "dense_2/bias",
        "batch_normalization/moving_mean",
        "metrics/loss/total",
        "metrics/mae/count",
        f"optimizer/adam/{slot}/dense_1/kernel",
        "optimizer/adam/learning_rate",
    } <= set(names)


def test_everything_keras_knows_of_is_there(
    runtime, make_net, make_optimizer, train
):
    """Whatever is among the variables of the model and the optimizer."""
    model = make_net("subclassed")
    model.compile(make_optimizer("averages"), loss="mse", metrics=["mae"])
    train(model)
    found = {id(one) for one in runtime.run_variables(model).values()}

    held = model.optimizer.variables
    known = [*model.variables, *(held() if callable(held) else held)]
    for metric in model.metrics:
        known += metric.variables
    assert {id(one) for one in known} <= found


def test_what_is_shared_is_there_once(runtime, names_after):
    """Under the name of its first place."""
    names = names_after("nested")

    assert sum(name.endswith("kernel") for name in names[:8]) == 3


def test_layers_that_are_named_keep_their_names(runtime, names_after):
    """Only Keras's own numbers are dropped."""
    assert "left/kernel" in names_after("nested")


def test_the_rate_that_a_plateau_reduces_is_there(
    runtime, keras, make_net, make_optimizer, train
):
    """So that it is not lost with the process."""
    model = make_net("plain")
    model.compile(make_optimizer("adam"), loss="mse")
    train(model)
    (rate,) = runtime.learning_rates(model.optimizer)
    rate.write(0.25)
    variables = runtime.run_variables(model)

    (value,) = runtime.freeze([variables["optimizer/adam/learning_rate"]])
    assert value.array() == 0.25


@pytest.mark.parametrize("name", ["Adam", "SGD"])
def test_older_optimizers_keep_their_rate_elsewhere(
    runtime, names_after, keras2_only, name
):
    """Keras 2 does not count it among their variables."""
    names = names_after(optimizer=f"legacy {name}")

    assert f"optimizer/{name.lower()}/learning_rate" in names
    assert f"optimizer/{name.lower()}/iter" in names


def test_metrics_that_fit_resets_are_told_apart(
    runtime, keras, make_net, make_optimizer, train
):
    """They are those that are nothing after a reset."""
    model = make_net("plain")
    model.compile(make_optimizer("adam"), loss="mse", metrics=["mae"])
    train(model)
    variables = runtime.run_variables(model)
    names = runtime.metric_names(model)
    before = runtime.freeze([variables[name] for name in sorted(names)])
    model.reset_metrics()
    after = runtime.freeze([variables[name] for name in sorted(names)])

    assert all(one.array().any() for one in before)
    assert not any(one.array().any() for one in after)
    assert names == {name for name in variables if name.startswith("metrics/")}


def test_losses_of_outputs_are_named_after_them(
    runtime, keras, make_optimizer, samples, train
):
    """By our names of the layers."""

    def names():
        entry = keras.layers.Input((6,))
        outputs = [keras.layers.Dense(1)(entry) for _ in range(2)]
        model = keras.Model(entry, outputs)
        model.compile(make_optimizer("adam"), loss=["mse", "mse"])
        train(model, [samples[1], samples[1]])
        return sorted(runtime.metric_names(model))

    first = names()

    assert names() == first
    assert "metrics/dense_loss/total" in first


@pytest.fixture
def make_gan(keras, runtime):
    """Makes a model that trains two others by two optimizers."""
    if runtime.backend in {"jax", "torch"}:
        pytest.skip("a step of one's own is written for the engine")
    import tensorflow as tf

    class Gan(keras.Model):
        """Has no `call`."""

        def __init__(self):
            super().__init__()
            self.pair = [
                keras.Sequential([keras.layers.Dense(1)]) for _ in range(2)
            ]
            self.seen = keras.metrics.Mean(name="seen")

        def compile(self):
            super().compile()
            self.first_optimizer = keras.optimizers.Adam(0.1)
            self.others = {"second": keras.optimizers.Adam(0.1)}

        @property
        def metrics(self):
            return [self.seen]

        def train_step(self, data):
            x = data[0] if isinstance(data, tuple) else data
            optimizers = self.first_optimizer, self.others["second"]
            for net, optimizer in zip(self.pair, optimizers, strict=True):
                with tf.GradientTape() as tape:
                    loss = tf.reduce_mean(tf.square(net(x)))
                gradients = tape.gradient(loss, net.trainable_variables)
                optimizer.apply_gradients(
                    zip(gradients, net.trainable_variables, strict=True)
                )
            self.seen.update_state(loss)
            return {"seen": self.seen.result()}

    def make():
        model = Gan()
        model.compile()
        return model

    return make


def test_every_optimizer_of_a_model_is_found(runtime, make_gan, train):
    """Also those that Keras does not know of."""
    names = list(runtime.run_variables(train(make_gan())))

    slot = "velocity" if runtime.name == "keras3" else "v"
    assert f"first_optimizer/adam/{slot}/sequential/dense/kernel" in names
    assert f"second/adam/{slot}/sequential_1/dense/kernel" in names
    assert "metrics/seen/total" in names


def test_a_model_with_a_step_of_its_own_is_built(
    runtime, keras, make_gan, samples
):
    """By that step: it has no `call`, and Keras no way to build it."""
    found = []

    class Asking(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            found.append(runtime.build(self.model))
            found.append(list(runtime.run_variables(self.model)))

    model = make_gan()
    model.fit(samples[0], verbose=0, batch_size=8, callbacks=[Asking()])

    assert found == [True, list(runtime.run_variables(model))]


def test_state_that_keras_does_not_track_is_found(
    runtime, keras2_only, keras, samples
):
    """Of stateful recurrent layers of Keras 2, and generators of users."""
    import tensorflow as tf

    model = keras.Sequential(
        [
            keras.layers.InputLayer(batch_input_shape=(8, 6, 1)),
            keras.layers.GRU(3, stateful=True),
            keras.layers.Dense(1),
        ]
    )
    model.own = tf.random.Generator.from_seed(1)
    model.compile("sgd", "mse")
    model.fit(samples[0][..., None], samples[1], batch_size=8, verbose=0)
    names = list(runtime.run_variables(model))

    assert {"gru/states", "own", "train_counter"} <= set(names)


def test_adapted_layers_and_strings_can_be_frozen_and_thawed(
    runtime, keras, samples, make_optimizer, train
):
    """What `adapt` has found is part of a model."""
    norm = keras.layers.Normalization()
    norm.adapt(samples[0])
    model = keras.Sequential(
        [keras.layers.Input((6,)), norm, keras.layers.Dense(1)]
    )
    if runtime.backend == "tensorflow":
        import tensorflow as tf

        model.words = tf.Variable(["a", "bc"], trainable=False)
    model.compile(make_optimizer("adam"), loss="mse")
    variables = runtime.run_variables(train(model))
    frozen = runtime.freeze(list(variables.values()))
    before = [np.array(one.array()) for one in frozen]
    train(model)
    runtime.thaw(list(variables.values()), frozen)
    after = runtime.freeze(list(variables.values()))

    assert "normalization/mean" in variables
    for wanted, value in zip(before, after, strict=True):
        np.testing.assert_array_equal(value.array(), wanted)


def test_what_torch_counts_is_found(runtime, keras, samples, train):
    """Averages of a module of torch, which Keras does not track."""
    if runtime.backend != "torch":
        pytest.skip("about torch")
    import torch

    model = keras.Sequential(
        [
            keras.layers.Input((6,)),
            keras.layers.TorchModuleWrapper(torch.nn.BatchNorm1d(6)),
            keras.layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    train(model)
    name = "torch_module_wrapper/running_mean"
    variable = runtime.run_variables(model)[name]
    (frozen,) = runtime.freeze([variable])
    before = np.array(frozen.array())
    train(model)

    assert not np.array_equal(runtime.freeze([variable])[0].array(), before)
    runtime.thaw([variable], [frozen])
    np.testing.assert_array_equal(runtime.freeze([variable])[0].array(), before)


def test_a_stand_in_for_a_model_has_none(runtime):
    """Hooks may be driven without a Keras."""

    class Model:
        __slots__ = ()

    assert runtime.run_variables(Model()) == {}
    assert runtime.metric_names(Model()) == set()
