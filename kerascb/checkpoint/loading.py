"""Back from disk: whatever a checkpoint of any dialect has left there."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py

from kerascb import runtime
from kerascb.errors import InvalidArgument
from kerascb.paths import is_remote
from kerascb.runtime import Format, Runtime

if TYPE_CHECKING:
    from collections.abc import Mapping

_KERAS2_SAVED_MODEL = "keras_metadata.pb"
_METADATA = "metadata.json"


@dataclass(frozen=True)
class Found:
    """What is at a path.

    Attributes:
        path: Where it really is.
        form: What it is, by its content.
        keras_version: The Keras that wrote it; empty if that is not noted.
    """

    path: str
    form: Format
    keras_version: str = ""


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Loads a whole model, its optimizer included, from every format.

    What a file holds decides where its name may mislead. A SavedModel
    directory comes back as the model that was saved, with its optimizer's
    state, whether `kerascb.ModelCheckpoint` wrote it from a Keras 3 model or
    Keras 2 did. The model belongs to the Keras that wrote the file where that
    is in use in this process, else to the Keras in force.

    Args:
        filepath: A `.keras` or HDF5 file, or a SavedModel directory.
        custom_objects: Name → class or function, for what is not Keras's.
        compile: Compile the model as it was, with the optimizer's state.
        safe_mode: Refuse code (lambdas) that came with the file.

    Returns:
        The model.

    Raises:
        FileNotFoundError: If there is nothing.
        InvalidArgument: If it holds weights only, or a graph only.
    """
    found = find(os.fspath(filepath))
    if found.form.is_weights:
        raise InvalidArgument(
            f"{found.path!r} is {found.form.value}, without the model they "
            "belong to. Build the model and call "
            "kerascb.load_weights(model, filepath)."
        )
    return _runtime_for(found).load_model(
        found.path,
        found.form,
        custom_objects=custom_objects,
        compile=compile,
        safe_mode=safe_mode,
    )


def load_weights(model: Any, filepath: str | os.PathLike[str]) -> None:
    """Loads weights into a model from every format that holds some.

    If the model is compiled, its optimizer's variables are made first, so that
    their state is loaded as well where the file has it.

    Args:
        model: A built model of the same architecture.
        filepath: A file of weights or of a whole model, a SavedModel
            directory, or the prefix of a TensorFlow checkpoint.

    Raises:
        FileNotFoundError: If there is nothing.
        InvalidArgument: If it holds a graph only, or a checkpoint of another
            model or optimizer.
    """
    found = find(os.fspath(filepath))
    runtime.of(model).load_weights(model, found.path, found.form)


def find(path: str) -> Found:
    """Looks what is at a path.

    Args:
        path: Of a file or a directory, or the prefix of a checkpoint.

    Raises:
        FileNotFoundError: If there is nothing.
        InvalidArgument: If it is nothing that Keras or kerascb wrote.
    """
    place = Path(path)
    if is_remote(path):
        return Found(path, _by_name(path))
    if place.is_dir():
        return _in_directory(place)
    if place.is_file():
        return _in_file(place)
    if Path(f"{path}.index").is_file():
        return Found(path, Format.TF_CHECKPOINT)
    if Path(f"{path}.weights.h5").is_file():
        return Found(f"{path}.weights.h5", Format.WEIGHTS)
    raise FileNotFoundError(f"No model and no weights at {path!r}.")


def _by_name(path: str) -> Format:
    if path.endswith(".keras"):
        return Format.KERAS
    if path.endswith(".weights.h5"):
        return Format.WEIGHTS
    is_hdf5 = path.endswith((".h5", ".hdf5"))
    return Format.HDF5 if is_hdf5 else Format.SAVED_MODEL


def _in_directory(folder: Path) -> Found:
    if (folder / _KERAS2_SAVED_MODEL).is_file():
        return Found(str(folder), Format.SAVED_MODEL, "2")
    if (folder / "saved_model.pb").is_file():
        return Found(str(folder), Format.SAVED_MODEL, "3")
    # An unzipped archive or one of Orbax's: Keras tells them apart itself.
    return Found(str(folder), Format.KERAS)


def _in_file(file: Path) -> Found:
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            if _METADATA in archive.namelist():
                metadata = json.loads(archive.read(_METADATA))
                version = metadata.get("keras_version", "")
                return Found(str(file), Format.KERAS, version)
    if not h5py.is_hdf5(file):
        raise InvalidArgument(
            f"{str(file)!r} is neither a .keras archive nor an HDF5 file."
        )
    with h5py.File(file, "r") as content:
        attributes = dict(content.attrs)
    version = attributes.get("keras_version", "")
    if isinstance(version, bytes):
        version = version.decode()
    if "model_config" in attributes:
        return Found(str(file), Format.HDF5, str(version))
    if "layer_names" in attributes:
        return Found(str(file), Format.HDF5_WEIGHTS, str(version))
    return Found(str(file), Format.WEIGHTS)


def _runtime_for(found: Found) -> Runtime:
    major = found.keras_version.partition(".")[0]
    candidates = runtime.loaded()
    if found.form is Format.SAVED_MODEL:
        # Unlike a file, a directory of one Keras is nothing to the other.
        candidates = runtime.installed()
    for candidate in candidates:
        if candidate.version.startswith(f"{major}."):
            return candidate
    if found.form is Format.SAVED_MODEL and major:
        package = "tf_keras" if major == "2" else "keras"
        raise InvalidArgument(
            f"{found.path!r} was saved with Keras {major}, which is not "
            f"installed. pip install {package}."
        )
    return candidates[0]
