"""What does it cost to back a run up, and how much work can be lost?

Stock's files are not forced to the disk, and hold model, optimizer and epoch;
kerascb's are, and hold the state of the callbacks and the random state, too.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import kerascb
from benchmarks import budgets
from benchmarks.checkpoints import QUICK_STATE_MB, STATE_MB, model_and_data
from benchmarks.fits import forget_backups, repeated
from benchmarks.measure import Rival, measure
from benchmarks.results import CPU, WALL, Budget, Result
from kerascb import runtime

_SMALL_MB = 0.02
_FIT_EPOCHS = 6
_HOLD_SHARE = 1 / 20
_BATCH_SHARE = 1 / 5

Callbacks = Callable[[str], list[Any]]


def run(*, quick: bool) -> Iterator[Result]:
    """Measures a backup an epoch, and one a batch.

    Args:
        quick: Small models and few repeats, to see that it runs.
    """
    repeats = 1 if quick else 5
    with tempfile.TemporaryDirectory() as folder:
        model = _Model(QUICK_STATE_MB if quick else STATE_MB, Path(folder))
        yield model.measure_hold(repeats)
        yield model.measure_epochs(repeats, steps=2 if quick else 24)
        small = _Model(_SMALL_MB, Path(folder))
        yield small.measure_batches(repeats, steps=10 if quick else 300)


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
        return measure(
            case,
            "backup",
            rivals,
            repeats=repeats,
            budgets=[budgets.ratio("background", "stock", _HOLD_SHARE)],
        )

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
            asked=[
                budgets.added_share("background", "stock", _BATCH_SHARE, clock)
                for clock in (CPU, WALL)
            ],
        )

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
        asked: Iterable[Budget] = (),
    ) -> Result:
        def rival(callbacks: Callbacks) -> Callable[[], int]:
            def work() -> int:
                place = str(self._folder / next(self._names))
                self._fit(callbacks(place), steps, epochs)
                return units

            return work

        works = {name: rival(callbacks) for name, callbacks in rivals.items()}
        return measure(case, unit, works, repeats=repeats, budgets=asked)

    def _fit(self, callbacks: list[Any], steps: int, epochs: int) -> None:
        forget_backups(self.model)
        self.model.fit(
            repeated(self.x, self.y, steps),
            epochs=epochs,
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
        )
