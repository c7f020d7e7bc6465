"""TensorBoard: curves to look at in a browser, while training runs.

Expect event files below `./logs`, for training and for validation. Look at
them with `tensorboard --logdir ./logs`. (This file has another name than the
others: as `tensorboard.py` it would hide the package.)
"""

from pathlib import Path

from _digits import build_model, load

from kerascb import TensorBoard


def main() -> None:
    """Trains, and names the files."""
    train, validation = load()
    model = build_model()
    model.fit(
        *train,
        validation_data=validation,
        epochs=5,
        callbacks=[TensorBoard(log_dir="./logs")],
        verbose=2,
    )
    for file in sorted(Path("logs").rglob("events.*")):
        print(f"{file}: {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
