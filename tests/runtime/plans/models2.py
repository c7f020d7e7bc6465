"""Models of Keras 2, trained a step, of every kind that is saved its way."""

import dataclasses
import functools
import itertools

import numpy as np

WORDS = ["red", "green", "blue", "red", "blue", "blue", "green", "red"]
SENTENCES = [
    f"{one} is not {other}" for one, other in itertools.pairwise(WORDS)
]


@dataclasses.dataclass
class Trained:
    """A model with the data it was trained on.

    Attributes:
        model: The model.
        x: Its inputs.
        custom_objects: What Keras needs to load it.
    """

    model: object
    x: object
    custom_objects: dict = dataclasses.field(default_factory=dict)


@functools.cache
def trained(keras, name):
    """The model of a name, always the same one: nobody may change it."""
    return fresh(keras, name)


@functools.cache
def another(keras, name):
    """A second model of a name, whose values anybody may change."""
    return fresh(keras, name)


def fresh(keras, name):
    """A model of a name, made and trained anew."""
    keras.utils.set_random_seed(1)
    return KINDS[name](keras)


def _numbers(features=6, samples=8):
    return np.random.default_rng(0).normal(size=(samples, features))


def _train(model, x, optimizer="adam", steps=1, custom=(), **compile_args):
    compile_args = {"loss": "mse", "run_eagerly": True, **compile_args}
    model.compile(optimizer, **compile_args)
    if steps:
        # Without a dataset, which is more work than all the rest.
        model.train_on_batch(x, np.ones((len(x), 1), "float32"))
    return Trained(model, x, {kind.__name__: kind for kind in custom})


def _dense(keras, *inner, **dense):
    return keras.Sequential(
        [
            keras.layers.Input((6,)),
            keras.layers.Dense(5, activation="relu", **dense),
            *inner,
            keras.layers.Dense(1, name="out"),
        ]
    )


def convolutional(keras):
    """Convolution, batch normalization, metrics."""
    layers = keras.layers
    inputs = layers.Input((6, 6, 1))
    x = layers.Conv2D(3, 3, name="conv")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.Flatten()(x)
    outputs = layers.Dense(1, activation="sigmoid")(x)
    model = keras.Model(inputs, outputs)
    images = np.random.default_rng(0).normal(size=(8, 6, 6, 1))
    return _train(
        model,
        images.astype("float32"),
        loss="binary_crossentropy",
        metrics=["accuracy", keras.metrics.AUC(num_thresholds=9)],
    )


def shared(keras):
    """One layer called twice, one loss more."""
    layer = keras.layers.Dense(6, name="twice")
    inputs = keras.layers.Input((6,))
    outputs = keras.layers.Dense(1)(layer(layer(inputs)))
    return _train(keras.Model(inputs, outputs), _numbers())


def nested(keras):
    """A model with a model as a layer, whose name continues another's."""
    inner = keras.Sequential(
        [keras.layers.Dense(6), keras.layers.BatchNormalization()],
        name="block/inner",
    )
    model = _dense(keras, keras.layers.Dense(6, name="block"), inner)
    return _train(model, _numbers())


