"""LearningRateScheduler: a learning rate for each epoch, by a function.

Expect ten epochs: five at the rate the optimizer came with, then five whose
rate falls by a tenth each.
"""

from _digits import build_model, learning_rates, load

from kerascb import LearningRateScheduler

STEADY_EPOCHS = 5


def schedule(epoch: int, learning_rate: float) -> float:
    """Returns the rate of an epoch, counted from 0, given the one in force."""
    return learning_rate if epoch < STEADY_EPOCHS else 0.9 * learning_rate


def main() -> None:
    """Trains by the schedule."""
    train, validation = load()
    model = build_model()
    history = model.fit(
        *train,
        validation_data=validation,
        epochs=10,
        callbacks=[LearningRateScheduler(schedule)],
        verbose=0,
    )
    for epoch, rate in enumerate(learning_rates(history)):
        print(f"Epoch {epoch + 1:2}: learning rate {rate:.6f}")


if __name__ == "__main__":
    main()
