"""Whole models out of HDF5 files, into Keras 3.

Keras 3 writes such files, but what it loads from them cannot be trained on:
it builds the optimizer for no variable at all, and falls over a loss that was
compiled by its short name.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

import h5py
import keras
from keras.src.legacy.saving import legacy_h5_format

from kerascb.runtime import _optimizers

_KERAS2_PREFIX = "Custom>"
"""How Keras 2 begins the names of its own optimizers."""


def load(
    path: str,
    custom_objects: Mapping[str, Any] | None,
    compile: bool,
    safe_mode: bool,
) -> Any:
    """Loads a model, and compiles it as it was compiled.

    Args:
        path: The file.
        custom_objects: Name → class or function, for what is not Keras's.
        compile: Compile it and load the optimizer's state.
        safe_mode: Refuse lambdas that came with the file.
    """
    model = keras.models.load_model(
        path,
        custom_objects=custom_objects,
        compile=False,
        safe_mode=safe_mode,
    )
    with (
        h5py.File(path, "r") as file,
        keras.saving.custom_object_scope(dict(custom_objects or {})),
    ):
        config = file.attrs.get("training_config")
        if compile and config is not None:
            _compile(model, json.loads(config))
            _restore_optimizer(model, file)
    return model


def load_weights(model: Any, path: str) -> None:
    """Loads weights, and the optimizer's state where the file has it.

    Args:
        model: The model to load into.
        path: The file: of a whole model, or of weights in Keras 2's layout.
    """
    with h5py.File(path, "r") as file:
        group = file.get("model_weights", file)
        legacy_h5_format.load_weights_from_hdf5_group(group, model)
        if getattr(model, "optimizer", None) is not None:
            _restore_optimizer(model, file)


def _compile(model: Any, config: Mapping[str, Any]) -> None:
    model.compile(
        optimizer=_optimizer(config["optimizer_config"]),
        loss=_revive(config.get("loss"), keras.losses.deserialize),
        metrics=_revive(config.get("metrics"), _metric),
        weighted_metrics=_revive(config.get("weighted_metrics"), _metric),
        loss_weights=config.get("loss_weights"),
    )


def _optimizer(config: Mapping[str, Any]) -> Any:
    name, settings = config["class_name"], dict(config["config"])
    if _registered(name) is None and name.startswith(_KERAS2_PREFIX):
        name = name.removeprefix(_KERAS2_PREFIX)
        kind = _registered(name) or getattr(keras.optimizers, name, None)
        if kind is not None:
            # Keras 2's has settings beyond, such as `is_legacy_optimizer`.
            known = inspect.signature(kind).parameters
            settings = {key: settings[key] for key in settings if key in known}
    return keras.optimizers.deserialize(
        {"class_name": name, "config": settings}
    )


def _metric(config: Mapping[str, Any]) -> Any:
    settings = config["config"]
    if isinstance(settings.get("fn"), str):
        # Keras 2 wraps what was compiled by name; the name says it as well.
        return _registered(settings["fn"]) or settings["name"]
    return keras.metrics.deserialize(config)


def _revive(config: Any, deserialize: Callable[[Any], Any]) -> Any:
    """Objects out of their configurations, as deep as they are nested.

    Names that are Keras's own stay names: `compile` knows them better than
    any deserializer.
    """
    if isinstance(config, str):
        return _registered(config) or config
    if isinstance(config, Mapping):
        if "class_name" in config:
            return deserialize(config)
        return {
            name: _revive(item, deserialize) for name, item in config.items()
        }
    if isinstance(config, list):
        return [_revive(item, deserialize) for item in config]
    return config


def _registered(name: str) -> Any:
    """What the user calls by a name, or has registered; else `None`."""
    return keras.saving.get_registered_object(name)


def _restore_optimizer(model: Any, file: Any) -> None:
    if "optimizer_weights" not in file:
        return
    optimizer = model.optimizer
    _optimizers.build_optimizer(model)
    values = legacy_h5_format.load_optimizer_weights_from_hdf5_group(file)
    rate = getattr(optimizer, "_learning_rate", None)
    # Keras 2 does not count the learning rate among an optimizer's variables.
    without_rate = [v for v in optimizer.variables if v is not rate]
    for variables in (optimizer.variables, without_rate):
        if [tuple(v.shape) for v in variables] == [v.shape for v in values]:
            for variable, value in zip(variables, values, strict=True):
                variable.assign(value[()])
            return
    if any(value.shape for value in values):  # it had begun to train
        _optimizers.warn_of_fresh(optimizer, file.filename)
