"""History: what every epoch logged.

Expect a table of five epochs. `fit` returns a History of its own when it is
given none; one that is passed can be looked at even after an exception.
"""

from _digits import build_model, load

from kerascb import History


def main() -> None:
    """Trains, then prints the record."""
    train, validation = load()
    model = build_model()
    history = History()
    model.fit(
        *train,
        validation_data=validation,
        epochs=5,
        callbacks=[history],
        verbose=0,
    )
    print("epoch", *(f"{name:>12}" for name in history.history))
    for row, epoch in enumerate(history.epoch):
        values = (column[row] for column in history.history.values())
        print(f"{epoch + 1:5}", *(f"{value:12.4f}" for value in values))


if __name__ == "__main__":
    main()
