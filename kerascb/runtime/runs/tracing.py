"""A step that is traced for what it makes, and never run."""

from __future__ import annotations

import logging
from typing import Any

import tensorflow as tf

_LOG = logging.getLogger(__name__)


def trace_step(model: Any, batch: Any) -> bool:
    """Has a model make all variables that its first step will make.

    Keras makes them when it traces a step: layers, losses, metrics, slots of
    optimizers, and whatever else a model's own `train_step` makes. The step
    that is traced here is thrown away, so that `fit` traces its own when it
    always does.

    Args:
        model: A compiled model of either Keras.
        batch: The specification of a batch of its data.

    Returns:
        Whether the step could be traced. If not, some of the variables may
        have been made nevertheless.
    """
    train_step = model.train_step
    # Keras 3 takes what is missing in a batch out of TensorFlow's optionals.
    wrap = getattr(model, "_autoconvert_optionals", None)
    if wrap is not None:
        train_step = wrap(train_step)

    def step(data: Any) -> Any:
        return model.distribute_strategy.run(train_step, args=(data,))

    try:
        tf.function(step).get_concrete_function(batch)
    except Exception:  # noqa: BLE001 - it runs the user's code
        _LOG.info(
            "The model %r cannot be built before its first step.",
            getattr(model, "name", model),
            exc_info=True,
        )
        return False
    return True
