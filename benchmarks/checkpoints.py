"""How long does a checkpoint hold up training, and what does it cost in all?

One model for everybody; `memcpy` and `disk` are what the machine itself needs
to copy its state once, and to write it and force it to the disk. Stock's files
are not forced to the disk, kerascb's are.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import kerascb
from benchmarks import budgets
from benchmarks.measure import Rival, measure
from kerascb import runtime

if TYPE_CHECKING:
    from benchmarks.results import Result

STATE_MB = 400
QUICK_STATE_MB = 2
_LAYERS = 8
_EPOCHS = 6
_BATCH = 64
_CHUNK = 1 << 24

_BACKGROUND_SHARE = 1 / 20
_FOREGROUND_SHARES = {
    "m.keras": 1 / 3,
    "m.h5": 1 / 3,
    "ckpt": 1 / 3,
    "m.weights.h5": 1 / 2,
}
_FIT_RATIO = 1.05

Save = Callable[[int], object]


def run(*, quick: bool) -> Iterator[Result]:
    """Measures saves of every format, and whole fits.

    Args:
        quick: A small model and few repeats, to see that it runs.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = _Work(Path(folder), QUICK_STATE_MB if quick else STATE_MB)
        repeats = 1 if quick else 7
        yield work.measure_machine(repeats)
        for name, stock in work.stock_saves().items():
            yield work.measure_save(name, stock, repeats)
        yield work.measure_fit(1 if quick else 5, steps=2 if quick else 24)


