"""What a callback asks of the store that writes its checkpoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kerascb.checkpoint.catalog.manifest import home_of
from kerascb.paths import anchored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kerascb.runtime import Format


@dataclass(frozen=True)
class Policy:
    """How checkpoints are written.

    Attributes:
        background: Write in a thread of its own while training goes on.
        raises: Raise what goes wrong; else it is warned of.
        retries: How often to try again what failed (≥ 0).
        verify: Read back what was written before it becomes visible.
        max_to_keep: How many of the newest stay; `None` for all.
        keep_best: How many of the best stay besides; `None` for none.
        recognises: Sum up what is written, so that
            `CheckpointStore.is_written` can tell whether the model still is
            that.
    """

    background: bool = False
    raises: bool = True
    retries: int = 0
    verify: bool = False
    max_to_keep: int | None = None
    keep_best: int | None = None
    recognises: bool = False

    @property
    def needs_manifest(self) -> bool:
        """Whether it has to be noted what was written."""
        return (
            self.verify
            or self.max_to_keep is not None
            or self.keep_best is not None
        )


@dataclass(frozen=True)
class Request:
    """One checkpoint to write.

    Attributes:
        path: Where to, as the user is told of it.
        form: What to write there.
        options: What TensorFlow takes as options of a save, or `None`.
        note: What to remember of it; see `kerascb.checkpoint.notes`.
        template: What the path was made of, for the manifest; `None` for what
            is to be found in none.
        is_chief: Whether this is the worker that writes what all share. The
            others leave it what a manifest lists.
        when_done: Called with `place` when nothing more is done there, in the
            thread that wrote it.
        place: The path, wherever the process goes before it is written.
        home: The folder of the manifest, likewise.
    """

    path: str
    form: Format
    options: Any = None
    note: Mapping[str, Any] = field(default_factory=dict)
    template: str | None = None
    is_chief: bool = True
    when_done: Callable[[str], None] = lambda place: None
    place: str = field(init=False)
    home: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", anchored(self.path))
        home = anchored(home_of(self.template)) if self.template else ""
        object.__setattr__(self, "home", home)
