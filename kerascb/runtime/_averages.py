"""A model's variables beside the moving averages an optimizer keeps of them.

Keras makes no public way to them, and each Keras keeps them in its own order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascb.runtime._learning_rate import inner_optimizers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def optimizers_with_averages(optimizer: Any) -> list[Any]:
    """The optimizers inside one that were made with `use_ema=True`.

    Args:
        optimizer: An optimizer of any Keras, or a wrapper of some.
    """
    return [
        one
        for one in inner_optimizers(optimizer)
        if getattr(one, "use_ema", False)
    ]


def pairs_of_keras3(
    optimizers: Iterable[Any], scalar: Callable[[Any], float]
) -> Iterator[tuple[Any, Any]]:
    """Variable and average, of optimizers that have made a step.

    Args:
        optimizers: Optimizers of Keras 3 with `use_ema=True`.
        scalar: Reads a variable.
    """
    for optimizer in optimizers:
        if not optimizer.built or not scalar(optimizer._iterations):
            continue  # the averages still hold the zeros they begin with
        for variable, average in zip(
            optimizer._trainable_variables,
            optimizer._model_variables_moving_average,
            strict=True,
        ):
            if average is not None:
                yield variable, average


def pairs_of_keras2(
    optimizers: Iterable[Any], variables: Iterable[Any]
) -> Iterator[tuple[Any, Any]]:
    """Variable and average, of optimizers that have made a step.

    Args:
        optimizers: Optimizers of Keras 2 with `use_ema=True`.
        variables: The model's trainable variables.
    """
    variables = list(variables)
    for optimizer in optimizers:
        places = getattr(optimizer, "_index_dict", {})
        if not int(optimizer.iterations):
            continue
        for variable in variables:
            place = places.get(optimizer._var_key(variable))
            if place is not None:
                yield variable, optimizer._model_variables_moving_average[place]
