"""Saving and loading with Keras 3, including what it no longer writes."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import zipfile
from typing import TYPE_CHECKING, Any

import h5py
import keras

# Keras 3 has no public means to write Keras 2's HDF5 weights, and reads them
# only under some names.
from keras.src.legacy.saving import legacy_h5_format

from kerascb.errors import InvalidArgument
from kerascb.layouts import notes
from kerascb.runtime import (
    _hdf5_3,
    _model_inside,
    _one_file,
    _saving,
    _tensorflow_checkpoints,
)
from kerascb.runtime._files import files_of
from kerascb.runtime._formats import Format
from kerascb.runtime._notes import restore_seeds
from kerascb.runtime._optimizers import build_optimizer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


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
        _tensorflow_checkpoints.write_checkpoint(model, path, options)
    else:
        with _one_file.writing(path, form) as local:
            _save_file(model, local, form)


def _save_file(model: Any, path: str, form: Format) -> None:
    if form is Format.HDF5_WEIGHTS:
        with h5py.File(path, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, model)
        return
    write = model.save_weights if form.is_weights else model.save
    with keeping_compile_config(model):
        _saving.call_with_accepted(write, path, overwrite=True)


@contextlib.contextmanager
def keeping_compile_config(model: Any) -> Iterator[None]:
    """Undoes that Keras, writing HDF5, takes the optimizer out of it.

    Every archive written later would lack the optimizer.
    """
    config = getattr(getattr(model, "_compile_config", None), "config", None)
    if config is None:
        yield
        return
    before = dict(config)
    try:
        yield
    finally:
        config.clear()  # its order shows in every archive
        config.update(before)


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
    with _one_file.reading(path, form) as local:
        if form is Format.HDF5:
            model = _hdf5_3.load(local, **how)
        else:
            model = keras.models.load_model(local, **how)
        restore_seeds(seeds_of(model), local)
    return model


def load_weights(model: Any, path: str, form: Format) -> None:
    """Loads weights, and the optimizer's state where the file has it.

    Args:
        model: The model to load into.
        path: What to load.
        form: What it is.
    """
    build_optimizer(model)
    if form is Format.TF_CHECKPOINT:
        _tensorflow_checkpoints.read_checkpoint(model, path)
        restore_seeds(seeds_of(model), path)
        return
    if form is Format.SAVED_MODEL:
        path, form = _archive_in(path), Format.KERAS
    with _one_file.reading(path, form) as local:
        if form in {Format.HDF5, Format.HDF5_WEIGHTS}:
            _hdf5_3.load_weights(model, local)
        else:
            model.load_weights(local)
        restore_seeds(seeds_of(model), local)


def _save_directory(model: Any, folder: str) -> None:
    archive = os.path.join(folder, _model_inside.KERAS3_FILE)
    _saving.make_parents(archive)
    # The archive takes its place last: graph and model go together, and an
    # attempt that fails leaves the model that was there.
    with files_of(folder).replacing(archive) as local:
        keras.models.save_model(model, local)
        seeds = [variable.numpy().tolist() for variable in seeds_of(model)]
        with zipfile.ZipFile(local, "a") as file:
            file.comment = notes.encode({"seeds": seeds})
        _model_inside.remove(folder, _model_inside.KERAS2_FILE)
        _saving.call_with_accepted(model.export, folder, verbose=False)


def _load_directory(folder: str, how: Mapping[str, Any]) -> Any:
    with _one_file.reading(_archive_in(folder), Format.KERAS) as local:
        model = keras.models.load_model(local, **how)
        restore_seeds(seeds_of(model), local)
    return model


def _archive_in(folder: str) -> str:
    archive = os.path.join(folder, _model_inside.KERAS3_FILE)
    if files_of(folder).exists(archive):
        return archive
    raise InvalidArgument(
        f"{folder!r} is a SavedModel with a graph only: no model can be made "
        "of it. kerascb.ModelCheckpoint writes the model into the "
        "directories it saves; for predictions from others use "
        "keras.layers.TFSMLayer."
    )


def seeds_of(model: Any) -> list[Any]:
    """The states of dropout and its like, which no Keras file holds."""
    return [
        variable
        for variable in model.variables
        if variable.path.endswith("seed_generator_state")
    ]
