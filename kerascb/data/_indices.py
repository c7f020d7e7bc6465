"""Indices of samples as a `tf.data.Dataset`."""

from __future__ import annotations

from typing import Any

from kerascb.data._arguments import Plan
from kerascb.runtime import index_dataset


def indices(
    size: int,
    batch_size: int,
    *,
    seed: int = 0,
    shuffle: bool = True,
    drop_remainder: bool = False,
) -> Any:
    """The indices of samples, in batches, every pass in an order of its own.

    To be mapped to the samples:

        order = kerascb.data.indices(len(x), 32, seed=1)
        dataset = order.map(
            lambda i: (tf.gather(x, i), tf.gather(y, i)),
            num_parallel_calls=tf.data.AUTOTUNE,
        ).prefetch(tf.data.AUTOTUNE)

    The order is a true permutation, as `Dataset.shuffle` gives only with a
    buffer as large as the data, and needs no buffer: an index is computed. It
    depends on the seed and on the number of the pass, from 0 on; a pass
    counts when its first element is drawn.

    Where a run goes on within an epoch, the batches it has seen come as
    vectors without an index, and are thrown away: what maps them to samples
    must take those, and give no samples. Operations that make another number
    of elements, as `filter`, `unbatch` and `batch`, are allowed after it; the
    batches seen are loaded again then.

    Needs TensorFlow. For one worker: not for `tf.distribute`'s strategies
    that copy a dataset to other machines.

    Args:
        size: How many samples there are (≥ 1).
        batch_size: How many a batch has (≥ 1).
        seed: What the order is made of (0 ≤ seed < 2⁶³).
        shuffle: False for the order of the indices.
        drop_remainder: Leave out a last batch that is smaller.

    Returns:
        A `tf.data.Dataset` of vectors of 64-bit integers, shape `(None,)`.

    Raises:
        InvalidArgument: If a number is out of its range.

    Example:
        >>> import kerascb
        >>> order = kerascb.data.indices(5, 2, shuffle=False)
        >>> [one.tolist() for one in order.as_numpy_iterator()]
        [[0, 1], [2, 3], [4]]
    """
    plan = Plan(size, batch_size, seed, shuffle, drop_remainder)
    return index_dataset(
        plan.size, plan.batch_size, plan.steps, plan.seed if shuffle else None
    )
