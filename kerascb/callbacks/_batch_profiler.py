"""Profiling some batches of a fit."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from kerascb.runtime import Profiler

_LOG = logging.getLogger(__name__)


class BatchProfiler:
    """Profiles a range of batches, once a fit.

    Guarantees:
        - Whatever the profiler raises is logged and does not end the fit.
        - It stops only what it started.
        - A fit that ends within the range ends the profile.

    Args:
        first: The first batch to profile, counted from 1 at the start of the
            fit. With `steps_per_execution` the first execution that begins
            there or later.
        last: The last one; 0 for profiling nothing.
    """

    def __init__(self, first: int, last: int) -> None:
        self._first = first
        self._last = last
        self._profiler: Profiler | None = None
        self._profile_dir = ""
        self._graph_dir = ""
        self._is_profiling = False
        self._is_over = False
        self._mark: AbstractContextManager[Any] | None = None

    def begin_fit(
        self, profiler: Profiler, profile_dir: str, graph_dir: str
    ) -> None:
        """Makes ready for a fit.

        Args:
            profiler: The engine's.
            profile_dir: Where profiles go.
            graph_dir: Where the graphs of the profiled batches go.
        """
        self.end_fit()
        self._profiler = profiler
        self._profile_dir = profile_dir
        self._graph_dir = graph_dir
        self._is_over = False
        _attempt("start", profiler.warm_up)

    @property
    def is_over(self) -> bool:
        """Whether the batches of this fit have been profiled."""
        return self._is_over

    def pass_over(self) -> None:
        """Profiles nothing in this fit; the run that it resumes has."""
        self._is_over = True

    def begin_batch(self, number: int) -> None:
        """Starts when the range begins.

        Args:
            number: The batch, counted from 1 at the start of the fit.
        """
        profiler = self._profiler
        if profiler is None or self._is_over:
            return
        if not self._is_profiling and number >= self._first:
            _attempt("start", profiler.start_graph)
            self._is_profiling = _attempt(
                "start", lambda: profiler.start(self._profile_dir)
            )
            self._is_over = not self._is_profiling
        if self._is_profiling:
            _attempt("mark a batch in", lambda: self._enter(profiler, number))

    def end_batch(self, number: int) -> None:
        """Stops when the range ends.

        Args:
            number: The batch, counted from 1 at the start of the fit.
        """
        if self._is_profiling:
            _attempt("mark a batch in", self._leave)
            if number >= self._last:
                self._stop()

    def end_fit(self) -> None:
        """Stops what is still running, of a fit that failed too."""
        if self._is_profiling:
            _attempt("mark a batch in", self._leave)
            self._stop()
        self._profiler = None

    def _stop(self) -> None:
        profiler = self._profiler
        self._is_profiling = False
        self._is_over = True
        if profiler is not None:
            name = f"batch_{self._last}"
            _attempt(
                "stop",
                lambda: profiler.stop_graph(self._graph_dir, name, self._last),
            )
            _attempt("stop", profiler.stop)

    def _enter(self, profiler: Profiler, number: int) -> None:
        self._mark = profiler.annotate(number)
        self._mark.__enter__()

    def _leave(self) -> None:
        mark, self._mark = self._mark, None
        if mark is not None:
            mark.__exit__(None, None, None)

    def __getstate__(self) -> dict[str, Any]:
        # A profile belongs to this process.
        return {
            **self.__dict__,
            "_profiler": None,
            "_is_profiling": False,
            "_mark": None,
        }


def _attempt(action: str, call: Callable[[], object]) -> bool:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - profilers fail in many ways
        _LOG.error("Failed to %s profiler: %s", action, error)
        return False
    return True
