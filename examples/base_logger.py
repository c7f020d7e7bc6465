"""BaseLogger: the mean over an epoch, for a training loop of one's own.

Expect three epochs whose loss falls. The loop logs each batch by itself, with
its size; BaseLogger makes the mean over the samples of an epoch out of them,
the smaller batch at the end with its smaller weight. `fit` needs no
BaseLogger: its logs are means already, and are left alone.
"""

from _digits import build_model, load

from kerascb import BaseLogger, CallbackList, History

BATCH_SIZE = 128


def main() -> None:
    """Runs a training loop that tells its callbacks what happens."""
    (x, y), _ = load()
    model = build_model()
    history = History()
    callbacks = CallbackList([BaseLogger(), history], model=model)
    callbacks.on_train_begin()
    for epoch in range(3):
        callbacks.on_epoch_begin(epoch)
        for batch, start in enumerate(range(0, len(x), BATCH_SIZE)):
            samples = slice(start, start + BATCH_SIZE)
            callbacks.on_train_batch_begin(batch)
            model.reset_metrics()
            logs = model.train_on_batch(
                x[samples], y[samples], return_dict=True
            )
            callbacks.on_train_batch_end(
                batch, {**logs, "size": len(x[samples])}
            )
        callbacks.on_epoch_end(epoch, logs)
    callbacks.on_train_end()
    for epoch, loss in enumerate(history.history["loss"]):
        print(f"Epoch {epoch + 1}: mean loss {loss:.4f}")


if __name__ == "__main__":
    main()
