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
      waits for it at exit, so that nothing submitted is lost.

    Args:
        name: Of the thread, for debuggers.
        max_waiting: Jobs that may wait (≥ 1). Each holds what it will write.

    Example:
        >>> writer = BackgroundWriter("example")
        >>> done = []
        >>> writer.submit(lambda: done.append(1))
        >>> writer.join()
        >>> done
        [1]
    """

    def __init__(self, name: str, max_waiting: int = 1) -> None:
        self._name = name
        self._max_waiting = max_waiting
        self._condition = threading.Condition()
        self._waiting: deque[Job] = deque()
        self._is_running = False
        self._failures: list[BaseException] = []

    def submit(
        self, job: Job, on_full: Callable[[], None] | None = None
    ) -> None:
        """Has a job run as soon as those before it are done.

        Args:
            job: What to do.
            on_full: Called before waiting, if there is no room.
        """
        with self._condition:
            if self._is_full() and on_full is not None:
                on_full()
            self._condition.wait_for(lambda: not self._is_full())
            self._waiting.append(job)
            if self._is_running:
                return
            self._is_running = True
        try:
            threading.Thread(target=self._run, name=self._name).start()
        except RuntimeError:  # none can be started while Python shuts down
            self._work_off()

    def join(self) -> None:
        """Returns when everything submitted is done."""
        with self._condition:
            self._condition.wait_for(lambda: not self._is_running)

    def failures(self) -> list[BaseException]:
        """The errors that were not handed out yet, the oldest first."""
        with self._condition:
            failures, self._failures = self._failures, []
            return failures

    def _is_full(self) -> bool:
        return len(self._waiting) >= self._max_waiting

    def _run(self) -> None:
        _give_way()
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
        with self._condition:
            job = self._waiting.popleft() if self._waiting else None
            self._is_running = job is not None
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
