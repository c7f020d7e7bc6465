"""Fits a model to the end, again and again, whenever it is killed.

Reads jobs from stdin, a JSON object a line, and has a child process of its own
do each: the imports are paid once. Prints the child's number when it begins
and its status when it has ended, one line each. A job names

- `folder`: where the backups, the log and the result go,
- `source`: `"arrays"`, `"shuffled"` (arrays too) or `"dataset"`,
- `save_freq`: what `BackupAndRestore` is to be told,
- `order`: in which order the callbacks stand (a seed),
- `whose`: `"kerascb"` or `"stock"`.

The result, `result.npz`, has all weights, the variables of the optimizer and
the `History`.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np

import kerascb
from kerascb import runtime

EPOCHS = 12
SAMPLES = 96
BATCH = 8


def build():
    """A small model in which chance plays a part, compiled."""
    keras = importlib.import_module(runtime.in_force().package)
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.layers.Input((8,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dropout(0.3),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.01),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def samples():
    """Inputs and targets, always the same."""
    generator = np.random.default_rng(3)
    x = generator.normal(size=(SAMPLES, 8)).astype("float32")
    return x, generator.integers(0, 3, SAMPLES)


def source_of(name):
    """What `fit` is given as its data, and how."""
    x, y = samples()
    if name == "dataset":
        tf = importlib.import_module("tensorflow")
        dataset = tf.data.Dataset.from_tensor_slices((x, y))
        return {"x": dataset.shuffle(SAMPLES, seed=5).batch(BATCH)}
    return {"x": x, "y": y, "batch_size": BATCH, "shuffle": name == "shuffled"}


def callbacks_of(job, namespace):
    """A full list, in the order the job says."""
    folder = Path(job["folder"])
    suffix = "weights.h5"
    callbacks = [
        namespace.EarlyStopping(
            "val_loss", patience=4, restore_best_weights=True
        ),
        namespace.ReduceLROnPlateau(
            "val_loss", factor=0.5, patience=1, cooldown=1
        ),
        namespace.ModelCheckpoint(
            str(folder / f"best.{suffix}"),
            save_best_only=True,
            save_weights_only=True,
        ),
        namespace.CSVLogger(str(folder / "log.csv")),
        namespace.BackupAndRestore(
            str(folder / "backup"), save_freq=job["save_freq"]
        ),
    ]
    random.Random(job["order"]).shuffle(callbacks)
    return callbacks


def fit(job):
    """Does a job in this process."""
    warnings.simplefilter("ignore")
    package = importlib.import_module(runtime.in_force().package)
    namespace = kerascb if job["whose"] == "kerascb" else package.callbacks
    model = build()
    x, y = samples()
    history = model.fit(
        **source_of(job["source"]),
        epochs=EPOCHS,
        validation_data=(x[:32], y[:32]),
        callbacks=callbacks_of(job, namespace),
        verbose=0,
    )
    variables = runtime.in_force().run_variables(model)
    values = runtime.in_force().freeze(list(variables.values()))
    arrays = {
        name: value.array()
        for name, value in zip(variables, values, strict=True)
        if not value.array().dtype.hasobject
    }
    arrays["history"] = np.array(
        json.dumps(
            [history.epoch, history.history], default=float, sort_keys=True
        )
    )
    path = Path(job["folder"]) / "result.npz"
    with open(path.with_suffix(".tmp"), "wb") as file:
        np.savez(file, **arrays)
    os.replace(path.with_suffix(".tmp"), path)


def start(line):
    """Has a child process do a job; returns its number."""
    if runtime.in_force().backend == "jax":  # its threads are lost in a fork
        return subprocess.Popen([sys.executable, __file__, line]).pid
    child = os.fork()
    if child == 0:
        try:
            fit(json.loads(line))
            os._exit(0)
        finally:
            sys.stderr.flush()
            os._exit(1)
    return child


def main():
    """Does jobs until there are none."""
    importlib.import_module(runtime.in_force().package)
    for line in sys.stdin:
        child = start(line)
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        fit(json.loads(sys.argv[1]))
    else:
        main()
