"""How long the hooks of callbacks take."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kerascb.callbacks._listeners import name_of, whom_it_acts_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SLOW_SHARE = 0.1
"""Who takes more of a fit than this is told of."""


@dataclass
class CallbackTimes:
    """What one callback has taken.

    Attributes:
        name: What it is called in tables and warnings.
        seconds: Hook → how long its calls have taken together.
        calls: Hook → how often it was called.
    """

    name: str
    seconds: dict[str, float] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def total_s(self) -> float:
        """Seconds of all hooks."""
        return sum(self.seconds.values())

    @property
    def slowest_hook(self) -> str:
        """The hook that took the most, all its calls together."""
        return max(self.seconds, key=self.seconds.__getitem__)


class HookTimes:
    """Adds up how long hooks take, callback by callback."""

    def __init__(self) -> None:
        # With the callback, whose identity would be given away otherwise.
        self._by_callback: dict[int, tuple[Any, CallbackTimes]] = {}

    def timed(
        self, callback: Any, hook: str, method: Callable[..., Any]
    ) -> Callable[..., Any]:
        """A function that calls a hook and adds what that takes.

        Args:
            callback: Whose hook it is.
            hook: Its name.
            method: The hook itself.
        """

        def call(*args: Any) -> None:
            with self.timing(callback, hook):
                method(*args)

        return call

    @contextmanager
    def timing(self, callback: Any, hook: str) -> Iterator[None]:
        """Adds what the block takes.

        Args:
            callback: Whose hook is called in it.
            hook: Its name.
        """
        times = self._of(whom_it_acts_for(callback))
        start_s = time.perf_counter()
        try:
            yield
        finally:
            taken_s = time.perf_counter() - start_s
            times.seconds[hook] = times.seconds.get(hook, 0.0) + taken_s
            times.calls[hook] += 1

    def slowest(self, hook: str) -> tuple[str, float] | None:
        """Who takes the most of a hook.

        Args:
            hook: Its name.

        Returns:
            The name, and the share of the hook's time, 0 to 1; `None` if it
            was never called.
        """
        of_hook = {
            times.name: times.seconds[hook]
            for times in self.all()
            if hook in times.seconds
        }
        total_s = sum(of_hook.values())
        if not total_s:
            return None
        name = max(of_hook, key=of_hook.__getitem__)
        return name, of_hook[name] / total_s

    def all(self) -> list[CallbackTimes]:
        """Of every callback that was called, the slowest first."""
        called = [
            times for _, times in self._by_callback.values() if times.calls
        ]
        return sorted(called, key=lambda times: -times.total_s)

    def _of(self, callback: Any) -> CallbackTimes:
        if id(callback) not in self._by_callback:
            name = name_of(callback)
            taken = [times.name for _, times in self._by_callback.values()]
            again = sum(one.partition(" ")[0] == name for one in taken)
            times = CallbackTimes(f"{name} ({again + 1})" if again else name)
            self._by_callback[id(callback)] = callback, times
        return self._by_callback[id(callback)][1]


def table(times: list[CallbackTimes], total_s: float, what: str) -> str:
    """What callbacks have taken, a line each.

    Args:
        times: Of each, in the order in which they are shown.
        total_s: Seconds that the whole has taken.
        what: What the whole is, `"fit"` say.
    """
    taken_s = sum(one.total_s for one in times)
    width = max(len("callback"), *(len(one.name) for one in times), 0)
    lines = [
        f"The callbacks took {taken_s:.3f} s of the {what}'s {total_s:.3f} s "
        f"({_share(taken_s, total_s):.1%}).",
        f"{'callback':<{width}}{'seconds':>10}{'share':>8}{'calls':>9}"
        "  slowest hook",
    ]
    lines += [
        f"{one.name:<{width}}{one.total_s:>10.3f}"
        f"{_share(one.total_s, total_s):>8.1%}{sum(one.calls.values()):>9}"
        f"  {one.slowest_hook} ({one.seconds[one.slowest_hook]:.3f} s)"
        for one in times
    ]
    return "\n".join(lines)


def slow_ones(
    times: list[CallbackTimes], total_s: float, what: str
) -> list[str]:
    """A warning for each callback that took too large a share.

    Args:
        times: Of each.
        total_s: Seconds that the whole has taken.
        what: What the whole is.
    """
    return [
        f"Callback `{one.name}` is slow compared to the {what}: it took "
        f"{_share(one.total_s, total_s):.0%} of it ({one.total_s:.4f}s of "
        f"{total_s:.4f}s), most of that in `{one.slowest_hook}`. Check your "
        "callbacks."
        for one in times
        if _share(one.total_s, total_s) > _SLOW_SHARE
    ]


def _share(part_s: float, total_s: float) -> float:
    return part_s / total_s if total_s else 0.0
