"""Saving and loading with Keras 2."""

from __future__ import annotations

import importlib
import os
from typing import Any

import h5py

from kerascb.runtime import _saving
from kerascb.runtime._formats import Format


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
    takes_options = form not in {Format.KERAS, Format.WEIGHTS}
    extra = {"options": options} if options and takes_options else {}
    _saving.call_with_accepted(write, path, overwrite=True, **extra)


def load_model(keras: Any, path: str, form: Format, **how: Any) -> Any:
    """Loads a whole model; from a SavedModel its optimizer's state as well.

    Args:
        keras: The package.
        path: What to load.
        form: What it is.
        **how: `custom_objects`, `compile` and `safe_mode`.
    """
    is_archive = form is Format.KERAS
    if not is_archive:
        how.pop("safe_mode")
    model = keras.models.load_model(path, **how)
    if form is Format.SAVED_MODEL and getattr(model, "optimizer", None):
        _restore_optimizer(model, path)
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
    if form in {Format.HDF5, Format.HDF5_WEIGHTS}:
        # By content: `save_weights("w.keras")` writes such a file, which
        # `load_weights` then refuses for its name.
        hdf5 = importlib.import_module(
            f"{keras.__name__}.src.saving.legacy.hdf5_format"
        )
        with h5py.File(path, "r") as file:
            group = file["model_weights"] if form is Format.HDF5 else file
            hdf5.load_weights_from_hdf5_group(group, model)
        return
    status = model.load_weights(path)
    if form in {Format.TF_CHECKPOINT, Format.SAVED_MODEL}:
        _saving.require_match(status, path)


def build_optimizer(model: Any) -> None:
    """Makes the variables of a compiled model's optimizer, if it can.

    Keras loads what it finds variables for, and leaves out the rest.

    Args:
        model: A model, compiled or not, built or not.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or not getattr(model, "built", False):
        return
    if hasattr(optimizer, "build"):
        optimizer.build(model.trainable_variables)
    else:  # an optimizer of `optimizers.legacy`
        optimizer._create_all_weights(model.trainable_variables)


def _restore_optimizer(model: Any, folder: str) -> None:
    # The directory holds the optimizer; Keras's own loader looks only at the
    # layers.
    build_optimizer(model)
    prefix = os.path.join(folder, "variables", "variables")
    if _has_optimizer(prefix):
        _saving.read_checkpoint(model, prefix)


def _has_optimizer(prefix: str) -> bool:
    import tensorflow as tf

    return any(
        name.startswith("optimizer/")
        for name, _ in tf.train.list_variables(prefix)
    )
