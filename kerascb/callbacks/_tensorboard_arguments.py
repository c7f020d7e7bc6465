"""What the arguments of TensorBoard may be, and what older ones meant."""

from __future__ import annotations

import contextlib
import operator
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

from kerascb.errors import InvalidArgument, UnknownArgument
from kerascb.frequency import as_count
from kerascb.improvement import nearest_names

UpdateFreq = int | Literal["epoch"]
LearningRateFreq = Literal["auto", "epoch", "batch"]

LEGACY_ARGUMENTS = {
    "write_grads": (
        "`write_grads` will be ignored in TensorFlow 2.0 "
        "for the `TensorBoard` Callback."
    ),
    "batch_size": (
        "`batch_size` is no longer needed in the `TensorBoard` Callback and "
        "will be ignored in TensorFlow 2.0."
    ),
    "embeddings_layer_names": (
        "`embeddings_layer_names` is not supported in TensorFlow 2.0. "
        "Instead, all `Embedding` layers will be visualized."
    ),
    "embeddings_data": (
        "`embeddings_data` is not supported in TensorFlow 2.0. "
        "Instead, all `Embedding` variables will be visualized."
    ),
}
"""Arguments of TensorFlow 1, accepted without effect → what is said then."""

_PAIR = 2
_PROFILING_BACKENDS = ("tensorflow", "jax")
_JAX_PROFILES_FROM = (3, 12)


@dataclass(frozen=True)
class Positional:
    """The arguments whose places have moved, in today's order."""

    write_steps_per_second: Any
    update_freq: Any
    profile_batch: Any
    embeddings_freq: Any
    embeddings_metadata: Any


def take_legacy(given: Mapping[str, Any], warn: Callable[[str], None]) -> None:
    """Warns of arguments that have lost their effect.

    Args:
        given: The arguments that today's signature does not name.
        warn: Told once for each that was used.

    Raises:
        UnknownArgument: If one is not among `LEGACY_ARGUMENTS`.
    """
    unknown = sorted(given.keys() - LEGACY_ARGUMENTS.keys())
    if unknown:
        raise UnknownArgument(
            f"Unrecognized arguments in `TensorBoard` Callback: {unknown}. "
            f"Supported kwargs are: {sorted(LEGACY_ARGUMENTS)}"
        )
    for name, value in given.items():
        if value:
            warn(LEGACY_ARGUMENTS[name])


def in_order(given: Positional, warn: Callable[[str], None]) -> Positional:
    """The arguments, put right if they came in the order of TensorFlow 2.3.

    `update_freq` stood fifth then: a word or a count, where today a truth
    value stands. 0 is no frequency, but as good as `False`.

    Args:
        given: The arguments as today's signature received them.
        warn: Told what was done.
    """
    fifth = given.write_steps_per_second
    is_truth_value = isinstance(fifth, bool) or not isinstance(
        fifth, (str, int)
    )
    if is_truth_value or fifth == 0:
        return given
    moved = _from_order_of_2020(given)
    warn(
        "TensorBoard: the fifth argument was update_freq until TensorFlow "
        f"2.3 and is taken for it: got update_freq={moved.update_freq!r}, "
        f"profile_batch={moved.profile_batch!r}. Give them by name."
    )
    return moved


def epochs_between(name: str, value: Any) -> int:
    """Epochs from one writing to the next; 0 for none.

    Args:
        name: Of the argument.
        value: A whole number ≥ 0 of any type; `None` and `False` are none.

    Raises:
        InvalidArgument: If it is anything else. `True` is no number here.
    """
    if value is None or value is False:
        return 0
    epochs = -1
    is_number = isinstance(value, Real) and value is not True
    if is_number:
        # What is no finite number raises, and stays refused.
        with contextlib.suppress(ValueError, OverflowError):
            epochs = int(value)
    if epochs < 0 or epochs != value:
        raise InvalidArgument(
            f"TensorBoard: `{name}` must be a whole number of epochs, 0 for "
            f"none; got {name}={value!r}."
        )
    return epochs


def metadata_of(embeddings_metadata: Any) -> str | dict[str, str] | None:
    """The file with a line for each row: one for all, or one a layer.

    Args:
        embeddings_metadata: A path, a dict from layer names to paths, or
            `None`.

    Raises:
        InvalidArgument: If it is anything else.
    """
    given = embeddings_metadata
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, os.PathLike):
        return _text_of(given, given)
    if isinstance(given, Mapping):
        return {
            _text_of(layer, given): _text_of(path, given)
            for layer, path in given.items()
        }
    raise _wrong_metadata(given)


def notes_of(notes: Any) -> str | None:
    """Checks `notes`.

    Args:
        notes: A text or `None`.

    Raises:
        InvalidArgument: If it is anything else.
    """
    if notes is None or isinstance(notes, str):
        return notes
    raise InvalidArgument(
        f"TensorBoard: `notes` must be a text; got notes={notes!r}."
    )


