"""UpdateEmbeddingCallback: a vocabulary that follows the data."""

import copy
import math
import pickle

import numpy as np
import pytest

from kerascb.callbacks.update_embedding_callback import (
    UpdateEmbeddingCallback,
)
from kerascb.errors import InvalidArgument, UnsupportedRuntime
from kerascb.testing import FakeModel, drive


class Layer:
    """What can be updated."""

    def update_embeddings(self, strategy):
        """Updates nothing."""


class Clock:
    """Shows the time it is set to."""

    time = 0.0

    def __call__(self):
        """Seconds."""
        return self.time


class Counting(UpdateEmbeddingCallback):
    """Counts its updates."""

    updates = 0

    def on_interval(self):
        """Counts."""
        self.updates += 1


def after(callback, clock, *times):
    """Ends a batch at each of some times; returns the updates so far."""
    counts = []
    for time in times:
        clock.time = time
        callback.on_train_batch_end(0)
        counts.append(callback.updates)
    return counts


def test_updates_come_after_the_interval():
    """The first at once, the next one when the time has run out."""
    clock = Clock()
    callback = Counting(Layer(), 10, clock=clock)
    callback.start()

    assert after(callback, clock, 0, 9, 10, 11, 25) == [1, 1, 2, 2, 3]


def test_nothing_happens_before_start_and_after_stop():
    """As with stock's thread."""
    clock = Clock()
    callback = Counting(Layer(), 0, clock=clock)
    before = after(callback, clock, 1)
    with callback as same:
        assert same is callback
        within = after(callback, clock, 2)
    beyond = after(callback, clock, 3)

    assert (before, within, beyond) == ([0], [1], [1])
    assert not callback.is_alive()


@pytest.mark.parametrize("bad", [-1, math.nan, "5", None])
def test_an_interval_that_is_no_time_is_refused(bad):
    """At construction."""
    with pytest.raises(InvalidArgument, match="interval="):
        UpdateEmbeddingCallback(Layer(), bad)


def test_a_layer_that_cannot_be_updated_is_refused():
    """At construction; stock found out in a thread, and logged it."""
    with pytest.raises(InvalidArgument, match="DynamicEmbedding"):
        UpdateEmbeddingCallback(FakeModel(), 1)


def test_keras3_has_no_such_layer(keras3_only):
    """The error says so before the first batch."""
    callback = UpdateEmbeddingCallback(Layer(), 0)

    with pytest.raises(UnsupportedRuntime, match="DynamicEmbedding"):
        callback.on_train_begin()


def test_what_a_subclass_does_needs_no_such_layer():
    """Only updates of the layer are Keras 2's."""
    with Counting(Layer(), 0) as callback:
        drive([callback], losses=[1.0])

    assert callback.updates == 1


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_it_can_be_copied_and_pickled(again):
    """There is no thread in it."""
    twin = again(UpdateEmbeddingCallback(Layer(), 3))

    assert twin.interval == 3


@pytest.mark.fit
def test_new_words_come_into_the_vocabulary(keras, keras2_only, tensorflow):
    """And what the optimizer keeps for the layer begins anew."""
    if not hasattr(keras.layers.experimental, "DynamicEmbedding"):
        pytest.skip("this Keras 2 has no such layer")
    layer = keras.layers.experimental.DynamicEmbedding(
        input_dim=5,
        output_dim=2,
        input_length=5,
        eviction_policy="LFU",
        initial_vocabulary=tensorflow.constant(["a", "b", "c", "d", "e"]),
    )
    model = keras.Sequential(
        [layer, keras.layers.Flatten(), keras.layers.Dense(3)]
    )
    model.compile("adam", "mse")
    words = np.array([["x", "y", "x", "d", "e"]] * 3)
    with UpdateEmbeddingCallback(layer, 3600) as callback:
        model.fit(words, np.zeros(3), verbose=0, callbacks=[callback])

    vocabulary = set(layer.get_vocabulary().numpy().tolist())
    moments = [
        variable.numpy()
        for variable in model.optimizer.variables()
        if "dynamic_embedding" in variable.name
    ]
    assert b"x" in vocabulary
    assert moments
    assert not np.any(moments)