class _Work:
    """The model, and everything that is done to it.

    Args:
        folder: Where to write.
        state_mb: Size of model and optimizer together.
    """

    def __init__(self, folder: Path, state_mb: int) -> None:
        self.folder = folder
        self.model, self.x, self.y = model_and_data(state_mb)
        self.train()
        self.state_bytes = sum(
            int(np.prod(one.shape)) * 4 for one in self._variables()
        )

    def _variables(self) -> list[Any]:
        own = self.model.optimizer.variables
        return [*self.model.variables, *(own() if callable(own) else own)]

    def train(self) -> None:
        """One step, so that every value is another than last time."""
        self.model.train_on_batch(self.x, self.y)

    def measure_machine(self, repeats: int) -> Result:
        """What the machine needs for as many bytes."""
        source = np.ones(self.state_bytes, np.uint8)
        target = np.zeros_like(source)
        path = self.folder / "raw"

        def copy() -> int:
            np.copyto(target, source)
            return 1

        def write() -> int:
            content = source.data
            with path.open("wb", buffering=0) as file:
                for start in range(0, len(content), _CHUNK):
                    file.write(content[start : start + _CHUNK])
                os.fsync(file.fileno())
            return 1

        rivals = {"memcpy": Rival(copy), "disk": Rival(write, path.unlink)}
        path.touch()
        return measure(
            f"machine, {self.state_bytes / 1e6:.0f} MB", "time", rivals,
            repeats=repeats,
        )  # fmt: skip

    def stock_saves(self) -> dict[str, Callable[[str], object]]:
        """Format → how stock saves it, as directly as it can."""
        model = self.model
        saves: dict[str, Callable[[str], object]] = {
            "m.keras": model.save,
            "m.weights.h5": model.save_weights,
            "m.h5": model.save,
        }
        if importlib.util.find_spec("tensorflow") is None:
            return saves
        keras = runtime.of(model)
        if keras.name == "keras2":
            saves["ckpt"] = model.save_weights
            saves["directory"] = model.save
        elif keras.backend == "tensorflow":
            tf = importlib.import_module("tensorflow")
            checkpoint = tf.train.Checkpoint(model)
            saves["ckpt"] = checkpoint.write
            saves["directory"] = lambda path: model.export(path, verbose=False)
        return saves

    def measure_save(
        self, name: str, stock: Callable[[str], object], repeats: int
    ) -> Result:
        """How long a save of one format holds the training thread."""
        weights_only = name in {"m.weights.h5", "ckpt"}

        def callback(place: str, **how: Any) -> Any:
            one = kerascb.ModelCheckpoint(
                str(self.folder / place / name),
                save_weights_only=weights_only,
                **how,
            )
            one.set_model(self.model)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what a path becomes
                one.on_train_begin()
            return one

        here = callback("here")
        behind = callback("behind", background=True)
        (self.folder / "stock").mkdir(exist_ok=True)

        def held(save: Callable[[], object]) -> Callable[[], int]:
            def work() -> int:
                with contextlib.redirect_stdout(None):
                    save()
                return 1

            return work

        rivals = {
            "stock": Rival(
                held(lambda: stock(str(self.folder / "stock" / name))),
                self.train,
            ),
            "kerascb": Rival(
                held(lambda: here.on_epoch_end(0, {})), self.train
            ),
            "background": Rival(
                held(lambda: behind.on_epoch_end(0, {})),
                self.train,
                behind.wait,
            ),
        }
        asked = [budgets.ratio("background", "stock", _BACKGROUND_SHARE)]
        if name in _FOREGROUND_SHARES:
            share = _FOREGROUND_SHARES[name]
            asked.append(budgets.ratio("kerascb", "stock", share))
        result = measure(
            f"save: {name}", "save", rivals, repeats=repeats, budgets=asked
        )
        for one in self.folder.iterdir():
            shutil.rmtree(one) if one.is_dir() else one.unlink()
        return result

    def measure_fit(self, repeats: int, steps: int) -> Result:
        """A fit without saves, and with one after every epoch."""
        path = str(self.folder / "fit" / "m.keras")
        stock = runtime.of(self.model).stock

        def rival(callbacks: Callable[[], list[Any]]) -> Callable[[], int]:
            def work() -> int:
                self.model.fit(
                    np.tile(self.x, (steps, 1)),
                    np.tile(self.y, (steps, 1)),
                    batch_size=_BATCH,
                    epochs=_EPOCHS,
                    verbose=0,
                    callbacks=callbacks(),
                )
                return _EPOCHS

            return work

        rivals = {
            "bare": rival(list),
            "stock": rival(lambda: [stock("ModelCheckpoint")(path)]),
            "kerascb": rival(lambda: [kerascb.ModelCheckpoint(path)]),
            "background": rival(
                lambda: [kerascb.ModelCheckpoint(path, background=True)]
            ),
        }
        orbax = stock("OrbaxCheckpoint")
        if orbax is not None and importlib.util.find_spec("orbax"):
            folder = str(self.folder / "orbax")
            rivals["stock Orbax"] = rival(
                lambda: [_fresh(orbax, folder, save_on_background=True)]
            )
        (self.folder / "fit").mkdir()
        return measure(
            "fit, a .keras save an epoch",
            "epoch",
            rivals,
            repeats=repeats,
            budgets=[budgets.ratio("background", "bare", _FIT_RATIO)],
        )


def _fresh(kind: Any, folder: str, **how: Any) -> Any:
    shutil.rmtree(folder, ignore_errors=True)
    return kind(folder, **how)


def model_and_data(state_mb: float) -> tuple[Any, Any, Any]:
    """A compiled model, and a batch to train it on.

    Args:
        state_mb: Size of model and optimizer together.
    """
    keras = importlib.import_module(runtime.in_force().package)
    keras.utils.set_random_seed(0)
    # Adam keeps two values for each weight.
    width = int((state_mb * 1e6 / 4 / 3 / _LAYERS) ** 0.5)
    layers = [keras.layers.Dense(width) for _ in range(_LAYERS)]
    model = keras.Sequential(
        [keras.layers.Input((width,)), *layers, keras.layers.Dense(1)]
    )
    model.compile("adam", "mse")
    generator = np.random.default_rng(0)
    x = generator.normal(size=(_BATCH, width)).astype("float32")
    return model, x, x.sum(axis=1, keepdims=True)
