"""Events that are written while training goes on."""

from __future__ import annotations

import functools
import itertools
import logging
import time
import weakref
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from kerascb import paths
from kerascb.events.writer import Point

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kerascb.events.runs import Runs

    Job = Callable[[], None]
    Action = Callable[[Runs], None]
    Read = Callable[[], Sequence[Any]]

_LOG = logging.getLogger(__name__)

_POINTS_AT_ONCE = 256
"""Points handed over together: a thread is woken seldom, and little is held."""

_PATIENCE_S = 5.0
"""How long a point may wait for others, in seconds."""

_JOBS_WAITING = 64
"""Bounds what a slow disk makes the process hold; then training waits."""


class Worker(Protocol):
    """A thread that runs one job after the other."""

    def submit(self, job: Job) -> None:
        """Has a job run after those before it; waits until there is room."""

    def join(self, timeout_s: float | None = None) -> bool:
        """Returns when everything submitted is done."""


class Journal:
    """Takes down events in the training thread, and writes them in another.

    Guarantees:
        - A point costs the training thread an append; its values are awaited
          by the thread that writes.
        - Events of a run stand in its file in the order in which they came,
          but for what is `prepare`d.
        - After `flush` everything written before is in the file system, if
          that is a local one; what was still waiting is written then and
          there, sooner than another thread could be woken. A remote file
          system is never waited for, except by `settle` and `close`.
        - No more than a few thousand points wait; who comes then waits too.
        - What fails in the background is raised by the next call, the oldest
          failure first; by `close` at the latest.
        - Nothing is lost when the journal is collected or Python ends.

    Copies and pickles begin with nothing waiting.

    Args:
        runs: The runs of the log directory.
        new_worker: Makes a thread out of a name and of how many jobs may wait
            for it.
        clock: Tells the time in seconds since 1970; tests give their own.

    Attributes:
        runs: As given.
        times_asked: Rises with everything that is to be written.
    """

    def __init__(
        self,
        runs: Runs,
        new_worker: Callable[[str, int], Worker],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.runs = runs
        self.times_asked = 0
        self._new_worker = new_worker
        self._clock = clock
        self._flushed_at = 0
        self._desk = desk = _Desk(
            runs,
            new_worker("kerascb events", _JOBS_WAITING),
            new_worker("kerascb event contents", 1),
        )
        weakref.finalize(self, _finish, desk)

    def point(
        self, run: str, step: int, tags: Sequence[str], read: Read
    ) -> None:
        """Adds a point to each of some curves, soon.

        Args:
            run: The run.
            step: Where (≥ 0).
            tags: The curves.
            read: Returns a value for each, from which NumPy can make an array;
                those that are no single numbers are left out. Called in the
                thread that writes, and may wait.
        """
        desk = self._desk
        if desk.failures:
            self._raise_failure()
        now_s = self._clock()
        waiting = desk.waiting
        if not waiting:
            desk.waiting_since_s = now_s
        waiting.append(_Unread(run, now_s, step, tags, read))
        if (
            len(waiting) >= _POINTS_AT_ONCE
            or now_s - desk.waiting_since_s >= _PATIENCE_S
        ):
            desk.hand_over()
        self.times_asked += 1

    def write(self, action: Action) -> None:
        """Writes after everything that came before.

        Args:
            action: Writes to runs.
        """
        self._raise_failure()
        self.times_asked += 1
        self._desk.waiting.append(action)

    def prepare(self, action: Action) -> None:
        """Works out what takes long and writes it, beside what comes next.

        Args:
            action: Writes to runs. It is flushed then.
        """
        self._raise_failure()
        self.times_asked += 1
        self._desk.prepare(action)

    def flush(self) -> None:
        """Brings what is written to the file system, see the guarantees."""
        if self._flushed_at == self.times_asked:
            self._raise_failure()
            return
        self._flushed_at = self.times_asked
        if paths.is_remote(self.runs.root):
            self._desk.flush_later()
        else:
            self._desk.flush()
        self._raise_failure()

    def settle(self) -> None:
        """Returns when everything is in the file system, wherever it is."""
        self.flush()
        self._desk.join()
        self._raise_failure()

    def close(self) -> None:
        """Settles, and closes the files; raises when they are closed."""
        self._desk.close()
        self._flushed_at = self.times_asked
        self._raise_failure()

    def abandon(self) -> None:
        """Closes; what went wrong is logged, since nobody waits for it."""
        _finish(self._desk)

    def discard(self) -> None:
        """Takes back what was written since the files were opened."""
        self._desk.waiting.clear()
        self._desk.join()
        self.runs.discard()

    def _raise_failure(self) -> None:
        failures = self._desk.failures
        if failures:
            oldest = failures.popleft()
            _log(failures)
            raise oldest

    def __reduce__(self) -> tuple[Any, ...]:
        return Journal, (self.runs, self._new_worker)


class _Unread(NamedTuple):
    run: str
    wall_s: float
    step: int
    tags: Sequence[str]
    read: Read

    def value(self) -> Point:
        pairs = zip(self.tags, map(_as_number, self.read()), strict=True)
        values = {tag: value for tag, value in pairs if value is not None}
        return Point(self.wall_s, self.step, values)


@dataclass
class _Desk:
    """What the threads of a journal share; it does not keep the journal."""

    runs: Runs
    writer: Worker
    preparer: Worker
    waiting: list[_Unread | Action] = field(default_factory=list)
    waiting_since_s: float = 0.0
    failures: deque[BaseException] = field(default_factory=deque)
    flushes_asked: int = 0

    def hand_over(self) -> None:
        """Has the writer write what waits."""
        entries = self._take()
        if entries:
            self.writer.submit(lambda: self._write(entries))

    def flush(self) -> None:
        """Writes and flushes all that waits, here."""
        self.writer.join()
        self._write([*self._take(), _flush])

    def flush_later(self) -> None:
        """Has all flushed; of several that wait, the last one does it."""
        self.flushes_asked = number = self.flushes_asked + 1

        def flush(runs: Runs) -> None:
            if number == self.flushes_asked:
                runs.flush()

        self.waiting.append(flush)
        self.hand_over()

    def prepare(self, action: Action) -> None:
        """Has the preparer do something."""
        self.runs.anchor()
        self.preparer.submit(lambda: self._write([action, _flush]))

    def join(self) -> None:
        """Waits for both threads."""
        self.preparer.join()
        self.writer.join()

    def close(self) -> None:
        """Writes all that waits, wherever it goes, and closes the files."""
        self.join()
        self._write([*self._take(), _close])

    def _take(self) -> list[_Unread | Action]:
        self.runs.anchor()
        entries = self.waiting.copy()
        self.waiting.clear()
        return entries

    def _write(self, entries: Iterable[_Unread | Action]) -> None:
        for are_points, group in itertools.groupby(entries, _is_point):
            if are_points:
                points: Any = list(group)
                self._attempt(functools.partial(_write_points, points=points))
            else:
                actions: Any = group
                for action in actions:
                    self._attempt(action)

    def _attempt(self, action: Action) -> None:
        try:
            action(self.runs)
        except Exception as failure:  # noqa: BLE001 - raised by the next call
            self.failures.append(failure)


def _is_point(entry: object) -> bool:
    return isinstance(entry, _Unread)


def _flush(runs: Runs) -> None:
    runs.flush()


def _close(runs: Runs) -> None:
    runs.close()


def _write_points(runs: Runs, points: Iterable[_Unread]) -> None:
    for run, group in itertools.groupby(points, lambda point: point.run):
        read = [point.value() for point in group]
        with_values = [point for point in read if point.values]
        if with_values:
            runs[run].points(with_values)


def _as_number(value: Any) -> float | None:
    if isinstance(value, float):
        return value
    try:
        return float(np.asarray(value).item())
    except (TypeError, ValueError):  # not a single one, or none at all
        return None


def _finish(desk: _Desk) -> None:
    desk.close()
    _log(desk.failures)


def _log(failures: deque[BaseException]) -> None:
    """Names failures that nobody waits for any more."""
    while failures:
        _LOG.error("Events could not be written.", exc_info=failures.popleft())
