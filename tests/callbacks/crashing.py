"""Fits that are killed and taken up again, for tests of backups."""

import numpy as np
import pytest

from kerascb import Callback


class Crash(Callback):
    """Raises after a number of batches or epochs."""

    def __init__(self, batches=None, epochs=None):
        super().__init__()
        self.batches = batches
        self.epochs = epochs
        self.trained = []

    def on_epoch_begin(self, epoch, logs=None):
        """Notes the epoch."""
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Notes the batch; the fatal one is the last."""
        self.trained.append((self.epoch, batch))
        if len(self.trained) == self.batches:
            raise RuntimeError("killed")

    def on_epoch_end(self, epoch, logs=None):
        """Raises if this was the last epoch."""
        if epoch + 1 == self.epochs:
            raise RuntimeError("killed")


class Positions(Callback):
    """Notes which batches of which epochs are trained."""

    def __init__(self):
        super().__init__()
        self.trained = []

    def on_epoch_begin(self, epoch, logs=None):
        """Notes the epoch."""
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        """Notes the batch."""
        self.trained.append((self.epoch, batch))


def crash(fit, *callbacks, **arguments):
    """A fit that is expected to be killed."""
    with pytest.raises(RuntimeError, match="killed"):
        fit(*callbacks, **arguments)


def weights_equal(one, other):
    """Whether two models have the same weights, to the bit."""
    return all(
        np.array_equal(a, b)
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True)
    )