def update_freq_of(update_freq: Any) -> UpdateFreq:
    """Batches between two points of the batch curves, or `"epoch"`.

    Args:
        update_freq: `"epoch"`, `"batch"` or an integer ≥ 1.

    Raises:
        InvalidArgument: If it is anything else.
    """
    if update_freq == "epoch":
        return "epoch"
    if update_freq == "batch":
        return 1
    count = as_count(update_freq)
    if count is not None:
        return count
    raise InvalidArgument(
        f"Unrecognized update_freq: got update_freq={update_freq!r}. "
        "Expected 'epoch', 'batch' or a number of batches, at least 1."
        f"{_hint(update_freq, ('epoch', 'batch'))}"
    )


def learning_rate_freq_of(write_learning_rate: Any) -> LearningRateFreq:
    """Checks `write_learning_rate`.

    Args:
        write_learning_rate: `"auto"`, `"epoch"` or `"batch"`.

    Raises:
        InvalidArgument: If it is none of its three values.
    """
    known: tuple[LearningRateFreq, ...] = ("auto", "epoch", "batch")
    for value in known:
        if write_learning_rate == value:
            return value
    raise InvalidArgument(
        f"Unrecognized write_learning_rate: got write_learning_rate="
        f"{write_learning_rate!r}. Expected 'auto', 'epoch' or 'batch'."
        f"{_hint(write_learning_rate, known)}"
    )


def profiled_batches(
    profile_batch: Any, backend: str, warn: Callable[[str], None]
) -> tuple[int, int]:
    """The first and the last batch to profile; two zeros for none.

    Args:
        profile_batch: An integer ≥ 0, a pair, or either as a string.
        backend: The engine that is to be profiled.
        warn: Told if this Python's engine cannot be.

    Raises:
        InvalidArgument: If it is none of these, if it is a range that runs
            backwards, or if Keras knows no profiler of this engine.
    """
    try:
        first, last = _as_pair(profile_batch)
    except (TypeError, ValueError):
        first, last = -1, -1
    if first < 0 or last < first:
        raise InvalidArgument(
            "profile_batch must be a non-negative integer or 2-tuple of "
            "positive integers. A pair of positive integers signifies a range "
            f"of batches to profile. Found: {profile_batch}"
        )
    if last > 0 and backend not in _PROFILING_BACKENDS:
        raise InvalidArgument(
            f"Profiling is not yet available with the {backend} backend. "
            f"Received: profile_batch={profile_batch} (must be 0)"
        )
    if last > 0 and backend == "jax" and sys.version_info < _JAX_PROFILES_FROM:
        warn(
            "Profiling with the jax backend requires python >= 3.12. "
            "Nothing will be profiled."
        )
        return 0, 0
    return first, last


def _from_order_of_2020(given: Positional) -> Positional:
    # Each has slipped one place, as far as they were given by position; what
    # was given by name is where it belongs.
    if given.update_freq == "epoch":
        return Positional(
            write_steps_per_second=False,
            update_freq=given.write_steps_per_second,
            profile_batch=given.profile_batch,
            embeddings_freq=given.embeddings_freq,
            embeddings_metadata=given.embeddings_metadata,
        )
    metadata_is_positional = isinstance(given.embeddings_freq, (str, Mapping))
    return Positional(
        write_steps_per_second=False,
        update_freq=given.write_steps_per_second,
        profile_batch=given.update_freq,
        embeddings_freq=given.profile_batch
        or (0 if metadata_is_positional else given.embeddings_freq),
        embeddings_metadata=given.embeddings_freq
        if metadata_is_positional
        else given.embeddings_metadata,
    )


def _text_of(path: Any, metadata: Any) -> str:
    try:
        text = os.fspath(path)
    except TypeError:
        text = None
    if not isinstance(text, str):
        raise _wrong_metadata(metadata)
    return text


def _wrong_metadata(metadata: Any) -> InvalidArgument:
    return InvalidArgument(
        "TensorBoard: `embeddings_metadata` must be a path, or a dict from "
        "the names of layers to paths; got "
        f"embeddings_metadata={metadata!r}."
    )


def _as_pair(profile_batch: Any) -> tuple[int, int]:
    if isinstance(profile_batch, str):
        numbers = [int(part) for part in profile_batch.split(",")]
    elif isinstance(profile_batch, (tuple, list)):
        numbers = [operator.index(part) for part in profile_batch]
        if len(numbers) != _PAIR:
            raise ValueError("not a pair")
    else:
        numbers = [operator.index(profile_batch)]
    first, *rest = numbers
    (last,) = rest or [first]
    return first, last


def _hint(given: Any, known: tuple[str, ...]) -> str:
    near = (
        nearest_names(given, list(known), count=1)
        if (isinstance(given, str))
        else []
    )
    return f" Did you mean {near[0]!r}?" if near else ""
