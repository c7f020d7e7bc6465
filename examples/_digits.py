"""What the examples share: handwritten digits, and a model that reads them.

The digits are the 1,797 that scikit-learn ships, of 8 x 8 pixels. The Keras
is the one that TensorFlow has, version 2 or 3, as in most scripts; without
TensorFlow it is Keras 3 on JAX or torch.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

try:
    from tensorflow import keras
except ImportError:
    import keras

Pair = tuple[np.ndarray, np.ndarray]


def load() -> tuple[Pair, Pair]:
    """Loads the digits.

    Returns:
        Images `(N, 8, 8, 1)` from 0 to 1 with their labels `(N,)`: 1,347 to
        train with, then 450 to validate with, the same ones each time.
    """
    digits = load_digits()
    images = digits.images[..., np.newaxis].astype("float32") / 16
    x, x_validation, y, y_validation = train_test_split(
        images, digits.target, stratify=digits.target, random_state=0
    )
    return (x, y), (x_validation, y_validation)


def build_model(
    learning_rate: float = 0.003, optimizer: str = "Adam"
) -> keras.Model:
    """Builds a small convolutional classifier, the same one each time.

    Args:
        learning_rate: Of the optimizer.
        optimizer: Name of a class in `keras.optimizers`.
    """
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.layers.Input((8, 8, 1)),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=getattr(keras.optimizers, optimizer)(learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def learning_rates(history: Any) -> list[float]:
    """The rate of each epoch, as callbacks that change it record it.

    Args:
        history: What `fit` returns. Keras 2 calls the rate `lr` there,
            Keras 3 `learning_rate`.
    """
    record = history.history
    return [float(x) for x in record.get("learning_rate") or record["lr"]]
