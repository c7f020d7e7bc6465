"""Layers and a model of users' own, for Keras 3."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kerascb import runtime as runtimes

if runtimes.in_force().name != "keras3":
    pytest.skip("about Keras 3", allow_module_level=True)

import keras
from keras import layers


class KnowsItsModel(keras.constraints.Constraint):
    """Through which a variable holds on to its model."""

    def __init__(self, model):
        self.model = model

    def __call__(self, w):
        """Lets pass."""
        return w


@keras.saving.register_keras_serializable("kerascb_tests")
class OddVariables(layers.Layer):
    """Whole numbers, truths, a scalar, and one of no element."""

    def build(self, shape):
        """Makes them."""
        for name, form, kind in [
            ("count", (), "int32"),
            ("mask", (3,), "bool"),
            ("bytes", (2, 2), "uint8"),
            ("nothing", (0, 3), "float32"),
            ("ä/ö", (1,), "float32"),
        ]:
            self.add_weight(
                shape=form,
                dtype=kind,
                name=name.replace("/", "_"),
                initializer="zeros",
                trainable=False,
            )
        super().build(shape)

    def call(self, x):
        """Passes on."""
        return x


@keras.saving.register_keras_serializable("kerascb_tests")
class ManyNames(layers.Layer):
    """More names of weights than fit into one attribute of HDF5."""

    def build(self, shape):
        """Makes 100 numbers with long names."""
        for index in range(100):
            self.add_weight(
                shape=(), name=f"{index}{'x' * 700}", trainable=False
            )
        super().build(shape)

    def call(self, x):
        """Passes on."""
        return x


@keras.saving.register_keras_serializable("kerascb_tests")
class ManySeeds(layers.Layer):
    """Draws from 50 random generators."""

    def __init__(self, **how):
        super().__init__(**how)
        self.generators = [
            keras.random.SeedGenerator(index) for index in range(50)
        ]

    def call(self, x):
        """Passes on."""
        return x


@keras.saving.register_keras_serializable("kerascb_tests")
class OwnState(layers.Layer):
    """Saves an array that is no variable, a variable, and a file."""

    def __init__(self, **how):
        super().__init__(**how)
        self.seen = 1
        self.word = "one"

    def build(self, shape):
        """Makes the variable."""
        self.scale = self.add_weight(shape=(), initializer="ones")
        super().build(shape)

    def call(self, x):
        """Scales."""
        return x * self.scale

    def save_own_variables(self, store):
        """Adds what was seen."""
        super().save_own_variables(store)
        store["seen"] = np.asarray([self.seen])

    def load_own_variables(self, store):
        """Reads it back."""
        self.scale.assign(store["0"])
        self.seen = int(store["seen"][0])

    def save_assets(self, folder):
        """Writes the word, in a folder of its own."""
        path = Path(folder, "deep", "word.txt")
        path.parent.mkdir()
        path.write_text(self.word)

    def load_assets(self, folder):
        """Reads it."""
        self.word = Path(folder, "deep", "word.txt").read_text()


@keras.saving.register_keras_serializable("kerascb_tests")
class Subclassed(keras.Model):
    """Layers as attributes, in a list, in a dict and in a list of lists."""

    def __init__(self, **how):
        super().__init__(**how)
        self.first = layers.Dense(3)
        self.several = [layers.Dense(3), layers.Dense(3)]
        self.named = {"a": layers.Dense(3), "b": layers.Dropout(0.1)}
        self.deep = [[layers.Dense(3)], {"c": layers.Dense(1)}]

    def call(self, x):
        """Goes through all of them."""
        x = self.first(x)
        for layer in (*self.several, *self.named.values(), self.deep[0][0]):
            x = layer(x)
        return self.deep[1]["c"](x)
