"""From values to the buckets of TensorBoard's histograms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKETS = 30
"""As many as `tf.summary.histogram` makes."""

_PIECE = 1 << 14
"""Values looked at together: they fit into a processor's cache, and no thread
that trains waits long for the interpreter."""


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
    flat = np.asarray(values).reshape(-1)
    buffer = np.empty(min(flat.size, _PIECE))
    low, high, size = np.inf, -np.inf, 0
    for piece in _finite_pieces(flat, buffer):
        low = min(low, float(piece.min()))
        high = max(high, float(piece.max()))
        size += piece.size
    if size == 0:
        return np.zeros((BUCKETS, 3))
    counts = np.zeros(BUCKETS)
    if low == high:
        counts[-1] = size
        return np.stack([np.full(BUCKETS, low)] * 2 + [counts], axis=1)
    width = (high - low) / BUCKETS
    for piece in _finite_pieces(flat, buffer):
        index = ((piece - low) / width).astype(np.intp)
        np.minimum(index, BUCKETS - 1, out=index)
        counts += np.bincount(index, minlength=BUCKETS)
    edges = np.linspace(low, high, BUCKETS + 1)
    return np.stack([edges[:-1], edges[1:], counts], axis=1)


def _finite_pieces(
    flat: npt.NDArray[Any], buffer: npt.NDArray[np.float64]
) -> Iterator[npt.NDArray[np.float64]]:
    """The finite values, a few at a time, until the next ones are taken."""
    for start in range(0, flat.size, _PIECE):
        values = flat[start : start + _PIECE]
        piece = buffer[: values.size]
        np.copyto(piece, values, casting="unsafe")
        is_finite = np.isfinite(piece)
        if is_finite.all():
            yield piece
        elif is_finite.any():
            yield piece[is_finite]
