"""Finds out whether the batch hooks take longer than the batches."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from kerascb.callbacks._hook_times import HookTimes

if TYPE_CHECKING:
    from collections.abc import Callable

_BATCHES = 5
"""How many batches are measured before it is decided, as in Keras 2."""

_MOST_CALLS = 4 * _BATCHES
"""How often a hook is timed at most, where batches cannot be measured."""


class HookTimer:
    """Measures the first batches of a fit, and says once what is slow.

    Args:
        warn: Takes the text of a warning.

    Attributes:
        is_done: Enough was measured; nothing is timed any more.
        times: What each callback takes of a hook; whoever calls them fills it.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn
        self._batch_begun_s: float | None = None
        self._batch_times_s: list[float] = []
        self._hook_times_s: dict[str, list[float]] = defaultdict(list)
        self.is_done = False
        self.times = HookTimes()

    def call(self, hook: str, batch: int, dispatch: Callable[[], Any]) -> None:
        """Dispatches a hook and takes the time.

        Args:
            hook: Its name, `on_train_batch_end` say.
            batch: Zero-based index of the batch; the first is not counted,
                it carries the tracing.
            dispatch: Does the work.
        """
        is_end = hook.endswith("_end")
        start_s = time.perf_counter()
        if is_end and batch >= 1 and self._batch_begun_s is not None:
            self._batch_times_s.append(start_s - self._batch_begun_s)
        dispatch()
        now_s = time.perf_counter()
        times_s = self._hook_times_s[hook]
        times_s.append(now_s - start_s)
        if not is_end:
            self._batch_begun_s = now_s
        elif len(self._batch_times_s) >= _BATCHES:
            self._conclude()
        elif len(times_s) >= _MOST_CALLS:
            self.is_done = True

    def _conclude(self) -> None:
        self.is_done = True
        batch_s = _mean(self._batch_times_s)
        for hook, times_s in self._hook_times_s.items():
            hook_s = _mean(times_s)
            if hook_s > batch_s:
                self._warn(
                    f"Callback method `{hook}` is slow compared to the batch "
                    f"time (batch time: {batch_s:.4f}s vs `{hook}` time: "
                    f"{hook_s:.4f}s). Check your callbacks."
                    f"{self._culprit(hook)}"
                )

    def _culprit(self, hook: str) -> str:
        slowest = self.times.slowest(hook)
        if slowest is None:
            return ""
        name, share = slowest
        return f" `{name}` takes {share:.0%} of that."


def _mean(times_s: list[float]) -> float:
    return sum(times_s) / len(times_s)
