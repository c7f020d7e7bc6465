"""Models of Keras 3 of every kind there is to save, built but not trained.

Each is made by a function that is called with nothing; `MODELS` has them by
name. Their variables, the optimizers' too, have values that differ. Making
them is most of the work, so tests that change nothing share them.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

from kerascb import runtime as runtimes

if runtimes.in_force().name != "keras3":
    pytest.skip("about Keras 3", allow_module_level=True)

import keras
from keras import layers

from tests.runtime.plans.layers3 import (
    ManyNames,
    OddVariables,
    OwnState,
    Subclassed,
)

MODELS = {}
"""Name → function that makes the model and input to predict from."""


def model(make):
    """Adds a model to `MODELS`."""
    MODELS[make.__name__.lstrip("_")] = make
    return make


@functools.cache
def shared(name):
    """A model and its input, always the same ones: nobody may change them."""
    return made(name)


def made(name):
    """A model with values in all its variables, and input for it."""
    keras.utils.set_random_seed(1)
    built, x = MODELS[name]()
    fill(built.weights)
    for layer in built.layers:
        if isinstance(layer, layers.Normalization):
            layer.finalize_state()
    optimizer = getattr(built, "optimizer", None)
    fill(optimizer.variables if optimizer else [])
    return built, x


def fill(variables):
    """Gives each variable values of its own, in the range of its type."""
    generator = np.random.default_rng(7)
    for variable in variables:
        old = keras.ops.convert_to_numpy(variable)
        new = generator.integers(1, 100, old.shape)
        is_whole = old.dtype.kind in "iub"
        variable.assign((new if is_whole else new / 100).astype(old.dtype))


def _compiled(built, optimizer="adam", **how):
    built.compile(optimizer, how.pop("loss", "mse"), **how)
    if built.built:
        built.optimizer.build(built.trainable_variables)
    return built


def _features(count=4):
    return np.linspace(0, 1, 3 * count, dtype="float32").reshape(3, count)


def _dense(optimizer="adam", **how):
    return _compiled(
        keras.Sequential(
            [
                keras.Input((4,)),
                layers.Dense(5, activation="relu"),
                layers.Dense(2),
            ]
        ),
        optimizer,
        **how,
    )


@model
def _sequential():
    return _dense(), _features()


@model
def _sequential_with_metrics():
    return _dense(metrics=["mae", keras.metrics.R2Score()]), _features()


@model
def _uncompiled():
    return keras.Sequential([keras.Input((4,)), layers.Dense(2)]), _features()


@model
def _optimizer_unbuilt():
    built = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    built.compile("adam", "mse")
    return built, _features()


@model
def _schedule():
    rate = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    return _dense(keras.optimizers.SGD(rate, momentum=0.9)), _features()


@model
def _averages():
    return _dense(keras.optimizers.Adam(use_ema=True)), _features()


@model
def _loss_scale():
    inner = keras.optimizers.Adam()
    return _dense(keras.optimizers.LossScaleOptimizer(inner)), _features()


@model
def _shared_layer():
    first, second = keras.Input((4,)), keras.Input((4,))
    shared = layers.Dense(3)
    joined = layers.Concatenate()([shared(first), shared(second)])
    built = keras.Model([first, second], layers.Dense(1)(joined))
    return _compiled(built), [_features(), _features()]


@model
def _nested():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3)], name="in")
    outer = keras.Input((4,))
    return _compiled(keras.Model(outer, layers.Dense(1)(inner(outer)))), (
        _features()
    )


@model
def _normalising_and_random():
    built = keras.Sequential(
        [
            keras.Input((4,)),
            layers.GaussianNoise(0.1),
            layers.Dense(5),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.LayerNormalization(),
            layers.Dense(1),
        ]
    )
    return _compiled(built), _features()


@model
def _frozen_layer():
    built = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3), layers.Dense(2)]
    )
    built.layers[0].trainable = False
    return _compiled(built), _features()


@model
def _convolutional():
    built = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Conv2D(3, 3),
            layers.DepthwiseConv2D(2),
            layers.GlobalAveragePooling2D(),
        ]
    )
    return _compiled(built), _features(72).reshape(3, 6, 6, 2)


@model
def _recurrent():
    built = keras.Sequential(
        [
            keras.Input((3, 4)),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.GRU(2, recurrent_dropout=0.1),
        ]
    )
    return _compiled(built), _features(12).reshape(3, 3, 4)


@model
def _attention():
    tokens = keras.Input((5,), dtype="int32")
    embedded = layers.Embedding(10, 4)(tokens)
    attended = layers.MultiHeadAttention(2, 3)(embedded, embedded)
    return _compiled(keras.Model(tokens, attended)), np.ones((2, 5), "int32")


@model
def _bfloat16():
    built = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(3, dtype="bfloat16"),
            layers.Dense(2, dtype="float16"),
        ]
    )
    return _compiled(built), _features()


@model
def _mixed_float16():
    built = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, dtype="mixed_float16")]
    )
    return _compiled(built, auto_scale_loss=True), _features()


@model
def _odd_variables():
    return _compiled(
        keras.Sequential([keras.Input((4,)), OddVariables(), layers.Dense(1)])
    ), _features()


@model
def _subclassed():
    built = Subclassed()
    built(_features())
    return _compiled(built), _features()


@model
def _two_optimizers():
    built = Subclassed()
    built(_features())
    built.second_optimizer = keras.optimizers.Adam(0.2)
    built.second_optimizer.build(built.trainable_variables)
    fill(built.second_optimizer.variables)
    return _compiled(built), _features()


@model
def _own_state():
    return _compiled(
        keras.Sequential([keras.Input((4,)), OwnState(), layers.Dense(1)])
    ), _features()


def _quantized(mode):
    built = keras.Sequential(
        [keras.Input((8,)), layers.Dense(4), layers.Dense(2)]
    )
    built.quantize(mode)
    return built, _features(8)


@model
def _int8():
    return _quantized("int8")


@model
def _int4():
    return _quantized("int4")


@model
def _float8():
    return _quantized("float8")


@model
def _lora():
    built = keras.Sequential([keras.Input((8,)), layers.Dense(4)])
    built.layers[0].enable_lora(2)
    return _compiled(built), _features(8)


@model
def _adapted():
    normalise = layers.Normalization()
    normalise.adapt(_features())
    return _compiled(
        keras.Sequential([keras.Input((4,)), normalise, layers.Dense(1)])
    ), _features()


@model
def _several_optimizers():
    if not hasattr(keras.optimizers, "MultiOptimizer"):
        pytest.skip("this Keras has no MultiOptimizer")
    built = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3), layers.Dense(2)]
    )
    parts = keras.optimizers.OptimizerMap(keras.optimizers.Adam(0.1))
    parts[".*kernel"] = keras.optimizers.SGD(0.2, momentum=0.9)
    return _compiled(built, keras.optimizers.MultiOptimizer(parts)), _features()


@model
def _words():
    _needs_tensorflow()
    import tensorflow as tf

    words = layers.TextVectorization(
        output_mode="int", output_sequence_length=3
    )
    words.adapt(["one two", "two three"])
    return _compiled(
        keras.Sequential(
            [
                keras.Input((1,), dtype="string"),
                words,
                layers.Embedding(8, 2),
                layers.GlobalAveragePooling1D(),
            ]
        )
    ), tf.constant([["one three"], ["two"]])


@model
def _lookup():
    _needs_tensorflow()
    import tensorflow as tf

    lookup = layers.StringLookup(output_mode="one_hot")
    lookup.adapt(["red", "green", "red"])
    whole = layers.IntegerLookup(vocabulary=[3, 5], output_mode="count")
    name = keras.Input((1,), dtype="string")
    number = keras.Input((1,), dtype="int64")
    joined = layers.Concatenate()([lookup(name), whole(number)])
    built = keras.Model([name, number], layers.Dense(1)(joined))
    return _compiled(built), [
        tf.constant([["red"], ["blue"]]),
        tf.constant([[3], [4]], tf.int64),
    ]


@model
def _torch_module():
    if keras.backend.backend() != "torch":
        pytest.skip("needs torch as the backend")
    import torch

    built = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.TorchModuleWrapper(torch.nn.Linear(4, 2)),
        ]
    )
    return _compiled(built), _features()


def _needs_tensorflow():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("its lookup tables are TensorFlow's")


@model
def _names_beyond_an_attribute():
    return _compiled(
        keras.Sequential([keras.Input((4,)), ManyNames(), layers.Dense(1)])
    ), _features()


@model
def _large_merged_lora():
    built = keras.Sequential(
        [keras.Input((256,)), layers.Dense(128), layers.Dense(2)]
    )
    built.layers[0].enable_lora(2)
    return _compiled(built), _features(256)
