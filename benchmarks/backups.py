"""What does it cost to back a run up, and how much work can be lost?

Stock's files are not forced to the disk, and hold model, optimizer and epoch;
kerascb's are, and hold the state of the callbacks and the random state, too.
"""

from __future__ import annotations

import importlib
import itertools
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import kerascb
from benchmarks.checkpoints import STATE_MB, model_and_data
from benchmarks.measure import Result, Rival, Row, measure
from kerascb import runtime

_QUICK_STATE_MB = 2
_SMALL_MB = 0.02
_FIT_EPOCHS = 6
_OVERHEAD = 0.03
_LOOK_S = 0.02

# Size of the state in MB, batches put together to one step.
_AUTO_MODELS = ((0.02, 1), (20, 1), (STATE_MB, 4))
_AUTO_FIT_S = 150
_QUICK_AUTO_FIT_S = 0.2

Callbacks = Callable[[str], list[Any]]


def run(*, quick: bool) -> Iterator[Result]:
    """Measures a backup an epoch, one a batch, and `save_freq="auto"`.

    Args:
        quick: Small models and few repeats, to see that it runs.
    """
    repeats = 1 if quick else 5
    with tempfile.TemporaryDirectory() as folder:
        model = _Model(_QUICK_STATE_MB if quick else STATE_MB, Path(folder))
        yield model.measure_hold(repeats)
        yield model.measure_epochs(repeats, steps=2 if quick else 24)
        small = _Model(_SMALL_MB, Path(folder))
        yield small.measure_batches(repeats, steps=10 if quick else 300)
        for state_mb, batches in _AUTO_MODELS:
            one = _Model(_QUICK_STATE_MB if quick else state_mb, Path(folder))
            yield from one.measure_auto(
                batches,
                fit_s=_QUICK_AUTO_FIT_S if quick else _AUTO_FIT_S,
                repeats=1 if quick else 3,
            )


