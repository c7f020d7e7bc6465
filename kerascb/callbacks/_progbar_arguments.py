"""What a `ProgbarLogger` can be made with."""

from __future__ import annotations

import math
from typing import Any

from kerascb.errors import InvalidArgument

_COUNT_MODES = ("samples", "steps")


def validate(
    count_mode: Any, stream: Any, refresh_s: Any, line_every_s: Any
) -> None:
    """Refuses what nothing can be made of.

    Args:
        count_mode: `"steps"` or `"samples"`.
        stream: A text stream, or `None`.
        refresh_s: Seconds, 0 or more.
        line_every_s: Seconds above 0, or `None`.

    Raises:
        InvalidArgument: If one is anything else.
    """
    if count_mode not in _COUNT_MODES:
        raise InvalidArgument(
            f"Unknown `count_mode`: {count_mode}. "
            'Expected values are ["samples", "steps"]'
        )
    if stream is not None:
        _validate_stream(stream)
    if not _is_time(refresh_s):
        raise InvalidArgument(
            "`refresh_s` must be a number of seconds, 0 or more; got "
            f"refresh_s={refresh_s!r}."
        )
    if line_every_s is not None and not (
        _is_time(line_every_s) and line_every_s
    ):
        raise InvalidArgument(
            "`line_every_s` must be a number of seconds above 0, or None for "
            f"no lines within an epoch; got line_every_s={line_every_s!r}."
        )


def _validate_stream(stream: Any) -> None:
    for method in ("write", "flush"):
        if not callable(getattr(stream, method, None)):
            raise InvalidArgument(
                "`stream` must be a text stream such as sys.stderr, or None "
                f"for stdout; got stream={stream!r}, which has no `{method}`."
            )


def _is_time(seconds: Any) -> bool:
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return False
    return 0 <= seconds < math.inf
