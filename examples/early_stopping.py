"""EarlyStopping: end training once the validation loss no longer improves.

Expect far fewer epochs than the 100 planned. The first one whose validation
loss is not lower than the best by 0.001 ends training, and the model gets the
weights of the best epoch back.
"""

from _digits import build_model, load

from kerascb import EarlyStopping


def main() -> None:
    """Trains until it no longer helps."""
    train, validation = load()
    model = build_model()
    stop = EarlyStopping(
        monitor="val_loss", min_delta=0.001, restore_best_weights=True
    )
    model.fit(
        *train,
        validation_data=validation,
        epochs=100,
        callbacks=[stop],
        verbose=2,
    )
    loss, accuracy = model.evaluate(*validation, verbose=0)
    print(
        f"Ended after epoch {stop.stopped_epoch + 1}; the weights are those "
        f"of epoch {stop.best_epoch + 1}: val_loss {loss:.4f}, "
        f"val_accuracy {accuracy:.3f}"
    )


if __name__ == "__main__":
    main()
