"""What an optimizer knows of training, and the optimizers inside it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kerascb.errors import InvalidArgument
from kerascb.runtime._protocol import LearningRate


def inner_optimizers(optimizer: Any) -> Iterator[Any]:
    """The optimizers that hold a learning rate of their own.

    A `LossScaleOptimizer` hides one optimizer, a `MultiOptimizer` several;
    each may hide the other.
    """
    nested = nested_optimizers(optimizer)
    if not nested:
        yield optimizer
    for one in nested:
        yield from inner_optimizers(one)


def nested_optimizers(optimizer: Any) -> list[Any]:
    """The optimizers directly within one, if it is a wrapper of some.

    Args:
        optimizer: An optimizer of any Keras, a wrapper of some, or a stand-in.
    """
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        return [inner]
    return list(getattr(optimizer, "optimizers", None) or ())


def steps_made(model: Any, scalar: Callable[[Any], float]) -> int | None:
    """Steps the optimizer of a model has made; `None` without an optimizer.

    Args:
        model: A model of any Keras, or a stand-in.
        scalar: Reads a variable.
    """
    optimizer = getattr(model, "optimizer", None)
    steps = getattr(optimizer, "iterations", None)
    return None if steps is None else int(scalar(steps))


def learning_rates(
    optimizer: Any,
    *,
    key: str,
    to_scalar: Callable[[Any], Any],
    hold: Callable[[Any], Any],
    assign: Callable[[Any, Any], object],
) -> list[LearningRate]:
    """The learning rates inside an optimizer, in one Keras's terms.

    Args:
        optimizer: An optimizer, a wrapper of some, or a stand-in of a test
            that has but an attribute `learning_rate` or `lr`.
        key: Under which key this Keras logs the learning rate.
        to_scalar: A variable or tensor → the value as this Keras logs it.
        hold: A variable or tensor → a tensor that no later step changes.
        assign: Gives a variable a value.

    Raises:
        InvalidArgument: If an optimizer has no learning rate.
    """
    has_several = _holds_several(optimizer)
    found = []
    for one in inner_optimizers(optimizer):
        attribute = _attribute_of(one, key)
        name = one.name if has_several else ""
        found.append(
            LearningRate(
                optimizer_name=name,
                log_key=f"{key}_{name}" if name else key,
                read=functools.partial(_read, one, attribute, to_scalar),
                hold=functools.partial(_read, one, attribute, hold),
                write=functools.partial(_write, one, attribute, assign),
                is_scheduled=callable(_as_given(one, attribute)),
            )
        )
    return found


def _holds_several(optimizer: Any) -> bool:
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        return _holds_several(inner)
    return bool(getattr(optimizer, "optimizers", None))


def _attribute_of(optimizer: Any, key: str) -> str:
    for attribute in ("learning_rate", "lr"):
        if hasattr(optimizer, attribute):
            return attribute
    raise InvalidArgument(
        f'Optimizer must have a "{key}" attribute. Got: {optimizer!r}'
    )


def _as_given(optimizer: Any, attribute: str) -> Any:
    """What the optimizer was made with; many show only its present value."""
    hyper = getattr(optimizer, "_hyper", None)
    if isinstance(hyper, Mapping):
        return hyper.get("learning_rate")
    shown = getattr(optimizer, attribute)
    return getattr(optimizer, "_learning_rate", shown)


def _read(optimizer: Any, attribute: str, convert: Callable[[Any], Any]) -> Any:
    rate = getattr(optimizer, attribute)
    if callable(rate):  # Legacy optimizers show it unevaluated.
        rate = rate(optimizer.iterations) if _is_schedule(rate) else rate()
    return convert(rate)


def _write(
    optimizer: Any,
    attribute: str,
    assign: Callable[[Any, Any], object],
    rate: Any,
) -> None:
    shown = getattr(optimizer, attribute)
    if hasattr(shown, "assign"):
        assign(shown, rate)
    else:
        setattr(optimizer, attribute, rate)


def _is_schedule(rate: Any) -> bool:
    return any(
        kind.__name__ == "LearningRateSchedule" for kind in type(rate).__mro__
    )
