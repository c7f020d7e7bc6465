"""What a checkpoint consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Buffer = bytes | memoryview
"""A piece of a file; a `memoryview` is flat and of bytes."""


class FileLayout(Protocol):
    """A file whose values are yet to come."""

    def render(
        self, values: Sequence[memoryview], note: bytes
    ) -> Iterator[Buffer]:
        """The content of the file, in order.

        Args:
            values: The value of each variable of the plan: its bytes in
                memory, flat, in C order.
            note: What kerascb remembers of the checkpoint, JSON; goes into
                the file where its format has a place for it.

        Yields:
            Pieces; the values among them are those that were given, not
            copies.
        """


@dataclass(frozen=True)
class Plan:
    """The files of one checkpoint, and whose values go into them.

    Attributes:
        variables: The variables to freeze, as the Keras of the model has them.
        files: Name → layout. A name continues the path of the checkpoint:
            `""` for a format of one file, `".index"` for TensorFlow
            checkpoints, `"variables/variables.index"` in a directory.
        seeds: Which of the variables are states of random generators that the
            format has no place for; their values go into the note.
    """

    variables: tuple[Any, ...]
    files: Mapping[str, FileLayout]
    seeds: tuple[int, ...] = ()


class NotPlannable(Exception):
    """A model cannot be saved from frozen values of its variables.

    Args:
        reason: A clause that says why.
    """
