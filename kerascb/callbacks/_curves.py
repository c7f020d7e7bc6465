"""From logs to the tags and values of TensorBoard's curves."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kerascb.runtime import LazyLogs

if TYPE_CHECKING:
    from collections.abc import Callable

    from kerascb.events import Runs

_TICK_S = 1e-9


def numbers(
    logs: Mapping[str, Any] | None, scalar: Callable[[Any], float]
) -> dict[str, float]:
    """The logs that are single numbers; there are no curves of others.

    Args:
        logs: Metric name to value.
        scalar: Makes a float of a value, or raises.
    """
    found = {}
    for name, value in (logs or {}).items():
        try:
            found[name] = scalar(value)
        except (TypeError, ValueError):  # noqa: PERF203 - a few a step
            continue
    return found


def by_run(
    values: Mapping[str, float],
) -> tuple[dict[str, float], dict[str, float]]:
    """Splits an epoch's logs into those of training and of validation.

    Example:
        >>> by_run({"loss": 0.5, "val_loss": 0.75})
        ({'loss': 0.5}, {'loss': 0.75})
    """
    training: dict[str, float] = {}
    validation: dict[str, float] = {}
    for name, value in values.items():
        bare = name.removeprefix("val_")
        (training if bare == name else validation)[bare] = value
    return training, validation


def tagged(
    values: Mapping[str, float], prefix: str, suffix: str = ""
) -> dict[str, float]:
    """The values under their tags.

    Example:
        >>> tagged({"loss": 0.5}, "epoch_")
        {'epoch_loss': 0.5}
    """
    return {f"{prefix}{name}{suffix}": value for name, value in values.items()}


def points(
    run: str, step: int, values: Mapping[str, float]
) -> Callable[[Runs], None]:
    """What writes a point of now to each of some curves, later.

    Args:
        run: The run.
        step: Where (≥ 0).
        values: Tag → number.
    """
    wall_s = time.time()
    return lambda runs: runs[run].scalars(step, values, wall_s)


def unread(logs: Mapping[str, Any] | None) -> dict[str, Any]:
    """The logs as they are, on the device if they are there still.

    Args:
        logs: What a batch hook receives.
    """
    if isinstance(logs, LazyLogs):
        return {name: logs.raw(name) for name in logs}
    # A remote worker may hand over something that is no dict.
    return dict(logs) if isinstance(logs, Mapping) else {}


def per_second(steps: int, begin_s: float) -> float:
    """How fast some steps were.

    Args:
        steps: How many there were.
        begin_s: What `time.perf_counter` said before the first.
    """
    return steps / max(time.perf_counter() - begin_s, _TICK_S)
