"""A Keras 3 model as the items of an Orbax checkpoint."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import keras

# `load_model` and `load_weights` of Keras read these items; the functions
# that make two of them are private.
from keras.src.saving import saving_lib

from kerascb.errors import UnsupportedRuntime
from kerascb.runtime import frozen

if TYPE_CHECKING:
    from collections.abc import Callable

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


def items_of(model: Any, *, weights_only: bool) -> Callable[[], dict[str, Any]]:
    """The variables; with them the config and the assets, unless left out.

    Args:
        model: The model, its variables up to date.
        weights_only: Only the variables of the layers.

    Returns:
        Makes the items out of what was frozen now, in any thread.
    """
    items: dict[str, Any] = {}
    if not weights_only:
        config, _ = saving_lib._serialize_model_as_json(model)
        items["model_config"] = {"config": config}
        assets = saving_lib._save_assets_to_dict(model)
        if assets is not None:
            items["assets"] = assets
    state = _state_of(model, weights_only)
    return lambda: {"pytree": keras.tree.map_structure(_thing, state), **items}


def _state_of(model: Any, weights_only: bool) -> dict[str, Any]:
    if keras.backend.backend() == "jax":
        # Orbax takes the arrays as they are, sharded over devices or not, and
        # copies them before it answers.
        tree = model.get_state_tree()
        return {name: tree[name] for name in _WEIGHTS} if weights_only else tree
    groups = {name: getattr(model, name) for name in _WEIGHTS}
    if not weights_only:
        groups["optimizer_variables"] = model.optimizer.variables
        groups["metrics_variables"] = model.metrics_variables
    return {name: _tree_of(model, group) for name, group in groups.items()}


def _tree_of(model: Any, variables: list[Any]) -> Any:
    """The frozen values of variables, nested as their paths are."""
    engine = frozen.engine(keras.backend.backend())
    stand_ins = [
        SimpleNamespace(path=variable.path, value=value)
        for variable, value in zip(
            variables, engine.freeze(variables, "cpu"), strict=True
        )
    ]
    return model._create_nested_dict(stand_ins, "backend_tensor")


def _thing(value: Any) -> Any:
    """What Orbax stores; it knows no arrays without dimensions."""
    if not isinstance(value, frozen.Frozen):
        return value
    array = value.array()
    return array if array.ndim else array.item()
