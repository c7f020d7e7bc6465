"""What backups have cost, and what may be spent on them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

STEPS_KEPT = 256
"""The latest steps, of which a median is taken."""

_BACKUPS_KEPT = 16
_WRITES_FEARED = 4  # the slowest of so many is reckoned with
_CHANGED = 1.5  # from steps so different nothing is learnt


@dataclass
class Account:
    """Seconds that may be spent on backups.

    Attributes:
        rate: What a second of the run pays in.
        balance: What is there; below 0 after a backup that was too dear.
        paid_until: Up to when the run has paid in.
    """

    rate: float
    balance: float = 0.0
    paid_until: float = 0.0

    def open(self, now: float) -> None:
        """Begins to pay in."""
        self.paid_until = now

    def pay_in(self, now: float, most: float | None) -> None:
        """Pays in for the time until now.

        Args:
            now: What the clock says.
            most: What is kept at most; `None` for everything.
        """
        balance = self.balance + self.rate * (now - self.paid_until)
        self.balance = balance if most is None else min(balance, most)
        self.paid_until = now

    def take(self, cost: float) -> None:
        """Takes out what something has cost."""
        self.balance -= cost

    def time_of(self, cost: float | None) -> float:
        """When there will be enough for something."""
        return self.paid_until + ((cost or 0.0) - self.balance) / self.rate


@dataclass
class Backup:
    """A backup, and the steps beside which it is written.

    Attributes:
        taken_at: When its state was taken.
        stall_s: How long that held the training thread.
        before: The latest steps alone before it.
        first_s: The step right after it: there the state is copied, where
            that is left until training changes it. `None` before it.
        others: The latest steps after that one.
        count: How many there were.
        after: The steps alone after it, as far as they are looked at.
        written_s: How long the writing took; `None` until that is known.
        is_settled: Whether its cost has been entered.
    """

    taken_at: float
    stall_s: float
    before: list[float]
    first_s: float | None = None
    others: deque[float] = field(
        default_factory=lambda: deque(maxlen=STEPS_KEPT)
    )
    count: int = 0
    after: list[float] = field(default_factory=list)
    written_s: float | None = None
    is_settled: bool = False

    def add_step(self, seconds: float) -> None:
        """Adds a step beside which it was written."""
        if self.first_s is None:
            self.first_s = seconds
            return
        self.others.append(seconds)
        self.count += 1

    @property
    def is_open(self) -> bool:
        """Whether it is complete, and its cost not entered."""
        return self.written_s is not None and not self.is_settled

    @property
    def _has_changed(self) -> bool:
        """Whether the steps have become others for a reason of their own."""
        before_s, after_s = middle(self.before), middle(self.after)
        is_like = before_s / _CHANGED < after_s < before_s * _CHANGED
        return bool(self.after) and not is_like

    @property
    def lost_share(self) -> float | None:
        """The share of the writing time that the steps lost; `None` if unknown.

        It is below 0 where steps happened to be faster, so that a mean over
        many backups is right.
        """
        alone_s = middle([*self.before, *self.after])
        if not self.before or not self.written_s or self._has_changed:
            return None
        lost_s = 0.0 if self.first_s is None else self.first_s - alone_s
        if self.others:
            beside_s = median(self.others)
            # More than was written in, where the steps are few and long.
            spent_s = max(self.count * beside_s, self.written_s)
            lost_s += spent_s * (1 - alone_s / beside_s)
        return min(max(lost_s / self.written_s, -1.0), 1.0)


@dataclass
class History:
    """What the latest backups have cost."""

    stalls: deque[float] = field(
        default_factory=lambda: deque(maxlen=_BACKUPS_KEPT)
    )
    writes: deque[float] = field(
        default_factory=lambda: deque(maxlen=_BACKUPS_KEPT)
    )
    shares: deque[float] = field(
        default_factory=lambda: deque(maxlen=_BACKUPS_KEPT)
    )

    def __len__(self) -> int:
        return len(self.stalls)

    def add(
        self, stall_s: float, written_s: float, share: float | None
    ) -> None:
        """Adds a backup that is complete."""
        self.stalls.append(stall_s)
        self.writes.append(written_s)
        if share is not None:
            self.shares.append(share)

    @property
    def share(self) -> float:
        """The share of the writing time that steps lose, 0 to 1."""
        return min(max(_inner_mean(self.shares), 0.0), 1.0)

    @property
    def cost(self) -> float | None:
        """What the next backup is expected to cost; `None` if unknown."""
        if not self.stalls:
            return None
        return middle(self.stalls) + self.share * middle(self.writes)

    @property
    def slowest_s(self) -> float:
        """How long the writing may take."""
        return max(list(self.writes)[-_WRITES_FEARED:], default=0.0)


def middle(values: Collection[float]) -> float:
    """The median; 0 of nothing."""
    return median(values) if values else 0.0


def _inner_mean(values: Collection[float]) -> float:
    """The mean without the outer quarters; 0 of nothing."""
    if not values:
        return 0.0
    outer = len(values) // 4
    return fmean(sorted(values)[outer : len(values) - outer])
