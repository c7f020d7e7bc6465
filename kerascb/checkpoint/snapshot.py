"""The state of a model at one step, frozen, with the files it becomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.layouts import notes
from kerascb.layouts.archive import ZipLayout
from kerascb.layouts.checksums import crc32c
from kerascb.runtime import FrozenArray

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from kerascb.checkpoint.commit import Staging
    from kerascb.layouts.plan import FileLayout
    from kerascb.runtime import Format, FrozenValue, Runtime

_ALIGNMENT = 64
_DATED = "metadata.json"
"""What an archive says of the moment it was made."""


class Arena:
    """Memory that one save after the other keeps its values in.

    Memory that was used before is there at once; fresh memory has to be made
    ready by the system, page by page, which takes longer than to fill it.
    """

    def __init__(self) -> None:
        self._memory = np.empty(0, np.uint8)

    def take(self, size: int) -> npt.NDArray[np.uint8]:
        """Lends memory; what was lent before is not to be used any more.

        Args:
            size: Bytes (≥ 0).
        """
        if self._memory.size < size:
            self._memory = np.empty(size, np.uint8)
        return self._memory[:size]

    def clear(self) -> None:
        """Gives the memory back."""
        self._memory = np.empty(0, np.uint8)


@dataclass(frozen=True)
class Content:
    """What a checkpoint holds; equal to another's if nothing has changed.

    Attributes:
        files: Name → layout, in which is all that is no variable, such as the
            configuration.
        checksums: The CRC-32C of every value.
    """

    files: Mapping[str, FileLayout]
    checksums: tuple[int, ...]


@dataclass(frozen=True)
class Snapshot:
    """What is to be written of one step; training may go on.

    Attributes:
        files: Name → layout, as in a `Plan`.
        values: The frozen values.
        seeds: Which of them belong into the note.
        note: What kerascb remembers of the checkpoint besides.
    """

    files: Mapping[str, FileLayout]
    values: list[FrozenValue]
    seeds: tuple[int, ...] = ()
    note: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def take(
        cls,
        model: Any,
        form: Format,
        options: Any,
        *,
        runtime: Runtime,
        note: Mapping[str, Any],
    ) -> Snapshot:
        """Freezes what a checkpoint of a model needs; in the training thread.

        Args:
            model: The model, its variables up to date.
            form: What to write.
            options: What TensorFlow takes as options of a save, or `None`.
            runtime: The Keras of the model.
            note: What to remember of the checkpoint; JSON values.

        Raises:
            NotPlannable: If the model cannot be saved from its variables.
        """
        plan = runtime.plan(model, form, options)
        values = runtime.freeze(plan.variables)
        return cls(plan.files, values, plan.seeds, note)

    def settle(self, arena: Arena) -> None:
        """Lets go of the memory that values share with variables.

        The next step copies what is still shared when it writes to it, in the
        training thread and into fresh memory. This is for the thread that
        writes: it has until then, most of a step, to be the one that copies.

        Args:
            arena: Where to keep the values from now on.
        """
        settle(self.values, arena)

    def write(self, staging: Staging) -> None:
        """Writes all files; from any thread, and again if it has to be.

        Args:
            staging: Where to.
        """
        values = [value.raw() for value in self.values]
        note = self._note()
        for name, layout in self.files.items():
            staging.write(name, layout.render(values, note))

    def content(self) -> Content:
        """What would be found in the files, but for the note and the date.

        From any thread.
        """
        return Content(
            {name: _undated(layout) for name, layout in self.files.items()},
            tuple(crc32c(value.raw()) for value in self.values),
        )

    def has_bfloat16(self) -> bool:
        """Whether some value is made of such numbers."""
        return any(value.dtype == "bfloat16" for value in self.values)

    def _note(self) -> bytes:
        seeds = [self.values[index].array().tolist() for index in self.seeds]
        note = notes.encode({**self.note, "seeds": seeds})
        if len(note) <= notes.room_for(len(seeds)):
            return note
        # Thousands of metrics; what goes on without them is more important.
        return notes.encode({**self.note, "seeds": seeds, "metrics": {}})


def _undated(layout: FileLayout) -> FileLayout:
    if not isinstance(layout, ZipLayout):
        return layout
    return ZipLayout(
        tuple(entry for entry in layout.entries if entry[0] != _DATED)
    )


def settle(values: list[FrozenValue], arena: Arena) -> None:
    """Has values lie in an arena that share their memory with variables.

    Strings stay where they are, and so does what has memory of its own.

    Args:
        values: The values; those that are copied are replaced.
        arena: Where to keep them from now on.
    """
    arrays = {
        index: array
        for index, value in enumerate(values)
        if value.is_shared and not (array := value.array()).dtype.hasobject
    }
    memory = arena.take(
        sum(_aligned(array.nbytes) for array in arrays.values())
    )
    start = 0
    for index, array in arrays.items():
        place = memory[start : start + array.nbytes]
        start += _aligned(array.nbytes)
        copy = place.view(array.dtype).reshape(array.shape)
        np.copyto(copy, array)
        values[index] = FrozenArray(copy)


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
