"""TerminateOnNaN: end a run whose loss is no longer a number.

Expect training to end within its first epoch, at a batch that is named: the
learning rate is absurd on purpose.
"""

from _digits import build_model, load

from kerascb import TerminateOnNaN


def main() -> None:
    """Trains with steps that lead nowhere."""
    train, _ = load()
    model = build_model(optimizer="SGD", learning_rate=1e20)
    history = model.fit(
        *train, epochs=10, callbacks=[TerminateOnNaN()], verbose=0
    )
    print(f"Epochs: {len(history.epoch)} of 10")


if __name__ == "__main__":
    main()
