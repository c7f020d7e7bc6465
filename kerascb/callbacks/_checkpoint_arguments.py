"""What `ModelCheckpoint` makes of its arguments."""

from __future__ import annotations

import numbers
import os
from typing import Any

from kerascb import runtime
from kerascb.errors import InvalidArgument


def is_number(value: Any) -> bool:
    """Whether a value is a real number, NumPy's included, and no bool.

    Args:
        value: Anything.
    """
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def path_text(filepath: Any) -> str | None:
    """A path as text; `None`, as a path to be given later, stays.

    Args:
        filepath: What the user gave.

    Raises:
        InvalidArgument: If it is no path.
    """
    if filepath is None:
        return None
    if isinstance(filepath, (str, os.PathLike)):
        return str(os.fspath(filepath))
    raise InvalidArgument(
        f"filepath must be a str or a path; got filepath={filepath!r}."
    )


def period_or_one(period: Any) -> int:
    """Epochs between two saves.

    Args:
        period: What the user gave; `None` for every epoch.

    Raises:
        InvalidArgument: If it is no integer ≥ 1.
    """
    if period is None:
        return 1
    is_integer = isinstance(period, numbers.Integral)
    if is_integer and period is not True and period >= 1:
        return int(period)
    raise InvalidArgument(
        "`period` must be a number of epochs of at least 1; got period="
        f"{period!r}."
    )


def check_options(
    options: Any, filepath: str | None, weights_only: bool
) -> None:
    """Refuses options that do not belong to what is saved.

    Args:
        options: What the user gave, or `None`.
        filepath: The path.
        weights_only: Whether weights are saved, or whole models.

    Raises:
        InvalidArgument: If the format takes no options.
        TypeError: If they are those of another format.
    """
    if options is None:
        return
    if not weights_only and filepath and filepath.endswith(".keras"):
        raise InvalidArgument(
            "The native TF-Keras format does not support the `options` "
            "argument. Please remove the `options` argument, or use the "
            "SavedModel format by removing the `.keras` extension from the "
            "model filepath."
        )
    wanted = runtime.options_type(weights_only)
    if wanted is not None and isinstance(options, wanted):
        return
    name = (
        "tf.train.CheckpointOptions"
        if weights_only
        else "tf.saved_model.SaveOptions"
    )
    raise TypeError(
        f"If save_weights_only is {weights_only}, then `options` must be "
        f"either None or a {name}. Got {options}."
    )
