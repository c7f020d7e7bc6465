"""CSVLogger: a table of the epochs, in a file.

Expect `./logs.csv`, with a row an epoch and semicolons between the cells. A
second run of three epochs goes on below the three rows of the first, and so
does a second start of this script.
"""

from pathlib import Path

from _digits import build_model, load

from kerascb import CSVLogger


def main() -> None:
    """Trains twice, into one table."""
    train, validation = load()
    model = build_model()
    for run in range(2):
        table = CSVLogger("./logs.csv", separator=";", append=True)
        model.fit(
            *train,
            validation_data=validation,
            initial_epoch=3 * run,
            epochs=3 * (run + 1),
            callbacks=[table],
            verbose=0,
        )
    print(Path("logs.csv").read_text(encoding="utf-8"), end="")


if __name__ == "__main__":
    main()
