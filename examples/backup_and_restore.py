"""BackupAndRestore: a run that was interrupted goes on where it was.

Expect a run of six epochs that is interrupted in its fourth. The same run,
started again with a new model, begins with epoch 4. When it has ended the
backup in `./checkpoints` is gone.

Until TensorFlow 2.8 the class was an experimental one. The old name works,
and warns; the new one is `kerascb.BackupAndRestore`.
"""

from pathlib import Path

from _digits import build_model, load

from kerascb import LambdaCallback, experimental

INTERRUPTED_EPOCH = 4


def train(*more_callbacks: LambdaCallback) -> None:
    """What a training script does each time it is started."""
    (x, y), validation = load()
    model = build_model()
    backup = experimental.BackupAndRestore("./checkpoints")
    model.fit(
        x,
        y,
        validation_data=validation,
        epochs=6,
        callbacks=[backup, *more_callbacks],
        verbose=2,
    )


def press_ctrl_c(epoch: int, logs: dict[str, float]) -> None:
    """Interrupts one epoch."""
    del logs
    if epoch + 1 == INTERRUPTED_EPOCH:
        raise KeyboardInterrupt


def main() -> None:
    """Interrupts a run, then starts it again."""
    try:
        train(LambdaCallback(on_epoch_begin=press_ctrl_c))
    except KeyboardInterrupt:
        print("Interrupted. The backup:")
        for file in sorted(Path("checkpoints").rglob("*")):
            print(f"  {file}")
    print("The same again:")
    train()
    print(f"Backup left: {any(Path('checkpoints').glob('*'))}")


if __name__ == "__main__":
    main()
