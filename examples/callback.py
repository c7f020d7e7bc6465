"""Callback: write your own.

Expect training to end within the 20 epochs planned, as soon as 95 % of the
validation digits are read correctly.
"""

from __future__ import annotations

from _digits import build_model, load

from kerascb import Callback


class StopAtAccuracy(Callback):
    """Ends training when the validation accuracy is good enough.

    Args:
        target: The accuracy to reach, from 0 to 1.
    """

    def __init__(self, target: float) -> None:
        super().__init__()
        self.target = target

    def on_epoch_end(
        self, epoch: int, logs: dict[str, float] | None = None
    ) -> None:
        """Compares the epoch with the target."""
        accuracy = (logs or {}).get("val_accuracy", 0.0)
        print(f"Epoch {epoch + 1}: {accuracy:.1%}")
        if accuracy >= self.target:
            print(f"That is {self.target:.0%} or better.")
            self.model.stop_training = True


def main() -> None:
    """Trains until the target is reached."""
    train, validation = load()
    model = build_model()
    model.fit(
        *train,
        validation_data=validation,
        epochs=20,
        callbacks=[StopAtAccuracy(0.95)],
        verbose=0,
    )


if __name__ == "__main__":
    main()
