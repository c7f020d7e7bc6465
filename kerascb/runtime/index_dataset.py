"""A `tf.data.Dataset` of indices that can be put at any epoch and step.

No element depends on the one before: the index of a sample is found by
TensorFlow's `index_shuffle`, a permutation that can be computed at any place.
The number of the pass is in a variable that the first element of a pass reads
and advances; a pass that is made and never drawn from, as Keras makes some,
is no pass.
"""

from __future__ import annotations

from typing import Any

from kerascb.runtime.fits.source_state import POSITION


def index_dataset(
    size: int, batch_size: int, steps: int, seed: int | None
) -> Any:
    """The indices of samples, in batches.

    Args:
        size: How many samples there are.
        batch_size: How many a batch has.
        steps: How many batches a pass has.
        seed: What the order of a pass is made of, with the number of the pass;
            `None` for the order of the indices.

    Returns:
        A dataset of vectors of 64-bit integers.
    """
    import tensorflow as tf

    with tf.device("CPU:0"):
        zero = tf.constant(0, tf.int64)
        position = _Position(
            tf.Variable(zero, trainable=False),
            tf.Variable(zero, trainable=False),
        )

    def begin() -> tuple[Any, Any]:
        number = position.number.read_value()
        passed = position.passed.read_value()
        position.number.assign_add(1)
        position.passed.assign(0)
        return number, passed

    def element(state: Any, step: Any) -> Any:
        number, passed = tf.cond(step == 0, begin, lambda: state)
        start = step * batch_size
        end = tf.minimum(start + batch_size, size)
        indices = tf.range(start, end, dtype=tf.int64)
        if seed is not None:
            key = tf.stack([tf.constant(seed, tf.int64), number])
            indices = tf.random.experimental.index_shuffle(
                indices, key, size - 1
            )
        # What is thrown away need not be loaded: it has no sample at all.
        kept = tf.where(step < passed, zero, end - start)
        return (number, passed), indices[:kept]

    dataset = tf.data.Dataset.range(steps).scan((zero, zero), element)
    vars(dataset)[POSITION] = position
    return dataset


class _Position:
    """Where the next pass begins.

    Args:
        number: How many passes have begun.
        passed: How many batches of the next one will be thrown away.
    """

    def __init__(self, number: Any, passed: Any) -> None:
        self.number = number
        self.passed = passed

    def get_state(self) -> dict[str, Any]:
        """The number of the next pass."""
        return {"pass": int(self.number.numpy())}

    def set_state(self, state: dict[str, Any]) -> None:
        """Makes it the next one."""
        self.number.assign(state["pass"])
        self.passed.assign(0)

    def pass_over(self, batches: int) -> None:
        """Makes the first batches of the next pass cost nothing."""
        self.passed.assign(batches)
