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

    from kerascb.checkpoint.request import Policy


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


def count_or_none(**argument: Any) -> int | None:
    """A count of checkpoints; `None` stays.

    Args:
        **argument: The argument, by its name.

    Raises:
        InvalidArgument: If it is neither `None` nor an integer ≥ 1.
    """
    [(name, value)] = argument.items()
    count = as_count(value)
    if value is not None and count is None:
        raise InvalidArgument(
            f"`{name}` must be an integer of at least 1, or None; got "
            f"{name}={value!r}."
        )
    return count


def count_from_zero(**argument: Any) -> int:
    """A count that may be 0.

    Args:
        **argument: The argument, by its name.

    Raises:
        InvalidArgument: If it is no integer ≥ 0.
    """
    [(name, value)] = argument.items()
    count = as_count(value)
    if count is None and (isinstance(value, bool) or value != 0):
        raise InvalidArgument(
            f"`{name}` must be an integer of at least 0; got {name}={value!r}."
        )
    return count or 0


def one_of(choices: tuple[Any, ...], **argument: Any) -> Any:
    """One of a few values, as it was given.

    Args:
        choices: What there is.
        **argument: The argument, by its name.

    Raises:
        InvalidArgument: If it is none of them. 1 is not taken for `True`.
    """
    [(name, value)] = argument.items()
    for choice in choices:
        if type(value) is type(choice) and value == choice:
            return value
    *others, last = map(repr, choices)
    raise InvalidArgument(
        f"`{name}` must be {', '.join(others)} or {last}; got {name}={value!r}."
    )


def check_schedule(
    *, save_freq: Any, period: Any, every_n_epochs: Any, every_n_seconds: Any
) -> None:
    """Refuses two answers to the question when to save.

    Args:
        save_freq: `"epoch"` or a number of batches.
        period: A number of epochs, or `None`.
        every_n_epochs: Likewise.
        every_n_seconds: A number of seconds, or `None`.

    Raises:
        InvalidArgument: If one is out of range, or if two are given.
    """
    count_or_none(every_n_epochs=every_n_epochs)
    if every_n_seconds is not None and not (
        is_number(every_n_seconds) and 0 < every_n_seconds < float("inf")
    ):
        raise InvalidArgument(
            "`every_n_seconds` must be a number of seconds above 0; got "
            f"every_n_seconds={every_n_seconds!r}."
        )
    given = {
        "save_freq": None if save_freq == "epoch" else save_freq,
        "every_n_epochs": every_n_epochs,
        "every_n_seconds": every_n_seconds,
        "period": period,
    }
    texts = [f"{name}={value}" for name, value in given.items() if value]
    if len(texts) > 1:
        raise InvalidArgument(
            f"{' and '.join(texts)} are two answers to when to save. Pass one "
            "of save_freq, period, every_n_epochs and every_n_seconds; for "
            "two schedules, two callbacks."
        )


def check_keeping(filepath: str | None, policy: Policy) -> None:
    """Refuses to keep several checkpoints that would all have one name.

    Args:
        filepath: The path or template; `None` is yet to come.
        policy: How many to keep.

    Raises:
        InvalidArgument: If there is no placeholder to tell them apart.
    """
    if filepath is None or "{" in filepath:
        return
    for name in ("max_to_keep", "keep_best"):
        count = getattr(policy, name)
        if count is not None and count > 1:
            raise InvalidArgument(
                f"{name}={count} needs a path that differs from save to save; "
                f"got filepath={filepath!r}. Put a placeholder into it, such "
                "as {epoch:04d}."
            )


def check_last_saves(*, save_best_only: bool, **asked: bool) -> None:
    """Refuses to put the last state where the best one is kept.

    Args:
        save_best_only: Whether only what is better is saved.
        **asked: Arguments that save the last state, by name.

    Raises:
        InvalidArgument: If one of them is true together with it.
    """
    for name, is_asked in asked.items():
        if save_best_only and is_asked:
            raise InvalidArgument(
                f"{name}=True saves the last state, which would take the "
                "place of the best one that save_best_only=True keeps. Pass a "
                "second ModelCheckpoint for the last state, or keep_best=1 "
                "instead of save_best_only."
            )


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