def subclassed(keras):
    """Layers in a list, in a dict and in attributes; a variable of its own."""

    class Subclassed(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.many = [keras.layers.Dense(6) for _ in range(2)]
            self.named = {"out": keras.layers.Dense(1)}
            self.scale = self.add_weight(name="scale", shape=())

        def call(self, inputs):
            for layer in self.many:
                inputs = layer(inputs)
            return self.named["out"](inputs) * self.scale

    model = Subclassed(name="subclassed")
    return _train(model, _numbers(), custom=[Subclassed])


def lookup(keras):
    """A vocabulary, which is an asset of the archive."""
    words = np.array(WORDS)
    layer = keras.layers.StringLookup(name="words")
    layer.adapt(words)
    model = keras.Sequential(
        [
            keras.layers.Input((), dtype="string"),
            layer,
            keras.layers.Embedding(9, 2),
            keras.layers.Dense(1),
        ]
    )
    return _train(model, words)


def text(keras):
    """A vocabulary with weights of its own."""
    sentences = np.array(SENTENCES)
    layer = keras.layers.TextVectorization(output_mode="tf_idf")
    layer.adapt(sentences)
    model = keras.Sequential(
        [
            keras.layers.Input((1,), dtype="string"),
            layer,
            keras.layers.Dense(1),
        ]
    )
    return _train(model, sentences[:, None])


def normalized(keras):
    """Weights that come from data and are not trained."""
    layer = keras.layers.Normalization()
    layer.adapt(_numbers(5))
    x = _numbers(5)
    model = keras.Sequential(
        [keras.layers.Input((5,)), layer, keras.layers.Dense(1)]
    )
    return _train(model, x)


def recurrent(keras):
    """Cells within layers within a wrapper."""
    model = keras.Sequential(
        [
            keras.layers.Input((3, 2)),
            keras.layers.Bidirectional(
                keras.layers.LSTM(2, dropout=0.1, return_sequences=True)
            ),
            keras.layers.GRU(2),
            keras.layers.Dense(1),
        ]
    )
    return _train(model, _numbers().reshape(8, 3, 2).astype("float32"))


def deciding(keras):
    """A layer that decides itself what it saves."""

    class Deciding(keras.layers.Layer):
        def build(self, shape):
            self.scale = self.add_weight(name="scale", shape=shape[-1:])

        def call(self, inputs):
            return inputs * self.scale

        def save_own_variables(self, store):
            store["in words"] = self.scale.numpy()
            store.attrs["by"] = "itself"

        def load_own_variables(self, store):
            self.scale.assign(store["in words"][()])

    return _train(_dense(keras, Deciding()), _numbers(), custom=[Deciding])


def loss_scaled(keras):
    """Half precision, and an optimizer around another."""
    model = _dense(keras, dtype="mixed_float16")
    optimizer = keras.mixed_precision.LossScaleOptimizer(
        keras.optimizers.Adam()
    )
    return _train(model, _numbers(), optimizer)


def uncompiled(keras):
    """A model nobody compiled."""
    return Trained(_dense(keras), _numbers())


def untrained(keras):
    """A model whose optimizer has not begun."""
    return _train(_dense(keras), _numbers(), steps=0)


def frozen(keras):
    """A layer that is not trained."""
    model = _dense(keras, keras.layers.BatchNormalization(trainable=False))
    model.layers[0].trainable = False
    return _train(model, _numbers())


def averaged(keras):
    """An optimizer that keeps averages of the weights."""
    optimizer = keras.optimizers.SGD(momentum=0.9, use_ema=True)
    return _train(_dense(keras), _numbers(), optimizer)


def legacy(keras):
    """An optimizer of before TensorFlow 2.11."""
    optimizer = keras.optimizers.legacy.Adam()
    return _train(_dense(keras), _numbers(), optimizer)


def legacy_loss_scaled(keras):
    """An older optimizer around another."""
    optimizer = keras.mixed_precision.LossScaleOptimizer(
        keras.optimizers.legacy.SGD(momentum=0.9)
    )
    return _train(_dense(keras), _numbers(), optimizer)


def random(keras):
    """Layers that draw random numbers, one from a generator."""
    model = _dense(
        keras,
        keras.layers.Dropout(0.5, rng_type="stateful"),
        keras.layers.Dropout(0.5),
        keras.layers.GaussianNoise(0.5, rng_type="stateful"),
    )
    return _train(model, _numbers())


def attending(keras):
    """Layers that Keras keeps in attributes with a score."""
    inputs = keras.layers.Input((3, 2))
    x = keras.layers.MultiHeadAttention(2, 2)(inputs, inputs)
    x = keras.layers.LayerNormalization()(x)
    outputs = keras.layers.Dense(1)(keras.layers.Flatten()(x))
    x = _numbers().reshape(8, 3, 2).astype("float32")
    return _train(keras.Model(inputs, outputs), x)


KINDS = {
    kind.__name__: kind
    for kind in (
        convolutional,
        shared,
        nested,
        subclassed,
        lookup,
        text,
        normalized,
        recurrent,
        deciding,
        loss_scaled,
        uncompiled,
        untrained,
        frozen,
        averaged,
        legacy,
        legacy_loss_scaled,
        random,
        attending,
    )
}
