"""What can be told to TensorBoard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Array = npt.NDArray[Any]
"""An array of any shape; which, each method says."""

Pixels = npt.NDArray[np.uint8]
"""Pictures of shape `(N, H, W, C)`: number, height, width, channels."""


class Point(NamedTuple):
    """A point of some curves at one step.

    Attributes:
        wall_s: When it was, in seconds since 1970.
        step: Where it stands (≥ 0).
        values: Tag → number; at least one.
    """

    wall_s: float
    step: int
    values: Mapping[str, float]


class EventWriter(Protocol):
    """One run of TensorBoard, open for writing.

    What is written appears in TensorBoard after `flush` or `close` at the
    latest. A tag names one curve or one series of pictures; the step is its
    horizontal position. `wall_s` is when it was, in seconds since 1970; by
    default that is now.
    """

    def points(self, points: Iterable[Point]) -> None:
        """Adds many points at once."""

    def scalars(
        self,
        step: int,
        values: Mapping[str, float],
        wall_s: float | None = None,
    ) -> None:
        """Adds a point to each curve.

        Args:
            step: Where (≥ 0).
            values: Tag → number.
            wall_s: When.
        """

    def histogram(
        self, step: int, tag: str, values: Array, wall_s: float | None = None
    ) -> None:
        """Adds the distribution of values of any shape."""

    def images(
        self, step: int, tag: str, images: Pixels, wall_s: float | None = None
    ) -> None:
        """Adds pictures.

        Args:
            step: Where (≥ 0).
            tag: The series.
            images: `(N, H, W, C)` with 1, 3 or 4 channels; TensorBoard's
                convention is to show the first three of N.
            wall_s: When.
        """

    def text(
        self, step: int, tag: str, text: str, wall_s: float | None = None
    ) -> None:
        """Adds a text in Markdown."""

    def keras_graph(
        self, step: int, tag: str, model_json: str, wall_s: float | None = None
    ) -> None:
        """Adds a model's configuration, drawn as its conceptual graph."""

    def op_graph(self, graph_def: bytes, wall_s: float | None = None) -> None:
        """Sets the graph of operations.

        Args:
            graph_def: A serialised `GraphDef` of TensorFlow.
            wall_s: When.
        """

    def flush(self) -> None:
        """Hands everything written so far to the file system."""

    def close(self) -> None:
        """Flushes and ends the run; closing twice does no harm."""

    def discard(self) -> None:
        """Ends the run, and takes back all that was written to it."""
