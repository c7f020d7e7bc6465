"""A folder of Orbax checkpoints, and under which steps a run saves there."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kerascb.errors import MissingDependency
from kerascb.paths import is_remote

if TYPE_CHECKING:
    from collections.abc import Mapping


def orbax() -> Any:
    """Orbax itself.

    Raises:
        MissingDependency: If it is not installed.
    """
    try:
        return importlib.import_module("orbax.checkpoint")
    except ImportError as error:
        raise MissingDependency(
            "OrbaxCheckpoint", "orbax-checkpoint", "orbax"
        ) from error


def open_folder(directory: str, keep: int | None) -> Any:
    """Orbax's `Checkpointer` for a folder, which is made if missing.

    Args:
        directory: The path; Orbax itself refuses relative ones.
        keep: How many of the newest checkpoints stay; `None` for all.
    """
    training = orbax().v1.training
    if not is_remote(directory):
        directory = os.path.abspath(directory)
    return training.Checkpointer(
        directory=directory,
        save_decision_policy=(
            training.save_decision_policies.FixedIntervalPolicy(1)
        ),
        preservation_policy=(
            None
            if keep is None
            else training.preservation_policies.LatestN(keep)
        ),
    )


@dataclass
class OrbaxSteps:
    """Numbers the checkpoints of a run; Orbax saves none below the newest.

    A run that comes below the newest step of another run is counted on from
    there. One that is resumed keeps its numbers: what it had saved before it
    was killed lies ahead of it.

    Attributes:
        saved: The number that was given last; `None` before.
        has_moved: Whether that was counted on from another run's.

    Example:
        >>> steps = OrbaxSteps()
        >>> steps.number(0, newest=None), steps.number(0, newest=7)
        (0, 8)
        >>> steps.number(1, newest=8)
        9
        >>> resumed = OrbaxSteps()
        >>> resumed.resume(steps.state(), newest=11)
        True
        >>> [resumed.is_passed(step) for step in (2, 3)]
        [True, False]
        >>> resumed.number(3, newest=11)
        11
    """

    saved: int | None = None
    has_moved: bool = False
    _offset: int = 0
    _ahead: int | None = None

    def is_passed(self, step: int) -> bool:
        """Whether a later step was saved before the run was killed.

        Args:
            step: The step as the run counts.
        """
        return self._ahead is not None and step + self._offset < self._ahead

    def number(self, step: int, newest: int | None) -> int:
        """The step to save under; `newest` itself is to be replaced.

        Args:
            step: The step as the run counts.
            newest: The newest step of the folder, if it has one.
        """
        ahead, self._ahead = self._ahead, None
        number = step + self._offset
        self.has_moved = (
            newest is not None and number <= newest and number != ahead
        )
        if newest is not None and self.has_moved:
            number = newest + 1
            self._offset = number - step
        self.saved = number
        return number

    def state(self) -> dict[str, Any]:
        """What `resume` needs to go on."""
        return {"saved": self.saved, "offset": self._offset}

    def resume(self, state: Mapping[str, Any], newest: int | None) -> bool:
        """Goes on with the numbers of a run.

        Args:
            state: What `state` has answered.
            newest: The newest step of the folder now.

        Returns:
            Whether the folder has what that run had saved last.
        """
        self.saved = state.get("saved")
        self._offset = state.get("offset", 0)
        self._ahead = newest
        return self.saved is None or (
            newest is not None and newest >= self.saved
        )
