"""Quick start: handwritten digits, with the whole stack of callbacks.

    python examples/quickstart.py [FOLDER]

Expect some thirty epochs, then what each callback did and which files are in
FOLDER (default: `quickstart-output`), the learning curve among them. Interrupt
it with Ctrl-C and start it again: it goes on with the epoch it was in.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from _digits import build_model, learning_rates, load
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

import kerascb

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EPOCHS = 40
TRAINING, VALIDATION, QUIET = "#1f6fb4", "#d95f02", "#6b6b6b"


def main(folder: str = "quickstart-output") -> None:
    """Trains, reports, draws.

    Args:
        folder: Where all files go; made if need be.
    """
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    train, validation = load()
    epoch_ends_s: list[float] = []
    stack = make_callbacks(place, epoch_ends_s)
    build_model().fit(
        *train,
        validation_data=validation,
        epochs=EPOCHS,
        callbacks=list(vars(stack).values()),
    )
    draw_learning_curve(stack, place / "learning-curve.png")
    print("\nWhat each callback did")
    print_table(what_each_did(stack, epoch_ends_s))
    print(f"\nFiles in {place}")
    print_table(files(place, stack))
    best = kerascb.load_model(place / "best.keras")
    _, accuracy = best.evaluate(*validation, verbose=0)
    print(f"\nbest.keras reads {accuracy:.1%} of the validation digits.")


def make_callbacks(folder: Path, epoch_ends_s: list[float]) -> SimpleNamespace:
    """Makes the stack: first what changes the run, then what records it.

    Args:
        folder: Where their files go.
        epoch_ends_s: Gets the time of each epoch's end, in seconds.
    """
    run = time.strftime("%Y%m%d-%H%M%S")
    return SimpleNamespace(
        backup=kerascb.BackupAndRestore(folder / "backup"),
        terminate=kerascb.TerminateOnNaN(),
        reduce=kerascb.ReduceLROnPlateau(
            monitor="val_loss", factor=0.25, patience=3, min_lr=1e-5
        ),
        stop=kerascb.EarlyStopping(
            monitor="val_loss", patience=8, restore_best_weights=True
        ),
        checkpoint=kerascb.ModelCheckpoint(
            folder / "best.keras", monitor="val_loss", save_best_only=True
        ),
        table=kerascb.CSVLogger(folder / "epochs.csv"),
        board=kerascb.TensorBoard(folder / "tensorboard" / run),
        clock=kerascb.LambdaCallback(
            on_epoch_end=lambda epoch, logs: epoch_ends_s.append(
                time.perf_counter()
            )
        ),
        history=kerascb.History(),
        bar=kerascb.ProgbarLogger(),
    )


def what_each_did(
    stack: SimpleNamespace, epoch_ends_s: list[float]
) -> list[tuple[str, str]]:
    """Name and deed of each callback, after the fit."""
    epochs, logs = stack.history.epoch, stack.history.history
    pause_s = (epoch_ends_s[-1] - epoch_ends_s[0]) / max(1, len(epochs) - 1)
    rates = sorted(set(learning_rates(stack.history)), reverse=True)
    is_sound = all(map(math.isfinite, logs["loss"]))
    has_ended = "ended training" if stack.stop.stopped_epoch else "let it end"
    deeds = [
        (stack.history, f"recorded {', '.join(logs)}"),
        (stack.bar, f"showed {stack.bar.target} steps an epoch"),
        (stack.clock, f"timed the epochs: {pause_s:.2f} s each"),
        (
            stack.terminate,
            "found every loss finite" if is_sound else "ended training",
        ),
        (
            stack.reduce,
            "learning rate " + " to ".join(f"{rate:.2g}" for rate in rates),
        ),
        (
            stack.stop,
            f"{has_ended} after epoch {epochs[-1] + 1} of {EPOCHS}, "
            f"restored the weights of epoch {stack.stop.best_epoch + 1}",
        ),
        (
            stack.checkpoint,
            "saved the model whenever val_loss was better, "
            f"last at {stack.checkpoint.best:.4f}",
        ),
        (
            stack.backup,
            f"began with epoch {epochs[0] + 1}, backed up every epoch, "
            "cleared up at the end",
        ),
        (stack.table, f"wrote {len(epochs)} rows"),
        (stack.board, "wrote curves of training and validation"),
    ]
    return [(type(callback).__name__, deed) for callback, deed in deeds]


def files(folder: Path, stack: SimpleNamespace) -> list[tuple[str, str]]:
    """What is in the folder now, and what it is for."""
    board = Path(stack.board.log_dir).relative_to(folder)
    return [
        ("best.keras", "the best model, for kerascb.load_model"),
        ("epochs.csv", "a row an epoch"),
        (f"{board}", f"for tensorboard --logdir {folder / 'tensorboard'}"),
        ("learning-curve.png", "loss, accuracy and learning rate by epoch"),
    ]


def print_table(rows: list[tuple[str, str]]) -> None:
    """Prints two columns."""
    width = max(len(left) for left, _ in rows)
    for left, right in rows:
        print(f"  {left:{width}}  {right}")


def draw_learning_curve(stack: SimpleNamespace, path: Path) -> None:
    """Draws loss, accuracy and learning rate by epoch.

    Args:
        stack: The callbacks, after the fit.
        path: Of the PNG.
    """
    logs = stack.history.history
    epochs = [epoch + 1 for epoch in stack.history.epoch]
    best = epochs.index(stack.stop.best_epoch + 1)
    figure = Figure(figsize=(8, 7), dpi=150, layout="constrained")
    loss, accuracy, rate = figure.subplots(
        3, sharex=True, height_ratios=[4, 3, 1.5]
    )
    figure.suptitle(
        f"Handwritten digits: {logs['val_accuracy'][best]:.1%} of the "
        f"validation digits read at epoch {epochs[best]}",
        fontweight="bold",
    )
    for axes, name in ((loss, "loss"), (accuracy, "accuracy")):
        _draw_pair(axes, epochs, logs[name], logs[f"val_{name}"], best)
    rate.step(epochs, learning_rates(stack.history), color=QUIET, where="mid")
    for axes in (loss, accuracy, rate):
        axes.axvline(epochs[best], color=QUIET, linestyle=":", linewidth=1)
        axes.grid(axis="y", alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    loss.set(ylabel="Loss (log scale)", yscale="log")
    loss.legend(frameon=False, loc="lower left")
    accuracy.set_ylabel("Accuracy")
    accuracy.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    rate.set(ylabel="Learning rate", yscale="log", xlabel="Epoch")
    rate.set_xlim(epochs[0] - 0.5, epochs[-1] + 0.5)
    rate.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.align_ylabels()
    figure.savefig(path)


def _draw_pair(
    axes: Axes,
    epochs: list[int],
    training: list[float],
    validation: list[float],
    best: int,
) -> None:
    axes.plot(epochs, training, color=TRAINING, label="training")
    axes.plot(epochs, validation, color=VALIDATION, label="validation")
    axes.plot(
        epochs[best],
        validation[best],
        marker="o",
        linestyle="none",
        color=VALIDATION,
        label=f"best epoch: {epochs[best]}",
    )


if __name__ == "__main__":
    main(*sys.argv[1:2])
