"""What the classes that save models make of their arguments."""

from __future__ import annotations

import numbers
import os
from typing import TYPE_CHECKING, Any

from kerascb import runtime
from kerascb.errors import InvalidArgument
from kerascb.frequency import as_count, validate_save_freq

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    count = 1 if period is None else as_count(period)
    if count is None:
        raise InvalidArgument(
            "`period` must be a number of epochs of at least 1; got period="
            f"{period!r}."
        )
    return count


def deprecations(period: Any, load_weights_on_restart: Any) -> Iterator[str]:
    """What Keras says of arguments that it has deprecated.

    Args:
        period: What the user gave, or `None`.
        load_weights_on_restart: Likewise.
    """
    if load_weights_on_restart is not None:
        yield (
            "`load_weights_on_restart` argument is deprecated. Please use "
            "`model.load_weights()` for loading weights before the start of "
            "`model.fit()`."
        )
    if period is not None:
        yield (
            "`period` argument is deprecated. Please use `save_freq` to "
            "specify the frequency in number of batches seen."
        )


def check_save_freq(save_freq: Any, dialect: str) -> None:
    """Refuses a `save_freq` in the words of a Keras.

    Args:
        save_freq: What the user gave.
        dialect: `"keras2"` or `"keras3"`.

    Raises:
        InvalidArgument: If it is anything but `"epoch"` or an integer ≥ 1.
    """
    expected = (
        "'epoch' or integer values"
        if dialect == "keras3"
        else '"epoch" or integer'
    )
    validate_save_freq(
        save_freq,
        f"Unrecognized save_freq: {save_freq}. Expected save_freq are "
        f"{expected}.",
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
