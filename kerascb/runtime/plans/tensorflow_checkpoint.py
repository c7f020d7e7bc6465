"""TensorFlow checkpoints, planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tensorflow as tf

from kerascb.layouts.plan import NotPlannable, Plan
from kerascb.layouts.tensor_bundle import bundle
from kerascb.runtime.plans.plan_cache import PlanCache, state_of
from kerascb.runtime.plans.serialized import Serialized

if TYPE_CHECKING:
    from collections.abc import Sequence

_cache: PlanCache[Serialized] = PlanCache()


def plan(model: Any, options: Any, seeds: Sequence[Any] = ()) -> Plan:
    """Plans what `tf.train.Checkpoint(model).write` would write.

    Tables and Python state are read now; variables are left to be frozen.

    Args:
        model: A model of Keras 3 on TensorFlow, or of Keras 2.
        options: `tf.train.CheckpointOptions`, or `None`.
        seeds: The states of random generators, for the note: TensorFlow does
            not see all of them.

    Raises:
        NotPlannable: If the options ask for more than to write, or if parts
            of the model write themselves.
    """
    require_defaults(options, tf.train.CheckpointOptions)
    if not model.built:
        raise NotPlannable("it has not been built")
    serialized = _cache.get(
        model,
        state_of(model),
        lambda: Serialized.by(tf.train.Checkpoint(model)._saver),
        lambda kept: kept.is_whole,
    )
    if not serialized.is_steady:
        # A layer may have another table the next time.
        _cache.forget(model)
    variables = [*serialized.variables]
    numbers = {id(variable): i for i, variable in enumerate(variables)}
    for seed in seeds:
        if numbers.setdefault(id(seed), len(variables)) == len(variables):
            variables.append(seed)
    return Plan(
        variables=tuple(variables),
        files=bundle(serialized.tensors(numbers, anew=False)),
        seeds=tuple(numbers[id(seed)] for seed in seeds),
    )


def require_defaults(options: Any, kind: Any) -> None:
    """Leaves to TensorFlow what only it can do.

    Args:
        options: Of a save, or `None`.
        kind: Their class.

    Raises:
        NotPlannable: If one of them is not at its default.
    """
    if options is None:
        return
    default = kind()
    for name in kind.__slots__:
        if getattr(options, name) != getattr(default, name):
            raise NotPlannable(
                f"{kind.__name__}({name}=…) is left to TensorFlow"
            )
