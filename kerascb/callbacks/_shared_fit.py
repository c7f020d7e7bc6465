"""What those know together who back up one fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kerascb.runtime import Position

if TYPE_CHECKING:
    from kerascb.runtime import DataPosition


@dataclass
class SharedFit:
    """A fit that is backed up, maybe to several folders.

    It goes on from one of them, the leader: from the first that is as far as
    any. The others only back up.

    Attributes:
        data: The position in its data.
        leader: The folder of whose backup the others have to know.
        found: What the backup of the leader says; `None` if it has none.
        start: Where the fit begins.

    Example:
        >>> from kerascb.runtime import DataPosition
        >>> fit = SharedFit(DataPosition())
        >>> fit.offer("seldom", Position(3)), fit.offer("often", Position(3, 9))
        (True, True)
        >>> fit.offer("older", Position(2)), fit.offer("empty", None)
        (False, False)
        >>> fit.leader
        'often'
    """

    data: DataPosition
    leader: str | None = None
    found: Position | None = None
    start: Position = field(default_factory=lambda: Position(0))

    def offer(self, folder: str, found: Position | None) -> bool:
        """Makes a folder the leader, if it is farther than the one there is.

        Args:
            folder: The folder.
            found: What its backup says; `None` if it has none.

        Returns:
            Whether it is the leader.
        """
        is_behind = self.found is not None and (
            found is None or found <= self.found
        )
        if self.leader is None or not is_behind:
            self.leader, self.found = folder, found
        return self.leader == folder
