"""How much memory does saving take, at its peak?

Each row is a process of its own that trains the same model and saves it after
every one of a few steps; `bare` saves nothing.
"""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import kerascb
from benchmarks import budgets
from benchmarks.checkpoints import QUICK_STATE_MB, STATE_MB, model_and_data
from benchmarks.measure import Took, measure
from kerascb import runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.results import Result

_SAVES = 8
_KIBIBYTE = 1024


def run(*, quick: bool) -> Iterator[Result]:
    """Measures a process a row.

    Args:
        quick: A small model, to see that it runs.
    """
    state_mb = QUICK_STATE_MB if quick else STATE_MB
    names = (
        ("kerascb",) if quick else ("bare", "stock", "kerascb", "background")
    )
    yield measure(
        f"memory: {_SAVES} .keras saves",
        "step with a save",
        {name: _in_process(name, state_mb) for name in names},
        repeats=1,
        budgets=[
            budgets.added_memory(row, "stock", state_mb * 1e6)
            for row in ("kerascb", "background")
        ],
    )


def _in_process(name: str, state_mb: int) -> Callable[[], Took]:
    def work() -> Took:
        done = subprocess.run(  # noqa: S603 - this very module
            [sys.executable, "-m", "benchmarks.memory", name, str(state_mb)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        peak_bytes, cpu_s, wall_s = done.stdout.split()[-3:]
        return Took(_SAVES, float(cpu_s), float(wall_s), int(peak_bytes))

    return work


def main() -> None:
    """Trains and saves as one row; prints bytes and seconds."""
    name, state_mb = sys.argv[1:]
    model, x, y = model_and_data(int(state_mb))
    model.train_on_batch(x, y)
    _forget_peak()
    with tempfile.TemporaryDirectory() as folder:
        save, wait = _saver(name, model, f"{folder}/m.keras")
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        for epoch in range(_SAVES):
            model.train_on_batch(x, y)
            save(epoch)
        wait()
        cpu_s = time.process_time() - cpu_s
        wall_s = time.perf_counter() - wall_s
    print(_peak_bytes(), cpu_s, wall_s)


def _forget_peak() -> None:
    # What building the model took is not the matter. Elsewhere than on Linux
    # it is counted all the same.
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_bytes() -> int:
    with contextlib.suppress(OSError):
        status = Path("/proc/self/status").read_text()
        [line] = [one for one in status.splitlines() if "VmHWM" in one]
        return int(line.split()[1]) * _KIBIBYTE
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIBIBYTE


def _saver(
    name: str, model: object, path: str
) -> tuple[Callable[[int], object], Callable[[], object]]:
    if name == "bare":
        return (lambda epoch: None), (lambda: None)
    stock = runtime.of(model).stock("ModelCheckpoint")
    callback = (
        stock(path)
        if name == "stock"
        else kerascb.ModelCheckpoint(path, background=name == "background")
    )
    callback.set_model(model)
    callback.on_train_begin()
    return (
        lambda epoch: callback.on_epoch_end(epoch, {}),
        callback.on_train_end,
    )


if __name__ == "__main__":
    main()
