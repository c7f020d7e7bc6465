"""Which epoch is under way, over the end of a process."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class EpochUnderWay:
    """Tells an epoch that goes on from one that begins.

    A run that is resumed within an epoch begins that epoch once more; what was
    counted in it before is then to be kept.

    Attributes:
        epoch: The zero-based epoch that is under way; `None` between two.

    Example:
        >>> killed, resumed = EpochUnderWay(), EpochUnderWay()
        >>> killed.begin(4)
        False
        >>> resumed.restore(killed.epoch)
        >>> resumed.begin(4), resumed.begin(5)
        (True, False)
    """

    epoch: int | None = None
    _is_restored: bool = field(default=False, repr=False)

    def begin(self, epoch: int) -> bool:
        """Notes that an epoch begins; true if it was under way before.

        Args:
            epoch: Its zero-based index.
        """
        goes_on = self._is_restored and epoch == self.epoch
        self.epoch, self._is_restored = epoch, False
        return goes_on

    def end(self) -> None:
        """Notes that it has ended."""
        self.epoch = None

    def restore(self, epoch: int | None) -> None:
        """Takes up a run.

        Args:
            epoch: What was under way in it, if anything.
        """
        self.epoch, self._is_restored = epoch, epoch is not None
