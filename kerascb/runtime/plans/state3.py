"""Where Keras 3 puts what into its own files, without the values.

Keras itself walks through the model, so that groups, names and attributes are
those of the Keras that is installed; it only hands its variables to a store
that keeps places for them instead of copies.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

# The walk and its stores are private, and all there is.
from keras.src.saving import saving_lib
from keras.src.saving.keras_saveable import KerasSaveable

from kerascb.layouts import notes
from kerascb.layouts.hdf5 import Hdf5Skeleton
from kerascb.runtime.plans.planned import Variables
from kerascb.runtime.plans.variables3 import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kerascb.layouts.hdf5 import Hdf5Layout

_HOOKS = ("save_own_variables", "save_assets")
_ASSETS = "assets"
_LARGE = 64 * 1024
"""Bytes from which on an array does not go through h5py."""


@dataclass(frozen=True)
class State:
    """The state of a model, as Keras lays it out.

    Attributes:
        layout: The HDF5 file of weights.
        assets: Name in the archive → content of what is not made of arrays.
        variables: Whose values go into the file; the seeds are the last.
        lasts: Whether it stays as it is while the model's variables do.
    """

    layout: Hdf5Layout
    assets: tuple[tuple[str, bytes], ...]
    variables: tuple[Any, ...]
    lasts: bool


def state_of(
    model: Any, seeds: Sequence[Any], *, whole: bool, watched: Sequence[Any]
) -> State:
    """Lays out the state of a model.

    Args:
        model: A built model.
        seeds: The states of its random generators.
        whole: Also the assets; for an archive, whose note is elsewhere.
        watched: The variables that are looked at before a layout is used
            again: one that has others does not last.

    Raises:
        NotPlannable: If a variable has no value of a fixed size here, or
            something of the model lies where the note would.
    """
    objects = _objects_of(model)
    store = _PlaceStore()
    assets = _walk(model, objects, store, whole=whole)
    for seed in seeds:
        store.variables.index(seed)
    if not whole:
        store.skeleton.reserve_note(notes.room_for(len(seeds)))
    known = {id(variable) for variable in watched}
    lasts = not store.was_given_copies and all(
        id(variable) in known for variable in store.variables
    )
    return State(
        layout=store.skeleton.finish(),
        assets=assets,
        variables=tuple(store.variables),
        lasts=lasts and not any(map(_decides_itself, objects)),
    )


class _PlaceStore(saving_lib.H5IOStore):  # type: ignore[misc]
    """A store that keeps places for variables.

    Attributes:
        skeleton: The file with the places.
        variables: What it was given.
        was_given_copies: Whether it was given also arrays, which are in the
            file already.
    """

    def __init__(self) -> None:
        self.skeleton = Hdf5Skeleton()
        self.variables = Variables(place_of)
        self.was_given_copies = False
        super().__init__(io.BytesIO(), mode="w")

    def _get_h5_file(self, path_or_io: Any, mode: str | None = None) -> Any:
        return self.skeleton.file

    def __setitem__(self, key: str, value: Any) -> None:
        if isinstance(value, keras.Variable):
            tensor = self.variables.tensor(key, value)
            dataset = self.skeleton.reserve(
                self._group(),
                tensor.name,
                tensor.shape,
                tensor.dtype,
                index=tensor.index,
            )
        else:
            self.was_given_copies = True
            value = keras.ops.convert_to_numpy(value)
            if value.nbytes < _LARGE:
                super().__setitem__(key, value)
                return
            dataset = self.skeleton.put(self._group(), key, value)
        if keras.backend.standardize_dtype(value.dtype) == "bfloat16":
            dataset.attrs["dtype"] = "bfloat16"

    def _group(self) -> Any:
        if not self._h5_entry_initialized:
            self._create_h5_group(self._h5_entry_path)
        return self._h5_entry_group


def _walk(
    model: Any, objects: Sequence[Any], store: _PlaceStore, *, whole: bool
) -> tuple[tuple[str, bytes], ...]:
    """Lets Keras fill a store; returns the assets."""
    has_assets = whole and any(hasattr(item, _HOOKS[1]) for item in objects)
    folder = saving_lib.DiskIOStore(_ASSETS, mode="w") if has_assets else None
    try:
        with _handing_variables(objects):
            saving_lib._save_state(
                model,
                weights_store=store,
                assets_store=folder,
                inner_path="",
                visited_saveables=set(),
            )
        return tuple(_files_in(folder.working_dir)) if folder else ()
    finally:
        if folder:
            folder.close()


def _files_in(folder: str) -> Iterator[tuple[str, bytes]]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            inside = path.relative_to(folder).as_posix()
            yield f"{_ASSETS}/{inside}", path.read_bytes()


@contextlib.contextmanager
def _handing_variables(objects: Sequence[Any]) -> Iterator[None]:
    """Has optimizers give their variables, of which they give copies."""
    optimizers = [
        item
        for item in objects
        if isinstance(item, keras.optimizers.Optimizer)
        and _is_of_keras(item, "save_own_variables")
    ]
    for optimizer in optimizers:
        vars(optimizer)["save_own_variables"] = functools.partial(
            _hand_variables, optimizer
        )
    try:
        yield
    finally:
        for optimizer in optimizers:
            del vars(optimizer)["save_own_variables"]


def _hand_variables(optimizer: Any, store: Any) -> None:
    for index, variable in enumerate(optimizer.variables):
        store[str(index)] = variable


def _decides_itself(item: Any) -> bool:
    """Whether what an object saves may be other than it was the last time."""
    return hasattr(item, "save_assets") or not all(
        _is_of_keras(item, hook) for hook in _HOOKS
    )


def _is_of_keras(item: Any, hook: str) -> bool:
    method = getattr(item, hook, None)
    home = getattr(method, "__module__", None) or ""
    return method is None or home.partition(".")[0] == "keras"


def _objects_of(model: Any) -> list[Any]:
    """The model and all within that Keras may ask for its state."""
    found: dict[int, Any] = {}  # keeps them: ids of the dead are given anew
    waiting = [model]
    while waiting:
        item = waiting.pop()
        if id(item) in found:
            continue
        found[id(item)] = item
        waiting.extend(
            child
            for child in _children(item)
            if isinstance(child, (KerasSaveable, list, dict, tuple))
        )
    return [item for item in found.values() if isinstance(item, KerasSaveable)]


def _children(item: Any) -> Iterator[Any]:
    if isinstance(item, KerasSaveable):
        yield from (child for _, child in saving_lib._walk_saveable(item))
    elif isinstance(item, dict):
        yield from item.values()
    else:
        yield from item
