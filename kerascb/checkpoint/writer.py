"""Saving while training goes on: one thread that writes, in order."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Job = Callable[[], None]

_NICENESS = 5
"""How much the thread gives way to the training; 19 would be last of all."""


class BackgroundWriter:
    """Runs jobs one after the other, in a thread of its own.

    Guarantees:

    - Jobs run in the order they were submitted, never two at once.
    - At most `max_waiting` jobs wait behind the one that runs; `submit` waits
      until there is room.
    - The error of a job is kept for `failures`; later jobs run all the
      same.
    - The thread lives while there is work and ends by itself. The interpreter
      waits for it at exit, so that nothing submitted is lost; unless it was
      told not to, by `abandon`.
    - Whoever waits sees to it that somebody works: a Ctrl-C in `submit`, which
      may come before the thread has begun, keeps nobody waiting for ever.

    Args:
        name: Of the thread, for debuggers.
        max_waiting: Jobs that may wait (≥ 1). Each holds what it will write.

    Example:
        >>> writer = BackgroundWriter("example")
        >>> done = []
        >>> writer.submit(lambda: done.append(1))
        >>> writer.join()
        True
        >>> done
        [1]
    """

    def __init__(self, name: str, max_waiting: int = 1) -> None:
        self._name = name
        self._max_waiting = max_waiting
        self._condition = threading.Condition()
        self._waiting: deque[Job] = deque()
        # Python waits at exit for threads that are no daemons, and a thread
        # cannot become one later. So a daemon works, and another thread, which
        # can be let go of at any time, stands waiting for it.
        self._worker: threading.Thread | None = None
        self._guardian: threading.Thread | None = None
        self._failures: list[BaseException] = []

    def wait_for_room(self, on_full: Callable[[], None]) -> None:
        """Returns when a job may be submitted without waiting.

        Args:
            on_full: Called before waiting, if there is no room.
        """
        with self._condition:
            if self._is_full():
                on_full()
        self._wait_until(lambda: not self._is_full())

    def submit(self, job: Job) -> None:
        """Has a job run as soon as those before it are done.

        Args:
            job: What to do.
        """
        with self._condition:
            self._wait_until(lambda: not self._is_full())
            self._waiting.append(job)
            self._have_a_worker()

    @property
    def is_busy(self) -> bool:
        """Whether something submitted is not done yet."""
        return bool(self._waiting) or self._has_worker()

    def join(self, timeout_s: float | None = None) -> bool:
        """Returns when everything submitted is done.

        Args:
            timeout_s: How long to wait at most, in seconds.

        Returns:
            Whether it is.
        """
        return self._wait_until(lambda: not self.is_busy, timeout_s)

    def abandon(self) -> None:
        """Has the interpreter not wait at exit for what is not done.

        As long as the process lives, the work goes on. What is submitted
        meanwhile is not waited for either.
        """
        with self._condition:
            self._guardian = None
            self._condition.notify_all()

    def failures(self) -> list[BaseException]:
        """The errors that were not handed out yet, the oldest first."""
        with self._condition:
            failures, self._failures = self._failures, []
            return failures

    def _is_full(self) -> bool:
        return len(self._waiting) >= self._max_waiting

    def _wait_until(
        self, is_so: Callable[[], bool], timeout_s: float | None = None
    ) -> bool:
        with self._condition:
            self._have_a_worker()
            return self._condition.wait_for(is_so, timeout_s)

    def _have_a_worker(self) -> None:
        """Sees to it that somebody runs what waits; wants the lock."""
        if not self._waiting or self._has_worker():
            return
        self._guardian = threading.Thread(target=self._guard, name=self._name)
        try:
            self._guardian.start()
        except RuntimeError:  # none can be started while Python shuts down
            self._work_here()

    def _has_worker(self) -> bool:
        """Whether another thread runs jobs: no flag that could be wrong."""
        threads = (self._guardian, self._worker)
        return threading.current_thread() not in threads and any(
            thread is not None and thread.is_alive() for thread in threads
        )

    def _guard(self) -> None:
        """Waits for a worker, in a thread that the interpreter waits for."""
        guardian = threading.current_thread()
        with self._condition:
            if self._guardian is not guardian:  # it was replaced
                return
            worker = self._worker = threading.Thread(
                target=self._run, name=self._name, daemon=True
            )
        try:
            worker.start()
        except RuntimeError:
            self._work_here()
        with self._condition:
            self._condition.wait_for(lambda: self._guardian is not guardian)

    def _run(self) -> None:
        _give_way()
        self._work_off()

    def _work_here(self) -> None:
        self._worker = threading.current_thread()
        self._work_off()

    def _work_off(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except BaseException as error:  # noqa: BLE001 - handed out later
                with self._condition:
                    self._failures.append(error)
            # What the job held is let go of before the next one is waited for.
            del job

    def _next(self) -> Job | None:
        """A job for the worker; a thread that was replaced gets none."""
        with self._condition:
            if self._worker is not threading.current_thread():
                return None
            job = self._waiting.popleft() if self._waiting else None
            if job is None:
                self._worker = self._guardian = None
            self._condition.notify_all()
            return job


def _give_way() -> None:
    """Lets the training go first where cores are scarce.

    Linux keeps a niceness for each thread; elsewhere it is the process's.
    """
    if hasattr(os, "setpriority") and os.uname().sysname == "Linux":
        this_thread = threading.get_native_id()
        with contextlib.suppress(OSError):
            niceness = os.getpriority(os.PRIO_PROCESS, this_thread)
            os.setpriority(
                os.PRIO_PROCESS, this_thread, min(niceness + _NICENESS, 19)
            )
