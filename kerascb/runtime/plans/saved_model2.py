"""SavedModel directories of Keras 2."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from kerascb.layouts.plan import NotPlannable
from kerascb.runtime import _model_inside, _saving
from kerascb.runtime.plans.saved_model import FixedLayout, exported_once_a_fit
from kerascb.runtime.plans.tensorflow_checkpoint import require_defaults

if TYPE_CHECKING:
    from kerascb.layouts.plan import Plan


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
    exported = exported_once_a_fit(
        model,
        lambda folder: _saving.call_with_accepted(model.save, folder),
        watched=[one for metric in model.metrics for one in metric.variables],
    )
    name = _model_inside.KERAS2_FILE
    metadata = _with_optimizer(keras, exported.files[name], model)
    return exported.plan(files={name: FixedLayout(metadata)})


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
