"""What do callbacks with default arguments add to a training step?

Each row fits the same model on the same data for the same number of steps:
bare, with stock's callbacks, with kerascb's.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

import kerascb
from benchmarks.measure import Result, measure
from kerascb import _names, runtime

Build = Callable[[Any, Path], list[Any]]

STACKS: dict[str, Build] = {
    "EarlyStopping": lambda classes, folder: [
        classes.EarlyStopping("loss", patience=9)
    ],
    "ReduceLROnPlateau": lambda classes, folder: [
        classes.ReduceLROnPlateau("loss")
    ],
    "TerminateOnNaN": lambda classes, folder: [classes.TerminateOnNaN()],
    "CSVLogger": lambda classes, folder: [classes.CSVLogger(folder / "log")],
    "ModelCheckpoint": lambda classes, folder: [
        classes.ModelCheckpoint(str(folder / "m.keras"))
    ],
    "TensorBoard": lambda classes, folder: [
        classes.TensorBoard(str(folder / "logs"))
    ],
    "BackupAndRestore": lambda classes, folder: [
        classes.BackupAndRestore(str(folder / "backup"))
    ],
}


def run(*, quick: bool) -> Iterator[Result]:
    """Measures each callback alone and then all together.

    Where TensorFlow is missing, `TensorBoard` is left out: stock's needs it.

    Args:
        quick: A few steps only, to see that it runs.
    """
    steps, repeats = (20, 1) if quick else (2000, 7)
    stacks = dict(STACKS)
    if importlib.util.find_spec("tensorflow") is None:
        del stacks["TensorBoard"]
    for name, build in stacks.items():
        yield _measure(name, build, steps=steps, repeats=repeats)

    def full_stack(classes: Any, folder: Path) -> list[Any]:
        builds = stacks.values()
        return [one for build in builds for one in build(classes, folder)]

    yield _measure("full stack", full_stack, steps=steps, repeats=repeats)


def _measure(name: str, build: Build, *, steps: int, repeats: int) -> Result:
    model, x, y = _model_and_data(steps)
    stock = SimpleNamespace(
        **{one: runtime.in_force().stock(one) for one in _names.CALLBACKS}
    )

    def fit(classes: Any) -> int:
        # Keras 2's BackupAndRestore deletes what the next `fit` reads.
        model._training_state = None  # noqa: SLF001
        with tempfile.TemporaryDirectory() as folder:
            callbacks = build(classes, Path(folder)) if classes else []
            model.fit(
                x, y, batch_size=1, verbose=0, shuffle=False,
                callbacks=callbacks,
            )  # fmt: skip
        return steps

    rivals = {
        "bare": lambda: fit(None),
        "stock": lambda: fit(stock),
        "kerascb": lambda: fit(kerascb),
    }
    return measure(f"step: {name}", "step", rivals, repeats=repeats)


def _model_and_data(steps: int) -> tuple[Any, Any, Any]:
    keras = importlib.import_module(runtime.in_force().package)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.layers.Input((8,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
    model.compile("adam", "mse", metrics=["mae", "mape", "msle", "mse"])
    generator = np.random.default_rng(0)
    x = generator.normal(size=(steps, 8)).astype("float32")
    return model, x, x.sum(axis=1, keepdims=True)
