"""ModelCheckpoint: keep the model of every epoch, and the best one.

Expect three directories in `./checkpoints`, one an epoch, and `./best.keras`.
A directory is a SavedModel, which TensorFlow Serving loads; `load_model` gets
the model back from it, optimizer included, whichever Keras saved it. Writing
one needs TensorFlow as the backend; on JAX and torch there is only the file.
"""

from pathlib import Path

from _digits import build_model, keras, load

from kerascb import ModelCheckpoint, load_model


def main() -> None:
    """Trains, then loads what was saved."""
    train, validation = load()
    model = build_model()
    callbacks = [
        ModelCheckpoint("./best.keras", monitor="val_loss", save_best_only=True)
    ]
    if keras.backend.backend() == "tensorflow":
        callbacks.append(ModelCheckpoint("./checkpoints/{epoch}"))
    model.fit(
        *train,
        validation_data=validation,
        epochs=3,
        callbacks=callbacks,
        verbose=2,
    )
    for path in [*sorted(Path("checkpoints").glob("*")), Path("best.keras")]:
        _, accuracy = load_model(path).evaluate(*validation, verbose=0)
        print(f"{path}: val_accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