class _Model:
    """A model, and the fits of it that are measured.

    Args:
        state_mb: Size of model and optimizer together.
        folder: Where to back up.
    """

    def __init__(self, state_mb: float, folder: Path) -> None:
        self.state_mb = state_mb
        self.model, self.x, self.y = model_and_data(state_mb)
        self.model.train_on_batch(self.x, self.y)
        self._folder = Path(tempfile.mkdtemp(dir=folder))
        self._names = (f"backup-{count}" for count in itertools.count())
        self._stock = runtime.of(self.model).stock("BackupAndRestore")

    def measure_hold(self, repeats: int) -> Result:
        """How long a backup at the end of an epoch holds the training."""
        rivals = {
            "stock": self._held(self._stock),
            "kerascb": self._held(kerascb.BackupAndRestore, background=False),
            "background": self._held(kerascb.BackupAndRestore),
        }
        case = f"backup, {self.state_mb:g} MB: hold"
        return measure(case, "backup", rivals, repeats=repeats)

    def measure_epochs(self, repeats: int, steps: int) -> Result:
        """A fit without backups, and with one after every epoch."""
        ours = kerascb.BackupAndRestore
        return self._measure_fits(
            f"backup, {self.state_mb:g} MB: fit",
            "epoch",
            {
                "bare": lambda place: [],
                "stock": lambda place: [self._stock(place)],
                "kerascb": lambda place: [ours(place, background=False)],
                "background": lambda place: [ours(place)],
            },
            repeats=repeats,
            steps=steps,
            epochs=_FIT_EPOCHS,
            units=_FIT_EPOCHS,
        )

    def measure_batches(self, repeats: int, steps: int) -> Result:
        """A small model that is backed up after every batch."""
        ours = kerascb.BackupAndRestore
        return self._measure_fits(
            "backup, small: every batch",
            "batch",
            {
                "bare": lambda place: [],
                "stock": lambda place: [self._stock(place, 1)],
                "kerascb": lambda place: [ours(place, 1, background=False)],
                "background": lambda place: [ours(place, 1)],
            },
            repeats=repeats,
            steps=steps,
            units=steps,
        )

    def measure_auto(
        self, batches: int, fit_s: float, repeats: int
    ) -> Iterator[Result]:
        """What `save_freq="auto"` adds to a fit, and what a kill would lose.

        Args:
            batches: How many of a batch's size a batch has here.
            fit_s: How long a fit is to take, in seconds.
            repeats: Fits of either kind (≥ 1).
        """
        self.x = np.tile(self.x, (batches, 1))
        self.y = np.tile(self.y, (batches, 1))
        steps = max(int(fit_s / self._step_s()), 5)
        watch = _Watch()

        def auto(place: str) -> list[Any]:
            watch.look_at(place)
            return [
                kerascb.BackupAndRestore(
                    place, save_freq="auto", overhead=_OVERHEAD
                )
            ]

        case = f"auto, {self.state_mb:g} MB"
        with watch:
            yield self._measure_fits(
                case,
                "fit",
                {"bare": lambda place: [], "kerascb": auto},
                repeats=repeats,
                steps=steps,
                units=1,
            )
        gaps = watch.gaps or [0.0]
        yield Result(
            case,
            f"time between two of {watch.count} backups",
            (
                _row("median", float(np.median(gaps)), watch.count),
                _row("longest", max(gaps), watch.count),
            ),
        )

    def _step_s(self) -> float:
        """How long a step takes within a fit."""
        steps = 8
        self._fit([], steps, 1)
        while True:
            start = time.perf_counter()
            self._fit([], steps, 1)
            took_s = time.perf_counter() - start
            if took_s > 1 / 4:
                return took_s / steps
            steps *= 4

    def _held(self, kind: Any, **how: Any) -> Rival:
        """One `on_epoch_end` after another, in the same run."""
        callback = kind(str(self._folder / next(self._names)), **how)
        callback.set_params({"epochs": None, "steps": 1, "verbose": 0})
        callback.set_model(self.model)
        callback.on_train_begin()
        epochs = itertools.count()

        def train() -> None:
            # Every value is another than last time.
            self.model.train_on_batch(self.x, self.y)

        def work() -> int:
            callback.on_epoch_end(next(epochs), {})
            return 1

        if kind is self._stock:
            return Rival(work, train)
        return Rival(work, train, callback.wait)

    def _measure_fits(
        self,
        case: str,
        unit: str,
        rivals: dict[str, Callbacks],
        *,
        repeats: int,
        steps: int,
        units: int,
        epochs: int = 1,
    ) -> Result:
        def rival(callbacks: Callbacks) -> Callable[[], int]:
            def work() -> int:
                place = str(self._folder / next(self._names))
                self._fit(callbacks(place), steps, epochs)
                return units

            return work

        works = {name: rival(callbacks) for name, callbacks in rivals.items()}
        return measure(case, unit, works, repeats=repeats)

    def _fit(self, callbacks: list[Any], steps: int, epochs: int) -> None:
        # Keras 2's BackupAndRestore deletes what the next `fit` reads.
        self.model._training_state = None  # noqa: SLF001
        self.model.fit(
            _repeated(self.x, self.y, steps),
            epochs=epochs,
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
        )


def _repeated(x: Any, y: Any, steps: int) -> Any:
    """The same batch again and again, which takes no memory."""
    utils = importlib.import_module(runtime.in_force().package).utils
    # As Keras 3 and Keras 2 call it.
    base = getattr(utils, "PyDataset", None) or utils.Sequence

    class Repeated(base):  # type: ignore[misc, valid-type]
        def __len__(self) -> int:
            return steps

        def __getitem__(self, index: int) -> tuple[Any, Any]:
            return x, y

    return Repeated()


def _row(name: str, seconds: float, repeats: int) -> Row:
    return Row(name, 0.0, seconds * 1e6, 0.0, 0.0, repeats)


@dataclass
class _Watch:
    """Sees from another thread when a backup becomes visible.

    Attributes:
        gaps: The seconds between two of them, or from the beginning of the
            fit to the first.
        count: How many there were.
    """

    gaps: list[float] = field(default_factory=list)
    count: int = 0
    _place: str = ""
    _since: float = 0.0
    _seen: int | None = None
    _is_over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def look_at(self, place: str) -> None:
        """Looks for the backups of another fit."""
        self._place, self._seen = place, None
        self._since = time.perf_counter()

    def __enter__(self) -> None:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def __exit__(self, *failure: object) -> None:
        self._is_over.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(_LOOK_S):
            place, since = self._place, self._since
            written = _written_at(place)
            if written not in (None, self._seen) and place == self._place:
                now = time.perf_counter()
                self.gaps.append(now - since)
                self.count += 1
                self._since, self._seen = now, written


def _written_at(place: str) -> int | None:
    try:
        return os.stat(os.path.join(place, "latest.npz")).st_mtime_ns
    except OSError:
        return None
