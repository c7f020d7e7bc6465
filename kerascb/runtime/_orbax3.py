"""A Keras 3 model as the items of an Orbax checkpoint."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

# `load_model` and `load_weights` of Keras read these items; the functions
# that make two of them are private.
from keras.src.saving import saving_lib

from kerascb.errors import UnsupportedRuntime

_WEIGHTS = ("trainable_variables", "non_trainable_variables")


def require() -> None:
    """Refuses a Keras that knows no Orbax checkpoints.

    Raises:
        UnsupportedRuntime: If this one does not.
    """
    if not hasattr(saving_lib, "_save_assets_to_dict"):
        raise UnsupportedRuntime(
            "OrbaxCheckpoint needs a Keras that can load Orbax checkpoints; "
            f"got keras={keras.__version__}. pip install -U keras."
        )


def items_of(model: Any, *, weights_only: bool) -> dict[str, Any]:
    """The variables; with them the config and the assets, unless left out.

    Args:
        model: The model, its variables up to date.
        weights_only: Only the variables of the layers.
    """
    tree = _state_of(model)
    if weights_only:
        return {"pytree": {name: tree[name] for name in _WEIGHTS}}
    config, _ = saving_lib._serialize_model_as_json(model)
    items = {"pytree": tree, "model_config": {"config": config}}
    assets = saving_lib._save_assets_to_dict(model)
    if assets is not None:
        items["assets"] = assets
    return items


def _state_of(model: Any) -> Any:
    if keras.backend.backend() == "jax":
        # Orbax takes the arrays as they are, sharded over devices or not.
        return model.get_state_tree()
    tree = model.get_state_tree(value_format="numpy_array")
    return keras.tree.map_structure(_as_python, tree)


def _as_python(value: Any) -> Any:
    """Scalars as Python's own: Orbax stores no arrays without dimensions."""
    if isinstance(value, np.generic) or (
        isinstance(value, np.ndarray) and value.ndim == 0
    ):
        return value.item()
    return value
