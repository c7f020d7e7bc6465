"""LambdaCallback: a callback out of a function.

Expect the number of each batch, counted from 0: 11 of them in each of 2
epochs. The parameters of the function may have any names.
"""

from _digits import build_model, load

from kerascb import LambdaCallback


def main() -> None:
    """Prints the number of each batch."""
    train, _ = load()
    model = build_model()
    print_batch = LambdaCallback(
        on_batch_end=lambda batch, log_data: print(batch)
    )
    model.fit(
        *train, batch_size=128, epochs=2, callbacks=[print_batch], verbose=0
    )


if __name__ == "__main__":
    main()
