"""Checks that the constructors of several callbacks make."""

from __future__ import annotations

import math
from typing import Any

from kerascb.errors import InvalidArgument


def require_number(
    owner: object, *, at_least: float | None = None, **arguments: Any
) -> None:
    """Refuses arguments that are not numbers.

    Args:
        owner: Whose arguments they are.
        at_least: The least value allowed; `None` for no limit.
        **arguments: Name → value.

    Raises:
        InvalidArgument: At the first that is too small, NaN or no number.
    """
    limit = "" if at_least is None else f" of at least {at_least}"
    for name, value in arguments.items():
        if not _is_number(value) or (at_least is not None and value < at_least):
            raise InvalidArgument(
                f"{type(owner).__name__} needs {name} to be a number{limit}; "
                f"got {name}={value!r}."
            )


def _is_number(value: Any) -> bool:
    if isinstance(value, (str, bytes)):
        return False
    try:
        return not math.isnan(value)
    except (TypeError, ValueError, OverflowError):
        return False
