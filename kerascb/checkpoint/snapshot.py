"""The state of a model at one step, frozen, with the files it becomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kerascb.layouts import notes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kerascb.checkpoint.commit import Staging
    from kerascb.layouts.plan import FileLayout
    from kerascb.runtime import Format, FrozenValue, Runtime


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
    values: Sequence[FrozenValue]
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

    def write(self, staging: Staging) -> None:
        """Writes all files; from any thread, and again if it has to be.

        Args:
            staging: Where to.
        """
        values = [value.raw() for value in self.values]
        note = self._note()
        for name, layout in self.files.items():
            staging.write(name, layout.render(values, note))

    def _note(self) -> bytes:
        seeds = [self.values[index].array().tolist() for index in self.seeds]
        note = notes.encode({**self.note, "seeds": seeds})
        if len(note) <= notes.room_for(len(seeds)):
            return note
        # Thousands of metrics; what goes on without them is more important.
        return notes.encode({**self.note, "seeds": seeds, "metrics": {}})
