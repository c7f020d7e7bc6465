"""Saving and loading with Keras 3, including what it no longer writes."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import keras
import numpy as np

# Keras 3 has no public means to write Keras 2's HDF5 weights, and reads them
# only under some names.
from keras.src.legacy.saving import legacy_h5_format

from kerascb.errors import InvalidArgument
from kerascb.paths import is_remote
from kerascb.runtime import _hdf5_3, _saving
from kerascb.runtime._formats import Format
from kerascb.runtime._remote import gfile

if TYPE_CHECKING:
    from collections.abc import Mapping

ARCHIVE = os.path.join("assets.extra", "kerascb.keras")
"""The whole model inside a SavedModel; TensorFlow ignores that folder."""

_SEEDS = os.path.join("assets.extra", "kerascb_seeds.json")


def can_write(form: Format) -> bool:
    """Whether the installed packages suffice for a format.

    Args:
        form: Any format.
    """
    backend = keras.backend.backend()
    if form is Format.TF_CHECKPOINT:
        return bool(backend == "tensorflow")
    if form is not Format.SAVED_MODEL:
        return True
    if importlib.util.find_spec("tensorflow") is None:
        return False
    return backend in {"tensorflow", "jax"} or (
        backend == "torch" and importlib.util.find_spec("torch_xla") is not None
    )


def save(model: Any, path: str, form: Format, options: Any) -> None:
    """Writes a model.

    Args:
        model: The model.
        path: Where to; folders on the way are made.
        form: What `path` means.
        options: What TensorFlow takes as options of a checkpoint, or `None`.
    """
    _saving.make_parents(path)
    if form is Format.SAVED_MODEL:
        _save_directory(model, path)
    elif form is Format.TF_CHECKPOINT:
        _saving.write_checkpoint(model, path, options)
    elif form is Format.HDF5_WEIGHTS:
        with h5py.File(path, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, model)
    else:
        write = model.save_weights if form.is_weights else model.save
        _saving.call_with_accepted(write, path, overwrite=True)


def load_model(path: str, form: Format, **how: Any) -> Any:
    """Loads a whole model.

    Args:
        path: What to load.
        form: What it is.
        **how: `custom_objects`, `compile` and `safe_mode`.

    Raises:
        InvalidArgument: If a SavedModel holds the graph alone.
    """
    if form is Format.SAVED_MODEL:
        return _load_directory(path, how)
    if form is Format.HDF5:
        return _hdf5_3.load(path, **how)
    return keras.models.load_model(path, **how)


def load_weights(model: Any, path: str, form: Format) -> None:
    """Loads weights, and the optimizer's state where the file has it.

    Args:
        model: The model to load into.
        path: What to load.
        form: What it is.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and model.built and not optimizer.built:
        optimizer.build(model.trainable_variables)
    if form is Format.TF_CHECKPOINT:
        _saving.read_checkpoint(model, path)
    elif form is Format.SAVED_MODEL:
        model.load_weights(_archive_in(path))
    elif form in {Format.HDF5, Format.HDF5_WEIGHTS}:
        with h5py.File(path, "r") as file:
            group = file["model_weights"] if form is Format.HDF5 else file
            legacy_h5_format.load_weights_from_hdf5_group(group, model)
    else:
        model.load_weights(path)


def _save_directory(model: Any, folder: str) -> None:
    _saving.call_with_accepted(model.export, folder, verbose=False)
    _saving.make_parents(os.path.join(folder, ARCHIVE))
    keras.models.save_model(model, os.path.join(folder, ARCHIVE))
    seeds = [variable.numpy().tolist() for variable in _seeds_of(model)]
    with _open(os.path.join(folder, _SEEDS), "w") as file:
        json.dump(seeds, file)


def _load_directory(folder: str, how: Mapping[str, Any]) -> Any:
    model = keras.models.load_model(_archive_in(folder), **how)
    with _open(os.path.join(folder, _SEEDS), "r") as file:
        saved = json.load(file)
    for variable, seed in zip(_seeds_of(model), saved, strict=True):
        variable.assign(np.asarray(seed, dtype=variable.dtype))
    return model


def _archive_in(folder: str) -> str:
    archive = os.path.join(folder, ARCHIVE)
    if _exists(archive):
        return archive
    raise InvalidArgument(
        f"{folder!r} is a SavedModel with a graph only: no model can be made "
        "of it. kerascb.ModelCheckpoint writes the model into the "
        "directories it saves; for predictions from others use "
        "keras.layers.TFSMLayer."
    )


def _seeds_of(model: Any) -> list[Any]:
    """The states of dropout and its like, which no Keras file holds."""
    return [
        variable
        for variable in model.variables
        if variable.path.endswith("seed_generator_state")
    ]


def _open(path: str, mode: str) -> Any:
    return (
        gfile().GFile(path, mode) if is_remote(path) else Path(path).open(mode)
    )


def _exists(path: str) -> bool:
    return (
        bool(gfile().exists(path)) if is_remote(path) else Path(path).exists()
    )
