"""Saving and loading with Keras 2."""

from __future__ import annotations

import importlib
import os
from typing import Any

import h5py

from kerascb.runtime import (
    _model_inside,
    _one_file,
    _saving,
    _tensorflow_checkpoints,
)
from kerascb.runtime._formats import Format
from kerascb.runtime._notes import restore_seeds
from kerascb.runtime._optimizers import build_optimizer, warn_of_fresh
from kerascb.runtime.plans.variables2 import seeds_of


def save(model: Any, path: str, form: Format, options: Any) -> None:
    """Writes a model with its own methods: Keras 2 knows every format.

    Args:
        model: The model.
        path: Where to; folders on the way are made.
        form: What `path` means.
        options: What TensorFlow takes as options of this format, or `None`.
    """
    _saving.make_parents(path)
    write = model.save_weights if form.is_weights else model.save
    is_used = options and form.takes_options("keras2")
    extra = {"options": options} if is_used else {}
    with _one_file.writing(path, form) as local:
        _saving.call_with_accepted(write, local, overwrite=True, **extra)
    if form is Format.SAVED_MODEL:
        _model_inside.remove(path, _model_inside.KERAS3_FILE)


def load_model(keras: Any, path: str, form: Format, **how: Any) -> Any:
    """Loads a whole model; from a SavedModel its optimizer's state as well.

    Args:
        keras: The package.
        path: What to load.
        form: What it is.
        **how: `custom_objects`, `compile` and `safe_mode`.
    """
    if form is not Format.KERAS:
        how.pop("safe_mode")
    with _one_file.reading(path, form) as local:
        model = keras.models.load_model(local, **how)
        if form is Format.HDF5:
            # Keras gives up on an optimizer that scales losses.
            _restore_optimizer(keras, model, local)
        restore_seeds(seeds_of(model), local)
    if form is Format.SAVED_MODEL and getattr(model, "optimizer", None):
        # The directory holds the optimizer; Keras's own loader looks only at
        # the layers. Saved before its first step, it has no variables there.
        build_optimizer(model)
        _tensorflow_checkpoints.read_what_is_there(model, _variables_in(path))
    return model


def load_weights(keras: Any, model: Any, path: str, form: Format) -> None:
    """Loads weights, and the optimizer's state where the file has it.

    Args:
        keras: The package.
        model: The model to load into.
        path: What to load.
        form: What it is.
    """
    build_optimizer(model)
    if form is Format.TF_CHECKPOINT:
        _tensorflow_checkpoints.read_checkpoint(model, path)
        restore_seeds(seeds_of(model), path)
    elif form is Format.SAVED_MODEL:
        _tensorflow_checkpoints.read_checkpoint(model, _variables_in(path))
        restore_seeds(seeds_of(model), path)
    else:
        with _one_file.reading(path, form) as local:
            if form in {Format.HDF5, Format.HDF5_WEIGHTS}:
                _load_hdf5_weights(keras, model, local, form)
                _restore_optimizer(keras, model, local)
            else:
                model.load_weights(local)
            restore_seeds(seeds_of(model), local)


def _load_hdf5_weights(keras: Any, model: Any, path: str, form: Format) -> None:
    # By content: `save_weights("w.keras")` writes such a file, which
    # `load_weights` then refuses for its name.
    with h5py.File(path, "r") as file:
        group = file["model_weights"] if form is Format.HDF5 else file
        _hdf5(keras).load_weights_from_hdf5_group(group, model)


def _restore_optimizer(keras: Any, model: Any, path: str) -> None:
    """Restores an optimizer from an HDF5 file that has its state."""
    optimizer = getattr(model, "optimizer", None)
    with h5py.File(path, "r") as file:
        if optimizer is None or "optimizer_weights" not in file:
            return
        values = [
            value[()]
            for value in _hdf5(keras).load_optimizer_weights_from_hdf5_group(
                file
            )
        ]
    variables = optimizer.variables()
    if [tuple(v.shape) for v in variables] == [v.shape for v in values]:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
    elif any(value.shape for value in values):  # it had begun to train
        warn_of_fresh(optimizer, path)


def _hdf5(keras: Any) -> Any:
    return importlib.import_module(
        f"{keras.__name__}.src.saving.legacy.hdf5_format"
    )


def _variables_in(folder: str) -> str:
    return os.path.join(folder, "variables", "variables")
