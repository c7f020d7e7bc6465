"""What TensorBoard shows of a model and of its engine.

Part of the `Runtime` Protocol, kept apart because only one callback asks.
`_inspection3.py` and `_inspection2.py` answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    import numpy.typing as npt


@dataclass(frozen=True)
class Embedding:
    """The table of one embedding layer.

    Attributes:
        layer_name: The layer's name.
        tensor_name: Its name in a TensorFlow checkpoint.
        variable: Holds the table, of shape `(rows, dimensions)`.
    """

    layer_name: str
    tensor_name: str
    variable: Any


class CustomSummaries(Protocol):
    """Where the `tf.summary` calls in a user's own model go.

    Directories form a stack: validation within training writes to its own,
    then training's is back. A directory keeps its writer as long as this
    object lives, since traced functions hold on to it.
    """

    def open(self, directory: str) -> None:
        """Makes the file of a directory, should another be made there soon.

        A viewer that reads files one after the other must find it first.
        """

    def push(self, directory: str, step: int) -> None:
        """Sends what follows to a directory."""

    def pop(self) -> None:
        """Takes back the latest `push`; nothing happens without one."""

    def at(self, step: int) -> None:
        """Tells at which step the model is."""

    def writer(self, directory: str) -> Any:
        """The engine's writer of a directory, made if need be."""

    def flush(self) -> None:
        """Brings to the files what the model has written so far."""

    def close(self) -> None:
        """Takes back every `push` and flushes."""


class Profiler(Protocol):
    """The engine's profiler. Any of its methods may raise."""

    def warm_up(self) -> None:
        """Does what would falsify the first profile."""

    def start(self, directory: str) -> None:
        """Begins a profile, to be written below a directory."""

    def annotate(self, batch: int) -> AbstractContextManager[Any]:
        """Marks a batch in the profile."""

    def stop(self) -> None:
        """Ends and writes the profile."""

    def start_graph(self) -> None:
        """Begins to collect the graphs that are executed."""

    def stop_graph(self, directory: str, name: str, step: int) -> None:
        """Writes the graphs collected, where the engine has any."""


class Inspection(Protocol):
    """Reads what TensorBoard shows out of a model."""

    def channels_last(self) -> bool:
        """Whether images have their channels in the last axis."""

    def weights(self, model: Any) -> Iterator[tuple[str, Any]]:
        """The variables of each layer, under the name stock's tags have."""

    def embedding_names(self, model: Any) -> list[str]:
        """The names of the embedding layers, nested ones too."""

    def embeddings(self, model: Any) -> list[Embedding]:
        """The tables of the embedding layers, nested ones too."""

    def save_embeddings(
        self, path: str, tables: Mapping[str, npt.NDArray[Any]]
    ) -> bool:
        """Writes a TensorFlow checkpoint with tables; from any thread.

        Args:
            path: The checkpoint's prefix.
            tables: Tensor name → table.

        Returns:
            False if this engine has no such checkpoints; nothing was written.
        """

    def has_layer_graph(self, model: Any) -> bool:
        """Whether the model is made of layers whose connections are known."""

    def op_graph(self, model: Any) -> bytes | None:
        """The serialised graph of a training step, or what stands for it.

        Returns:
            `None` if there is none.
        """

    def scheduled_rates(self, model: Any) -> dict[str, float]:
        """The learning rates that stock logs, by the name it gives them."""

    def custom_summaries(
        self, every: int, suffix: str = ".v2"
    ) -> CustomSummaries | None:
        """Takes in what the model writes itself, every so many steps.

        Args:
            every: Steps between two that are recorded (≥ 1).
            suffix: How the names of the files end.

        Returns:
            `None` where TensorFlow is not loaded, so that nobody can write.
        """

    def profiler(self, train_dir: str, log_dir: str) -> tuple[Profiler, str]:
        """The profiler, and the directory in which stock keeps profiles.

        Args:
            train_dir: Where the training run is written.
            log_dir: The directory above.
        """
