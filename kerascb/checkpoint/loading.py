"""Back from disk: whatever a checkpoint of any dialect has left there."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import h5py

from kerascb import runtime
from kerascb.checkpoint.files.filesystem import filesystem_of
from kerascb.checkpoint.files.parts import opened
from kerascb.checkpoint.files.remote import lent
from kerascb.errors import InvalidArgument
from kerascb.runtime import Format, Runtime

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HDF5 = b"\x89HDF\r\n\x1a\n"
_METADATA = "metadata.json"
_SHARDED_WEIGHTS = ".weights.json"
_ORBAX_FILES = frozenset(
    {"orbax.checkpoint", "pytree.orbax-checkpoint", "checkpoint_metadata"}
)


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
    """Loads a whole model from every format, its optimizer included.

    The optimizer starts anew where Keras does not save its state: Keras 2
    leaves that of `optimizers.legacy` out of `.keras` files, and the scale
    that a `LossScaleOptimizer` has found out of HDF5 files.

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
        InvalidArgument: If it holds weights only, or a graph only, or if it
            is nothing that Keras or kerascb wrote.
    """
    found = find(os.fspath(filepath))
    if found.form.is_weights:
        raise InvalidArgument(
            f"{found.path!r} is {found.form.value}, without the model they "
            "belong to. Build the model and call "
            "kerascb.load_weights(model, filepath)."
        )
    with lent(found.path) as readable:
        return _runtime_for(found).load_model(
            readable,
            found.form,
            custom_objects=custom_objects,
            compile=compile,
            safe_mode=safe_mode,
        )


def load_weights(model: Any, filepath: str | os.PathLike[str]) -> None:
    """Loads weights into a model from every format that holds some.

    If the model is compiled, its optimizer's state is loaded as well where the
    file has it: whole models have, TensorFlow checkpoints and `.weights.h5`
    files (but those of Keras 2's `optimizers.legacy`). The state of another
    optimizer, told by the shapes of its variables, is left out.

    Args:
        model: A built model of the same architecture.
        filepath: A file of weights or of a whole model, a SavedModel
            directory, or the prefix of a TensorFlow checkpoint.

    Raises:
        FileNotFoundError: If there is nothing.
        InvalidArgument: If it holds a graph only, or a checkpoint of another
            model, or if it is nothing that Keras or kerascb wrote.
    """
    found = find(os.fspath(filepath))
    with lent(found.path) as readable:
        runtime.of(model).load_weights(model, readable, found.form)


def find(path: str) -> Found:
    """Looks what is at a path.

    Args:
        path: Of a file or a directory, or the prefix of a checkpoint.

    Raises:
        FileNotFoundError: If there is nothing.
        InvalidArgument: If it is nothing that Keras or kerascb wrote.
    """
    files = filesystem_of(path)
    kind = files.kind(path)
    if kind == "folder":
        return _in_directory(path, frozenset(files.names(path)))
    if kind == "file":
        with opened(path) as file:
            return _in_file(path, file)
    if files.kind(f"{path}.index") == "file":
        return Found(path, Format.TF_CHECKPOINT)
    if files.kind(f"{path}.weights.h5") == "file":
        return Found(f"{path}.weights.h5", Format.WEIGHTS)
    raise FileNotFoundError(f"No model and no weights at {path!r}.")


def _in_directory(folder: str, names: frozenset[str]) -> Found:
    if "saved_model.pb" in names:
        return Found(folder, Format.SAVED_MODEL, runtime.owner_of(names))
    # An unzipped archive or one of Orbax's: Keras tells them apart itself.
    if (
        "config.json" in names
        or names & _ORBAX_FILES
        or any(name.isdigit() for name in names)
    ):
        return Found(folder, Format.KERAS)
    prefixes = sorted(
        name.removesuffix(".index") for name in names if name.endswith(".index")
    )
    hint = (
        f" It has TensorFlow checkpoints; give the prefix of one: "
        f"{os.path.join(folder, prefixes[-1])!r}."
        if prefixes
        else ""
    )
    raise InvalidArgument(
        f"There is no model and no weights in the directory {folder!r}.{hint}"
    )


def _in_file(path: str, file: BinaryIO) -> Found:
    if path.endswith(_SHARDED_WEIGHTS):
        return Found(path, Format.WEIGHTS)
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            if _METADATA in archive.namelist():
                metadata = json.loads(archive.read(_METADATA))
                version = metadata.get("keras_version", "")
                return Found(path, Format.KERAS, version)
    file.seek(0)
    if file.read(len(_HDF5)) != _HDF5:
        raise InvalidArgument(
            f"{path!r} is neither a .keras archive nor an HDF5 file."
        )
    with h5py.File(file, "r") as content:
        names = frozenset(content.attrs)
        version = content.attrs.get("keras_version", "")
    if isinstance(version, bytes):
        version = version.decode()
    if "model_config" in names:
        return Found(path, Format.HDF5, str(version))
    if "layer_names" in names:
        return Found(path, Format.HDF5_WEIGHTS, str(version))
    return Found(path, Format.WEIGHTS)


def _runtime_for(found: Found) -> Runtime:
    major = found.keras_version.partition(".")[0]
    for candidate in _candidates(found):
        if candidate.version.startswith(f"{major}."):
            return candidate
    if found.form is Format.SAVED_MODEL:
        package = "tf_keras" if major == "2" else "keras"
        raise InvalidArgument(
            f"{found.path!r} was saved with Keras {major}, which is not "
            f"installed. pip install {package}."
        )
    return runtime.in_force()


def _candidates(found: Found) -> Iterator[Runtime]:
    yield from runtime.loaded()
    if found.form is Format.SAVED_MODEL:
        # Unlike a file, a directory of one Keras is nothing to the other. No
        # other Keras is imported but for one that those in use cannot read.
        yield from runtime.installed()
