"""What do the hooks of a step cost, without the step?

A list's batch hooks are called again and again with the logs of a real step.
Without the noise of training a microsecond can be seen; what waiting for the
device costs, and what the interpreter's lock costs a writer, cannot. `bare` is
stock's list with nothing in it, `kerascb list` kerascb's with the callbacks of
the row before.
"""

from __future__ import annotations

import contextlib
import importlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kerascb
from benchmarks import budgets
from benchmarks.fits import (
    METRICS,
    NO_STOCK_BOARD,
    STACK,
    Build,
    common_stack,
    forget_backups,
    has_stock_board,
    small_data,
    small_model,
    stock,
    together,
)
from benchmarks.measure import Rival, measure
from benchmarks.results import CPU, WALL, Budget, Result
from kerascb import runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPARSE = 1000  # steps between two points
_SPARSE_BOARD_US = 2
_KERAS2_STACK_US = 10


def run(*, quick: bool) -> Iterator[Result]:
    """Measures each callback, a sparse `TensorBoard`, and the full stack.

    Args:
        quick: A few calls only, to see that it runs.
    """
    steps, repeats = (20, 1) if quick else (10_000, 7)
    model = small_model()
    x, y = small_data(2)
    model.fit(x, y, batch_size=1, verbose=0)
    for name, build in _lists(quick=quick).items():
        drives = {
            "bare": _drive(model, None, steps),
            "stock": _drive(model, build, steps, stock()),
            "kerascb": _drive(model, build, steps, kerascb),
            "kerascb list": _drive(
                model, build, steps, kerascb, kerascb.CallbackList
            ),
        }
        lacks_stock = name.startswith("TensorBoard") and not has_stock_board()
        if lacks_stock:
            del drives["stock"]
        yield measure(
            f"hooks: {name}",
            "step's hooks",
            drives,
            repeats=repeats,
            budgets=_budgets(name),
            note=NO_STOCK_BOARD if lacks_stock else "",
        )


def _lists(*, quick: bool) -> dict[str, Build]:
    sparse = {f"TensorBoard(update_freq={_SPARSE})": _board(_SPARSE)}
    whole = {"full stack": together(common_stack())}
    if quick:
        return {**sparse, **whole}
    dense = {"TensorBoard(update_freq='batch')": _board("batch")}
    return {**STACK, **dense, **sparse, **whole}


def _board(update_freq: int | str) -> Build:
    return lambda classes, folder: [
        classes.TensorBoard(str(folder / "logs"), update_freq=update_freq)
    ]


def _budgets(name: str) -> Iterator[Budget]:
    for clock in (CPU, WALL):
        if str(_SPARSE) in name:
            yield budgets.added_us("kerascb", _SPARSE_BOARD_US, clock)
        if name == "full stack" and runtime.in_force().name == "keras2":
            yield budgets.added_us("kerascb", _KERAS2_STACK_US, clock)


def _drive(
    model: Any,
    build: Build | None,
    steps: int,
    classes: Any = None,
    kind: Any = None,
) -> Rival:
    """The batch hooks of a list, called as `fit` calls them.

    Args:
        model: What is trained, as it is told to the callbacks.
        build: Makes the callbacks; `None` for none.
        steps: How often the hooks of a step are called.
        classes: Where the callbacks' classes are.
        kind: The class of the list; `None` for stock's.
    """
    kind = kind or runtime.in_force().stock("CallbackList")
    open_until_settled = contextlib.ExitStack()
    ready: list[Any] = []
    logs = _logs()

    def prepare() -> None:
        folder = open_until_settled.enter_context(tempfile.TemporaryDirectory())
        open_until_settled.callback(forget_backups, model)
        callbacks = build(classes, Path(folder)) if build else []
        driven = kind(callbacks, model=model, epochs=1, steps=steps, verbose=0)
        driven.on_train_begin()
        driven.on_epoch_begin(0)
        open_until_settled.callback(driven.on_train_end)
        ready.append(driven)

    def work() -> int:
        driven = ready.pop()
        for step in range(steps):
            driven.on_train_batch_begin(step)
            driven.on_train_batch_end(step, logs)
        return steps

    return Rival(work, prepare, open_until_settled.close)


def _logs() -> dict[str, Any]:
    """What a step hands to the hooks: scalars of the backend."""
    keras = runtime.in_force()
    if keras.name == "keras2":
        tensor = importlib.import_module("tensorflow").constant
    else:
        ops = importlib.import_module("keras").ops
        tensor = ops.convert_to_tensor
    names = ["loss", *(f"metric_{number}" for number in range(METRICS))]
    return {name: tensor(0.5) for name in names}
