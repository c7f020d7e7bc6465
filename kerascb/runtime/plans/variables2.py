"""Variables of Keras 2 whose values go into a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from kerascb.layouts.plan import NotPlannable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kerascb.runtime.plans.planned import Place


def place_of(variable: Any) -> Place:
    """The place that the value of a variable takes.

    Args:
        variable: The variable.

    Raises:
        NotPlannable: If it is no single variable of a fixed size.
    """
    if not isinstance(variable, tf.Variable):
        raise NotPlannable(
            f"it keeps state in a {type(variable).__name__}, which is no "
            "single variable"
        )
    dtype = np.dtype(variable.dtype.as_numpy_dtype)
    if dtype.hasobject or not variable.shape.is_fully_defined():
        raise NotPlannable(f"variable {variable.name!r} has no fixed size")
    return tuple(variable.shape), dtype


def seeds_of(model: Any) -> list[Any]:
    """The states of a model's random generators, in the order of its layers.

    Keras 2 counts them among nobody's weights. What Keras does without a
    `tf.random.Generator` (a `Dropout`, unless it was told otherwise) is drawn
    from TensorFlow's operations, whose state nothing can read.

    Args:
        model: The model.
    """
    found = {}
    for layer in model._flatten_layers():
        for generator in _generators(vars(layer).values()):
            found[id(generator.state)] = generator.state
    return list(found.values())


def _generators(values: Iterable[Any]) -> Iterator[tf.random.Generator]:
    for value in values:
        # Or Keras's own class around one, which it makes when it is built.
        inner = getattr(value, "__dict__", {}).get("_generator")
        for generator in (value, inner):
            if isinstance(generator, tf.random.Generator):
                yield generator
