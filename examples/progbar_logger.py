"""ProgbarLogger: the progress bar, passed by hand.

Expect one bar an epoch, drawn over itself on a terminal; in a file or a pipe
one line an epoch. `fit` makes none of its own when it is given one.
"""

from _digits import build_model, load

from kerascb import ProgbarLogger


def main() -> None:
    """Trains behind a progress bar."""
    train, validation = load()
    model = build_model()
    bar = ProgbarLogger(count_mode="samples")
    model.fit(*train, validation_data=validation, epochs=5, callbacks=[bar])


if __name__ == "__main__":
    main()
