"""Models with every kind of state, and two halves of a run of one."""

import random

import numpy as np
import pytest

BATCH_SIZE = 4


@pytest.fixture
def samples():
    """32 samples of 6 features, and a number to learn for each."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(32, 6)).astype("float32")
    return x, x[:, :1] * x[:, 1:2]


@pytest.fixture
def make_net(keras, runtime):
    """Makes models that are uncompiled, by name."""
    layers = keras.layers

    def plain():
        return keras.Sequential(
            [
                layers.Input((6,)),
                layers.Dense(5, activation="relu"),
                layers.BatchNormalization(),
                layers.Dropout(0.4),
                layers.Dense(3),
                layers.Dense(1),
            ]
        )

    def noisy():
        return keras.Sequential(
            [
                layers.Input((6,)),
                layers.GaussianNoise(0.3),
                layers.Reshape((2, 3)),
                layers.SpatialDropout1D(0.3),
                layers.GRU(4, dropout=0.3),
                layers.Dense(1),
            ]
        )

    def nested():
        shared = layers.Dense(3)
        inside = keras.Sequential(
            [layers.Input((3,)), shared, layers.Dropout(0.4)]
        )
        entry = layers.Input((6,))
        left = layers.Dense(3, name="left")(entry)
        joined = layers.Concatenate()([inside(left), shared(left)])
        return keras.Model(entry, layers.Dense(1)(joined))

    class Net(keras.Model):
        """Not built before it is called."""

        def __init__(self):
            super().__init__()
            self.blocks = [layers.Dense(4), layers.Dense(4)]
            self.attention = layers.MultiHeadAttention(2, 2, dropout=0.3)
            self.rows, self.row = layers.Reshape((2, 2)), layers.Flatten()
            self.head = {"last": layers.Dense(1)}
            self.calls = _variable(keras, 0.0, "calls")

        def call(self, inputs, training=False):
            for block in self.blocks:
                inputs = block(inputs)
            rows = self.rows(inputs)
            inputs = self.row(self.attention(rows, rows, training=training))
            self.calls.assign(self.calls + 1.0)
            return self.head["last"](inputs)

    makers = {
        "plain": plain,
        "noisy": noisy,
        "nested": nested,
        "subclassed": Net,
    }
    return lambda name: makers[name]()


@pytest.fixture
def make_optimizer(keras):
    """Makes optimizers, by name."""

    def make(name):
        optimizers = keras.optimizers
        if name == "loss scale":
            home = getattr(keras, "mixed_precision", optimizers)
            if not hasattr(home, "LossScaleOptimizer"):
                home = optimizers
            return home.LossScaleOptimizer(optimizers.Adam(0.01))
        if name.startswith("legacy"):
            if hasattr(keras, "Variable"):
                pytest.skip("Keras 3 has no legacy optimizers")
            return getattr(optimizers.legacy, name.partition(" ")[2])(0.01)
        return {
            "adam": lambda: optimizers.Adam(0.01),
            "momentum": lambda: optimizers.SGD(0.01, momentum=0.9),
            "averages": lambda: optimizers.Adam(
                0.01, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=3
            ),
            "schedule": lambda: optimizers.Adam(
                optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
            ),
        }[name]()

    return make


@pytest.fixture
def halves(runtime, keras, make_net, make_optimizer, samples):
    """Trains a model at one go, and a second one from the middle."""

    def train(net="plain", optimizer="adam", at=5, epochs=1, **compiled):
        compiled = {"loss": "mse", "metrics": ["mae"], **compiled}
        keras.utils.set_random_seed(1)
        whole = make_net(net)
        whole.compile(make_optimizer(optimizer), **compiled)
        held = Holding(runtime, at)
        whole_logs = fit(whole, samples, held, epochs)

        keras.utils.set_random_seed(99)
        for _ in range(2):
            make_net(net)
        rest = make_net(net)
        rest.compile(make_optimizer(optimizer), **compiled)
        skipped = (at + 1) * BATCH_SIZE
        left = tuple(part[skipped:] for part in samples)
        goes_on = GoingOn(runtime, held)
        logs = fit(rest, left, goes_on, 1)
        assert goes_on.was_built
        if epochs > 1:
            logs += fit(rest, samples, Drawing(goes_on.drawn), epochs - 1)
        return (whole, whole_logs, held), (rest, logs, goes_on)

    def fit(model, data, callback, epochs):
        class Hooks(keras.callbacks.Callback):
            def on_train_begin(self, logs=None):
                callback.begin(model)

            def on_epoch_begin(self, epoch, logs=None):
                callback.begin_epoch(model, epoch)

            def on_train_batch_begin(self, batch, logs=None):
                callback.begin_batch()

            def on_train_batch_end(self, batch, logs=None):
                callback.end_batch(model, batch)

        history = model.fit(
            *data,
            batch_size=BATCH_SIZE,
            epochs=epochs,
            shuffle=False,
            verbose=0,
            callbacks=[Hooks()],
        ).history
        return [
            {name: values[epoch] for name, values in history.items()}
            for epoch in range(epochs)
        ]

    return train


class Drawing:
    """Draws numbers at each batch as users' code does."""

    def __init__(self, drawn):
        self.drawn = drawn

    def begin(self, model):
        """Training begins."""

    def begin_epoch(self, model, epoch):
        """An epoch begins."""

    def begin_batch(self):
        """A batch begins, and its data have been fetched."""

    def end_batch(self, model, batch):
        """Draws."""
        drawn = random.random(), np.random.random()
        self.drawn.append(drawn)


class Holding(Drawing):
    """Holds on to the state of a run after a batch of its first epoch."""

    def __init__(self, runtime, at):
        super().__init__([])
        self.runtime, self.at = runtime, at
        self.values = None

    def begin(self, model):
        """Has state that can be read."""
        self.runtime.give_generators(model)

    def end_batch(self, model, batch):
        """Takes the state, once."""
        super().end_batch(model, batch)
        if batch == self.at and self.values is None:
            variables = self.runtime.run_variables(model)
            frozen = self.runtime.freeze(list(variables.values()))
            self.values = dict(zip(variables, frozen, strict=True))
            self.random = self.runtime.random_state()
            self.drawn.clear()


class GoingOn(Drawing):
    """Gives a model and a process the state that was held."""

    def __init__(self, runtime, held):
        super().__init__([])
        self.runtime, self.held = runtime, held
        self.random = held.random

    def begin(self, model):
        """All but the metrics, which fit resets."""
        self.runtime.give_generators(model)
        self.was_built = self.runtime.build(model)
        metrics = self.runtime.metric_names(model)
        variables = self.runtime.run_variables(model)
        assert list(variables) == list(self.held.values)
        self._put(variables, lambda name: name not in metrics)

    def begin_epoch(self, model, epoch):
        """The metrics."""
        metrics = self.runtime.metric_names(model)
        variables = self.runtime.run_variables(model)
        self._put(variables, lambda name: name in metrics)

    def begin_batch(self):
        """Chance, once the loader of torch has drawn a seed for the epoch."""
        if self.random is not None:
            self.runtime.set_random_state(self.random)
            self.random = None

    def _put(self, variables, is_wanted):
        names = [name for name in variables if is_wanted(name)]
        self.runtime.thaw(
            [variables[name] for name in names],
            [self.held.values[name] for name in names],
        )


def _variable(keras, value, name):
    if hasattr(keras, "Variable"):
        return keras.Variable(value, trainable=False, name=name)
    import tensorflow as tf

    return tf.Variable(value, trainable=False, name=name)
