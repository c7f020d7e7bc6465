"""BackupAndRestore: three kills, and a run that ends as if there were none.

Expect a training process to be killed three times at random, the last one to
finish, and `identical: True` for the weights and the History of that run and
of one that nobody disturbed. It takes about a minute.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from _digits import build_model, load

import kerascb

EPOCHS = 8
KILLS = 3


def train(folder: Path) -> None:
    """Trains to the end, from wherever it was left, and keeps the result.

    Args:
        folder: Where the backup is, and where the result goes.
    """
    model = build_model()
    (x, y), validation = load()
    history = model.fit(
        x, y, batch_size=32, epochs=EPOCHS, verbose=0, shuffle=False,
        validation_data=validation,
        callbacks=[
            kerascb.EarlyStopping("val_loss", patience=3),
            kerascb.ReduceLROnPlateau("val_loss", patience=1),
            kerascb.BackupAndRestore(folder / "backup", save_freq=10),
            kerascb.LambdaCallback(
                on_epoch_end=lambda epoch, logs: print(
                    f"epoch {epoch + 1} of {EPOCHS}", flush=True
                )
            ),
        ],
    )  # fmt: skip
    np.savez(folder / "weights.npz", *model.get_weights())
    record = {
        name: [float(value) for value in values]
        for name, values in history.history.items()
    }
    (folder / "history.json").write_text(json.dumps(record))


def start(folder: Path) -> subprocess.Popen[str]:
    """Starts the training as a process of its own."""
    return subprocess.Popen(  # noqa: S603 - this very script
        [sys.executable, __file__, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )


def kill_in_some_epoch(folder: Path, after_s: float) -> None:
    """Starts the training, and kills it some time after an epoch's end."""
    with start(folder) as process:
        print(next(iter(process.stdout or ()), "").strip(), end="; ")
        try:
            process.wait(after_s)
        except subprocess.TimeoutExpired:
            process.kill()
    print("killed" if process.returncode else "finished before it was killed")


def finish(folder: Path) -> None:
    """Starts the training and lets it end."""
    process = start(folder)
    said, _ = process.communicate()
    print("; ".join(said.splitlines()))


def are_identical(folder: Path, other: Path) -> bool:
    """Whether two runs have the same weights and History, to the bit."""
    with (
        np.load(folder / "weights.npz") as one,
        np.load(other / "weights.npz") as two,
    ):
        weights = all(np.array_equal(one[name], two[name]) for name in one)
    return weights and (
        (folder / "history.json").read_text()
        == (other / "history.json").read_text()
    )


def main() -> bool:
    """Compares a run that is killed with one that is not."""
    chance = np.random.default_rng()
    with tempfile.TemporaryDirectory() as temporary:
        killed, undisturbed = Path(temporary, "a"), Path(temporary, "b")
        killed.mkdir()
        undisturbed.mkdir()
        for _ in range(KILLS):
            kill_in_some_epoch(killed, chance.uniform(0, 0.3))
        finish(killed)
        finish(undisturbed)
        result = are_identical(killed, undisturbed)
    print("identical:", result)
    return result


if __name__ == "__main__":
    if len(sys.argv) > 1:
        train(Path(sys.argv[1]))
    else:
        main()
