"""ReduceLROnPlateau: take smaller steps when the validation loss stands still.

Expect 30 epochs. The learning rate begins at 0.02, which is too much, and is
cut to a quarter each time five epochs have brought no improvement.
"""

from _digits import build_model, learning_rates, load

from kerascb import ReduceLROnPlateau


def main() -> None:
    """Trains with a rate that is too high at first."""
    train, validation = load()
    model = build_model(learning_rate=0.02)
    reduce = ReduceLROnPlateau(
        monitor="val_loss",
        factor=0.25,
        patience=5,
        cooldown=5,
        min_lr=0.000000001,
    )
    history = model.fit(
        *train,
        validation_data=validation,
        epochs=30,
        callbacks=[reduce],
        verbose=0,
    )
    losses = history.history["val_loss"]
    print("epoch  val_loss  learning rate")
    for epoch, rate in enumerate(learning_rates(history)):
        print(f"{epoch + 1:5}  {losses[epoch]:8.4f}  {rate:13.3g}")


if __name__ == "__main__":
    main()
