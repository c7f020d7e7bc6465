"""From values to the buckets of TensorBoard's histograms."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BUCKETS = 30
"""As many as `tf.summary.histogram` makes."""


def buckets(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Counts values in buckets of equal width.

    Values that are not finite belong to no bucket and are left out. Where all
    values are equal, the last bucket holds them all.

    Args:
        values: Numbers, of any shape.

    Returns:
        Shape `(30, 3)`: left edge, right edge and count of each bucket.

    Example:
        >>> table = buckets([0.0, 1.0, 1.0])
        >>> [float(number) for number in table[-1]]
        [0.9666666666666667, 1.0, 2.0]
    """
    flat = np.asarray(values, dtype=np.float64).ravel()
    flat = flat[np.isfinite(flat)]
    if flat.size == 0:
        return np.zeros((BUCKETS, 3))
    low, high = flat.min(), flat.max()
    if low == high:
        counts = np.zeros(BUCKETS)
        counts[-1] = flat.size
        return np.stack([np.full(BUCKETS, low)] * 2 + [counts], axis=1)
    index = ((flat - low) / ((high - low) / BUCKETS)).astype(np.int64)
    counted = np.bincount(np.minimum(index, BUCKETS - 1), minlength=BUCKETS)
    edges = np.linspace(low, high, BUCKETS + 1)
    return np.stack([edges[:-1], edges[1:], counted], axis=1)
