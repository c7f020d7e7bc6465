"""The newest or the best checkpoint of a folder, loaded if it is whole."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING, Any

from kerascb.checkpoint.catalog.records import Record, survey
from kerascb.checkpoint.catalog.retention import Saved, best_first
from kerascb.checkpoint.loading import load_model, load_weights
from kerascb.errors import InvalidArgument, NoWholeCheckpoint
from kerascb.improvement import Direction, did_you_mean, direction_by_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_USUAL_MONITORS = ("val_loss", "loss")
_FRAMES_TO_CALLER = 3


def load_latest(
    directory: str | os.PathLike[str],
    model: Any = None,
    *,
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Loads the newest checkpoint of a directory that is whole.

    Each is read first and compared with its checksum, where a manifest has
    one. A damaged one is passed over for the one before it, and a warning
    says what is wrong with it.

    Args:
        directory: Where the checkpoints are, on this machine or far away.
        model: A built model to load into: its weights, and its optimizer's
            state if it is compiled. Without it a whole model is made, and
            checkpoints that hold weights only are not looked at.
        custom_objects: For a model that is made; see `load_model`.
        compile: Likewise.
        safe_mode: Likewise.

    Returns:
        The model.

    Raises:
        FileNotFoundError: If there is no checkpoint, or no directory.
        NoWholeCheckpoint: If all are damaged.
        InvalidArgument: If there are weights only and no `model` is given.
    """
    load = _loader(model, custom_objects, compile, safe_mode)
    records = _loadable(directory, model)
    return _load_first_whole(directory, records[::-1], load)


def load_best(
    directory: str | os.PathLike[str],
    model: Any = None,
    *,
    monitor: str | None = None,
    mode: str = "auto",
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Loads the best checkpoint of a directory that is whole.

    As `load_latest`, but in the order of a metric. Checkpoints of which its
    value is not known, or NaN, are not looked at; of equal ones the older is
    taken.

    Args:
        directory: Where the checkpoints are, on this machine or far away.
        model: A built model to load into; see `load_latest`.
        monitor: The metric; by default what `ModelCheckpoint` monitored, else
            `val_loss`, else `loss`.
        mode: `"min"`, `"max"`, or `"auto"`: what `ModelCheckpoint` found, else
            what the name tells.
        custom_objects: For a model that is made; see `load_model`.
        compile: Likewise.
        safe_mode: Likewise.

    Returns:
        The model.

    Raises:
        FileNotFoundError: If there is no checkpoint, or no directory.
        NoWholeCheckpoint: If all are damaged.
        InvalidArgument: If no checkpoint has a value of `monitor`, if `mode`
            is none, or if there are weights only and no `model` is given.
    """
    if mode not in {"auto", "min", "max"}:
        raise InvalidArgument(
            f"`mode` must be 'auto', 'min' or 'max'; got mode={mode!r}."
        )
    load = _loader(model, custom_objects, compile, safe_mode)
    records = _loadable(directory, model)
    ranked = _ranked(directory, records, monitor, mode)
    return _load_first_whole(directory, ranked, load)


def _loader(
    model: Any,
    custom_objects: Mapping[str, Any] | None,
    compile: bool,
    safe_mode: bool,
) -> Callable[[str], Any]:
    """What makes a model of a checkpoint, or loads it into the given one."""
    if model is None:
        return lambda path: load_model(
            path,
            custom_objects=custom_objects,
            compile=compile,
            safe_mode=safe_mode,
        )

    def load(path: str) -> Any:
        load_weights(model, path)
        return model

    return load


def _loadable(directory: str | os.PathLike[str], model: Any) -> list[Record]:
    found = survey(directory).records
    if not found:
        raise FileNotFoundError(
            f"There is no checkpoint in {os.fspath(directory)!r}."
        )
    if model is not None:
        return found
    whole_models = [one for one in found if not one.form.is_weights]
    if not whole_models:
        raise InvalidArgument(
            f"The checkpoints in {os.fspath(directory)!r} hold weights, "
            f"without the model they belong to: the last is {found[-1].path!r}."
            " Build the model and pass it as model=."
        )
    return whole_models


def _load_first_whole(
    directory: str | os.PathLike[str],
    records: Sequence[Record],
    load: Callable[[str], Any],
) -> Any:
    passed_over: list[str] = []
    for record in records:
        damage = record.verify()
        if damage:
            passed_over.append(f"{record.path!r}: {'; '.join(damage)}")
            continue
        if passed_over:
            warnings.warn(
                f"{record.path!r} is loaded in place of what is damaged: "
                f"{' | '.join(passed_over)}",
                stacklevel=_FRAMES_TO_CALLER,
            )
        return load(record.path)
    raise NoWholeCheckpoint(os.fspath(directory), passed_over)


def _ranked(
    directory: str | os.PathLike[str],
    records: Sequence[Record],
    monitor: str | None,
    mode: str,
) -> list[Record]:
    """The records that have a value, the best first."""
    name = _monitor_of(records) if monitor is None else monitor
    rows = {str(i): one for i, one in enumerate(records)}
    row = [Saved(i, one.metrics.get(name)) for i, one in rows.items()]
    ranked = best_first(row, Direction.MIN)
    if not ranked:
        known = sorted({key for one in records for key in one.metrics})
        raise InvalidArgument(
            f"No checkpoint in {os.fspath(directory)!r} has a value of "
            f"monitor={name!r}.{did_you_mean(name, known)} There are: "
            f"{', '.join(known) or 'no metrics at all'}."
        )
    if _direction(records, name, mode) is Direction.MAX:
        ranked = best_first(row, Direction.MAX)
    return [rows[one.path] for one in ranked]


def _monitor_of(records: Sequence[Record]) -> str:
    watched = [one.monitor for one in reversed(records) if one.monitor]
    for name in (*watched, *_USUAL_MONITORS):
        if any(name in one.metrics for one in records):
            return name
    return _USUAL_MONITORS[0]


def _direction(records: Sequence[Record], name: str, mode: str) -> Direction:
    noted = [
        one.mode
        for one in reversed(records)
        if one.monitor == name and one.mode
    ]
    if mode != "auto":
        return Direction(mode)
    if noted:
        return Direction(noted[0])
    direction = direction_by_name(name)
    if direction is None:
        raise InvalidArgument(
            f"Nothing tells whether {name!r} is better when it is small or "
            "large. Pass mode='min' or mode='max'."
        )
    return direction
