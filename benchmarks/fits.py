"""Fits of one small model, bare and with callbacks of either kind."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

import kerascb
from benchmarks.measure import Rival
from kerascb import _names, runtime

if TYPE_CHECKING:
    from benchmarks.screens import Screen

METRICS = 5

Build = Callable[[Any, Path], list[Any]]
"""Where the classes are, a folder to write to → callbacks."""

STACK: Mapping[str, Build] = {
    "EarlyStopping": lambda classes, folder: [classes.EarlyStopping("loss")],
    "ReduceLROnPlateau": lambda classes, folder: [
        classes.ReduceLROnPlateau("loss")
    ],
    "TerminateOnNaN": lambda classes, folder: [classes.TerminateOnNaN()],
    "CSVLogger": lambda classes, folder: [
        classes.CSVLogger(str(folder / "log"))
    ],
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
"""The callbacks of the full stack, with default arguments."""

NO_STOCK_BOARD = "without stock's TensorBoard, which needs TensorFlow"


def stock() -> Any:
    """Stock's classes, as attributes."""
    in_force = runtime.in_force()
    return SimpleNamespace(
        **{name: in_force.stock(name) for name in _names.CALLBACKS}
    )


def has_stock_board() -> bool:
    """Whether stock's TensorBoard can be used here."""
    return importlib.util.find_spec("tensorflow") is not None


def common_stack() -> dict[str, Build]:
    """The full stack, as far as stock has it here too."""
    stack = dict(STACK)
    if not has_stock_board():
        del stack["TensorBoard"]
    return stack


def together(stack: Mapping[str, Build]) -> Build:
    """Callbacks of several kinds as one list."""
    return lambda classes, folder: [
        one for build in stack.values() for one in build(classes, folder)
    ]


@functools.cache
def small_model(metrics: int = METRICS) -> Any:
    """A compiled model whose step costs as little as a step can.

    Args:
        metrics: How many are logged besides the loss.
    """
    keras = importlib.import_module(runtime.in_force().package)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.layers.Input((8,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(
        "adam",
        "mse",
        metrics=[
            keras.metrics.MeanAbsoluteError(name=f"metric_{number}")
            for number in range(metrics)
        ],
    )
    return model


def small_data(steps: int) -> tuple[Any, Any]:
    """What `small_model` learns in so many steps, a sample a step."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=(steps, 8)).astype("float32")
    return x, x.sum(axis=1, keepdims=True)


def repeated(
    x: Any, y: Any, steps: int, tell: Callable[[int], None] | None = None
) -> Any:
    """The same batch again and again, which takes no memory.

    Args:
        x: The inputs of a batch.
        y: Its targets.
        steps: How often it comes in an epoch.
        tell: Called with the number of a batch when it is fetched.
    """
    utils = importlib.import_module(runtime.in_force().package).utils
    # As Keras 3 and Keras 2 call it.
    base = getattr(utils, "PyDataset", None) or utils.Sequence

    class Repeated(base):  # type: ignore[misc, valid-type]
        def __len__(self) -> int:
            return steps

        def __getitem__(self, index: int) -> tuple[Any, Any]:
            if tell is not None:
                tell(index)
            return x, y

    return Repeated()


def forget_backups(model: Any) -> None:
    """Makes a model ready for a fit that comes after one with backups."""
    # Keras 2's BackupAndRestore deletes what the next `fit` reads.
    model._training_state = None  # noqa: SLF001


class Fits:
    """Fits of the small model, of equal length.

    Args:
        steps: Steps of each (≥ 1).
        metrics: How many are logged besides the loss.
    """

    def __init__(self, steps: int, metrics: int = METRICS) -> None:
        self.steps = steps
        self.model = small_model(metrics)
        self._x, self._y = small_data(steps)

    def rivals(self, build: Build) -> dict[str, Rival]:
        """Bare, and with callbacks: stock's, ours, ours in our list."""
        return {
            "bare": self.bare(),
            "stock": self.rival(build, stock()),
            "kerascb": self.rival(build, kerascb),
            "kerascb list": self.in_list(build),
        }

    def bare(self, screen: Screen | None = None) -> Rival:
        """A fit without callbacks; with a bar, if there is a screen."""
        return self.rival(lambda classes, folder: [], None, screen)

    def rival(
        self, build: Build, classes: Any, screen: Screen | None = None
    ) -> Rival:
        """A plain fit with callbacks.

        Args:
            build: Makes them.
            classes: Where their classes are.
            screen: Puts something in the place of stdout, where the bar is
                drawn; without it there is no bar.
        """
        return self._rival(lambda folder: build(classes, folder), screen)

    def in_list(self, build: Build, screen: Screen | None = None) -> Rival:
        """A fit with ours in `kerascb.CallbackList`; see `rival`."""
        is_shown = screen is not None

        def callbacks(folder: Path) -> Any:
            return kerascb.CallbackList(
                build(kerascb, folder),
                add_history=True,
                add_progbar=is_shown,
                model=self.model,
                epochs=1,
                steps=self.steps,
                verbose=int(is_shown),
            )

        return self._rival(callbacks, screen)

    def installed(self, build: Build, screen: Screen | None = None) -> Rival:
        """A plain fit while `kerascb.install()` is on; see `rival`."""
        return self._rival(
            lambda folder: build(kerascb, folder), screen, kerascb.install
        )

    def _rival(
        self,
        callbacks: Callable[[Path], Any],
        screen: Screen | None,
        around: Screen = contextlib.nullcontext,
    ) -> Rival:
        open_until_settled = contextlib.ExitStack()
        ready: list[Any] = []

        def prepare() -> None:
            enter = open_until_settled.enter_context
            folder = enter(tempfile.TemporaryDirectory())
            enter(around())
            ready.append(callbacks(Path(folder)))
            open_until_settled.callback(forget_backups, self.model)
            if screen is not None:
                enter(screen())

        def work() -> int:
            self.model.fit(
                self._x,
                self._y,
                batch_size=1,
                verbose=int(screen is not None),
                shuffle=False,
                callbacks=ready.pop(),
            )
            return self.steps

        return Rival(work, prepare, open_until_settled.close)
