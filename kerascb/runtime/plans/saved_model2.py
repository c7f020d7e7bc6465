"""SavedModel directories of Keras 2."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from kerascb.layouts.plan import NotPlannable
from kerascb.runtime import _model_inside, _saving
from kerascb.runtime.plans.plan_cache import PlanCache, state_of
from kerascb.runtime.plans.saved_model import Exported, FixedLayout
from kerascb.runtime.plans.tensorflow_checkpoint import require_defaults

if TYPE_CHECKING:
    from kerascb.layouts.plan import Plan

_cache: PlanCache[Exported] = PlanCache()


def plan(keras: Any, model: Any, options: Any) -> Plan:
    """Plans a SavedModel directory.

    Args:
        keras: The package.
        model: A model of it.
        options: `tf.saved_model.SaveOptions`, or `None`.

    Raises:
        NotPlannable: If the options ask for more than to write, or if parts
            of the model write themselves.
    """
    require_defaults(options, tf.saved_model.SaveOptions)
    if not model.built:
        raise NotPlannable("it has not been built")
    if getattr(model, "run_eagerly", False):
        # What Python has may count in training; a graph has it as it was.
        _cache.forget(model)
    exported = _cache.get(
        model,
        [*state_of(model), *_this_fit(model)],
        lambda: Exported.by(
            lambda folder: _saving.call_with_accepted(model.save, folder)
        ),
        lambda kept: kept.serialized.is_whole,
    )
    name = _model_inside.KERAS2_FILE
    metadata = _with_optimizer(keras, exported.files[name], model)
    return exported.plan(files={name: FixedLayout(metadata)})


def _this_fit(model: Any) -> list[Any]:
    """What is another object in every fit, or with other metrics."""
    metrics = [
        variable for metric in model.metrics for variable in metric.variables
    ]
    history = getattr(model, "history", None)
    return metrics if history is None else [*metrics, history]


def _with_optimizer(keras: Any, content: bytes, model: Any) -> bytes:
    """Brings the optimizer's settings, its learning rate say, up to date.

    They are all in a model's description that training changes.
    """
    package = keras.__name__
    messages = importlib.import_module(f"{package}.protobuf.saved_metadata_pb2")
    encoding = importlib.import_module(
        f"{package}.src.saving.legacy.saved_model.json_utils"
    )
    metadata = messages.SavedMetadata.FromString(content)
    root = json.loads(metadata.nodes[0].metadata)
    settings = (root.get("training_config") or {}).get("optimizer_config")
    if settings is None:
        return content
    settings["config"] = model.optimizer.get_config()
    metadata.nodes[0].metadata = encoding.Encoder().encode(root)
    return bytes(metadata.SerializeToString(deterministic=True))
