"""What can be told to TensorBoard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = npt.NDArray[Any]
"""An array of any shape; which, each method says."""

Pixels = npt.NDArray[np.uint8]
"""Pictures of shape `(N, H, W, C)`: number, height, width, channels."""


class EventWriter(Protocol):
    """One run of TensorBoard, open for writing.

    What is written appears in TensorBoard after `flush` or `close` at the
    latest. A tag names one curve or one series of pictures; the step is its
    horizontal position.
    """

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Adds a point to each curve.

        Args:
            step: Where (≥ 0).
            values: Tag → number.
        """

    def histogram(self, step: int, tag: str, values: Array) -> None:
        """Adds the distribution of values of any shape."""

    def images(self, step: int, tag: str, images: Pixels) -> None:
        """Adds pictures.

        Args:
            step: Where (≥ 0).
            tag: The series.
            images: `(N, H, W, C)` with 1, 3 or 4 channels; TensorBoard's
                convention is to show the first three of N.
        """

    def text(self, step: int, tag: str, text: str) -> None:
        """Adds a text in Markdown."""

    def keras_graph(self, step: int, tag: str, model_json: str) -> None:
        """Adds a model's configuration, drawn as its conceptual graph."""

    def op_graph(self, graph_def: bytes) -> None:
        """Sets the graph of operations.

        Args:
            graph_def: A serialised `GraphDef` of TensorFlow.
        """

    def flush(self) -> None:
        """Hands everything written so far to the file system."""

    def close(self) -> None:
        """Flushes and ends the run; closing twice does no harm."""

    def discard(self) -> None:
        """Ends the run, and takes back all that was written to it."""
