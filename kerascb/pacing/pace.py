"""When a backup is due."""

from __future__ import annotations

import math
from collections import deque

from kerascb.errors import InvalidArgument
from kerascb.pacing.costs import STEPS_KEPT, Account, Backup, History, middle

_AIM = 0.9  # of the budget; the rest is for what is measured wrongly
_LIMIT = 0.9  # of the work that may be lost; for steps and writes that drag
_STEPS_CARRIED = 8  # over a backup, where few steps lie between two
_STEPS_AFTER = 16  # that are compared with those before, if there is time
_WARM_STEPS = 3  # measured ones; the very first step is none
_JUDGED_AFTER = 3  # backups, before the budget is called too small

# Of the work that may be lost: when the first backup is due, up to when the
# steps after one are awaited, and how long an interval is at most.
_FIRST, _SOON, _LATE = 1 / 6, 1 / 4, 1 / 2


class Pace:
    """Says when a backup of a run is due, at a budget.

    As long as the budget allows it, a backup is taken every `max_lost_s / 2`,
    or sooner where steps or the writing take long, so that less than
    `max_lost_s` of work is lost whenever the process is killed. Where it does
    not, the budget wins. No interval is shorter than that: what is left of
    the budget is not spent.

    What may be lost is counted from when the state was taken to when the next
    backup is complete. No step ends in a validation; where that lasts longer
    than `max_lost_s / 2`, more may be lost.

    The first backup is due after `max_lost_s / 6` and four steps, or after
    `max_lost_s / 2` and two: its cost is not known beforehand.

    Every method is to be called in the thread that trains. A step costs well
    below a microsecond.

    Args:
        overhead: The share of the run's time that backups may cost, above 0
            and at most 1.
        max_lost_s: How much work a kill may cost, in seconds (> 0).

    Raises:
        InvalidArgument: If `overhead` or `max_lost_s` is outside its range.

    Attributes:
        overhead: As given.
        max_lost_s: As given.

    Example:
        >>> pace = Pace(overhead=0.03, max_lost_s=60)
        >>> pace.begin(now=0.0)
        >>> due = [now for now in range(1, 60) if pace.step(now, False)]
        >>> due[0]  # and at every step after it, until there is a backup
        10
        >>> pace.saved(stall_s=0.2)
        >>> pace.step(60, is_writing=False)
        False
        >>> pace.written(seconds=0.5)
        >>> next(now for now in range(61, 200) if pace.step(now, False))
        89
    """

    def __init__(self, overhead: float, max_lost_s: float = 60.0) -> None:
        validate_overhead(overhead)
        if not 0 < max_lost_s < math.inf:
            raise InvalidArgument(
                "The work that may be lost must be a number of seconds above "
                f"0; got max_lost_s={max_lost_s}."
            )
        self.overhead = overhead
        self.max_lost_s = max_lost_s
        self._late = math.nan
        self._last: float | None = None
        self._due_at = -math.inf
        self._was_writing = False
        self._alone: deque[float] = deque(maxlen=STEPS_KEPT)
        self._backup: Backup | None = None
        self._history = History()
        self._account = Account(overhead * _AIM)
        self._warning: str | None = None
        self._has_warned = False

    def begin(self, now: float) -> None:
        """Tells that steps begin, or begin again after something else.

        Without it the time between two epochs counts as a part of the first
        step of the second one, which the medians bear.

        Args:
            now: What the clock says, in seconds; it never goes back.
        """
        if math.isnan(self._late):
            self._late = now + self.max_lost_s * _LATE
            self._due_at = now + self.max_lost_s * _FIRST
            self._account.open(now)
        elif self._last is not None:
            self._last = now

    def step(self, now: float, is_writing: bool) -> bool:
        """Counts a step; true if a backup is due after it.

        It stays due until `saved` is called. None is due while one is written.

        Args:
            now: What the clock says at the end of the step, in seconds.
            is_writing: Whether a backup is still being written.
        """
        last = self._last
        if last is None:  # The first step traces and compiles.
            self.begin(now)
            self._last = now
            return False
        self._last = now
        if is_writing or self._was_writing:
            return self._step_beside(now, now - last, is_writing)
        self._alone.append(now - last)
        if now < self._due_at:
            return False
        if self._backup is not None:
            self._backup.after.append(now - last)
        return self._is_known(now)

    def is_due(self, now: float, *, is_writing: bool) -> bool:
        """Whether a backup is due after something that is no step.

        That is a validation, say, or the end of an epoch; `step` is not told
        of it.

        Args:
            now: What the clock says, in seconds.
            is_writing: Whether a backup is still being written.
        """
        if self._last is None:
            return False
        self._last = now
        return not is_writing and now >= self._due_at and self._is_known(now)

    def saved(self, stall_s: float, *, is_written: bool = False) -> None:
        """Tells that a backup was taken after the latest step, or `is_due`.

        Args:
            stall_s: How long it held the training thread, in seconds.
            is_written: Whether it is complete already, written by the
                training thread within `stall_s`; else `written` tells later.
        """
        if self._last is None:
            return  # No step has been trained, whose work could be lost.
        self._settle()
        taken_at, self._last = self._last, self._last + stall_s
        self._account.pay_in(taken_at, self._history.cost)
        self._account.take(stall_s)
        self._backup = Backup(taken_at, stall_s, list(self._alone))
        self._was_writing = not is_written
        if is_written:
            self.written(0.0)
            self._settle()
        while len(self._alone) > _STEPS_CARRIED:
            self._alone.popleft()
        self._plan()

    def written(self, seconds: float) -> None:
        """Tells that the backup taken last is complete.

        To be called before or after the `step` that ended next; where a
        backup came to nothing, not at all.

        Args:
            seconds: How long the writing took beside the training.
        """
        if self._backup is not None:
            self._backup.written_s = seconds
            self._due_at = -math.inf  # so that the next steps are looked at

    def pop_warning(self) -> str | None:
        """A sentence for the user, once: the budget is too small.

        That is, a kill may cost more than `max_lost_s`.
        """
        warning, self._warning = self._warning, None
        return warning

    def _step_beside(
        self, now: float, seconds: float, is_writing: bool
    ) -> bool:
        """Counts a step beside which a backup was written, or part of it."""
        if self._backup is not None:
            self._backup.add_step(seconds)
        self._was_writing = is_writing
        return not is_writing and now >= self._due_at and self._is_known(now)

    def _settle(self) -> None:
        """Enters what the latest backup has cost, once that is known."""
        backup = self._backup
        if backup is None or not backup.is_open:
            return
        backup.is_settled = True
        written_s = backup.written_s or 0.0
        self._history.add(backup.stall_s, written_s, backup.lost_share)
        self._account.take(self._history.share * written_s)
        self._plan()

    def _is_known(self, now: float) -> bool:
        """Looks closer, where a backup may be due or its cost be known."""
        backup = self._backup
        if backup is None:
            return len(self._alone) >= (_WARM_STEPS if now < self._late else 1)
        if backup.is_open:
            age = (now - backup.taken_at) / self.max_lost_s
            wanted = _STEPS_AFTER if age < _SOON else 1 if age < _LATE else 0
            if len(backup.after) < wanted:
                return False
            self._settle()
        return now >= self._due_at

    def _plan(self) -> None:
        """Finds out when the next backup is due."""
        if self._backup is None:
            return
        history, taken_at = self._history, self._backup.taken_at
        paid_at = self._account.time_of(history.cost)
        # A backup is taken at the end of a step, and is of use when written.
        behind_s = history.slowest_s + middle(self._alone)
        wanted_s = min(
            self.max_lost_s * _LATE, self.max_lost_s * _LIMIT - behind_s
        )
        self._due_at = max(paid_at, taken_at + wanted_s)
        if len(history) >= _JUDGED_AFTER and not self._has_warned:
            self._judge(behind_s)

    def _judge(self, behind_s: float) -> None:
        """Warns if the budget is too small for what backups cost as a rule."""
        interval_s = (self._history.cost or 0.0) / self._account.rate
        lost_s = interval_s + behind_s
        if lost_s <= self.max_lost_s or interval_s <= self.max_lost_s / 2:
            return
        self._has_warned = True
        self._warning = (
            f"a backup costs {self._history.cost:.2g} s, and with "
            f"overhead={self.overhead:g} of the run's time the next one waits "
            f"so long that a kill may lose {lost_s:.0f} s of work, not "
            f"{self.max_lost_s:g} s at most. Pass a larger overhead to lose "
            "less."
        )


def validate_overhead(overhead: object) -> None:
    """Refuses a share of the run's time that is none.

    Args:
        overhead: What the user gave.

    Raises:
        InvalidArgument: If it is no number above 0 and at most 1.
    """
    is_number = isinstance(overhead, (int, float)) and overhead is not True
    if not is_number or not 0 < overhead <= 1:  # type: ignore[operator]
        raise InvalidArgument(
            "`overhead` is the share of the run's time that backups may cost, "
            f"above 0 and at most 1, such as 0.03; got overhead={overhead!r}."
        )
