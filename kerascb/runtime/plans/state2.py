"""Where Keras 2 puts what into its own files, without the values.

A model is walked through as Keras does; but where Keras's own layers and
optimizers would give copies of their variables, these get their places.
Objects of other classes that decide themselves what they save are asked.
"""

from __future__ import annotations

import collections
import importlib
import posixpath
import tempfile
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerascb.layouts.hdf5 import Hdf5Skeleton
from kerascb.runtime.plans.planned import Variables
from kerascb.runtime.plans.variables2 import place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kerascb.layouts.hdf5 import Hdf5Layout

_ASSETS = "assets"

Found = list[tuple[str, Any]]
"""The path of every object within a model, and the object."""


@dataclass(frozen=True)
class State:
    """The state of a model, as Keras lays it out.

    Attributes:
        layout: The HDF5 file of weights.
        planned: Whose values go into it; then the seeds. It holds on to no
            variable: one may know, by a regularizer say, the model.
        assets: Name in the archive → content of what is not made of arrays.
        lasts: Whether it stays as it is while the model's variables do.
    """

    layout: Hdf5Layout
    planned: tuple[weakref.ref[Any], ...]
    assets: tuple[tuple[str, bytes], ...]
    lasts: bool

    @property
    def variables(self) -> tuple[Any, ...]:
        """The variables, for as long as the model is there."""
        return tuple(known() for known in self.planned)


def state_of(
    keras: Any, model: Any, seeds: Sequence[Any], note_size: int | None
) -> State:
    """Lays out the state of a model.

    Args:
        keras: The package.
        model: A built model.
        seeds: The states of its random generators.
        note_size: Bytes to keep free for kerascb's note; `None` for a file
            within an archive, which also has assets.

    Raises:
        NotPlannable: If a variable has no value of a fixed size, or something
            of the model lies where the note would.
    """
    found = _Walk(keras).through(model)
    skeleton, variables = Hdf5Skeleton(), Variables(place_of)
    asked = _write_variables(skeleton, variables, found, _Methods(keras))
    for seed in seeds:
        variables.index(seed)
    if note_size is not None:
        skeleton.reserve_note(note_size)
    has_assets = any(hasattr(item, "save_assets") for _, item in found)
    assets = _assets_of(found) if has_assets and note_size is None else ()
    return State(
        skeleton.finish(),
        tuple(map(weakref.ref, variables)),
        assets,
        lasts=not asked and not assets,
    )


class _Walk:
    """Finds the objects that Keras saves, and names them as Keras does."""

    def __init__(self, keras: Any) -> None:
        # Which attributes count, and as what, is decided in private there.
        self._lib = importlib.import_module(
            f"{keras.__name__}.src.saving.saving_lib"
        )
        self._words = importlib.import_module(
            f"{keras.__name__}.src.utils.generic_utils"
        )
        self._seen: set[int] = set()
        self._found: Found = []

    def through(self, model: Any) -> Found:
        """Everything within a model, each object before what is in it."""
        self._visit("", model)
        return self._found

    def _visit(self, path: str, item: Any) -> None:
        if id(item) in self._seen:
            return
        self._seen.add(id(item))
        self._found.append((path, item))
        for name, child in self._lib._walk_trackable(item):
            inner = posixpath.join(path, name)
            if self._lib._is_keras_trackable(child):
                self._visit(inner, child)
            elif isinstance(child, dict):
                self._visit_each(inner, list(child.values()))
            elif isinstance(child, (list, tuple, set)):
                self._visit_each(inner, child)

    def _visit_each(self, path: str, items: Iterable[Any]) -> None:
        named: collections.Counter[str] = collections.Counter()
        for item in items:
            known = id(item) in self._seen
            if known or not self._lib._is_keras_trackable(item):
                continue
            name = self._words.to_snake_case(item.__class__.__name__)
            suffix = f"_{named[name]}" if named[name] else ""
            named[name] += 1
            self._visit(posixpath.join(path, name + suffix), item)


class _Methods:
    """Tells whose variables are all that an object saves."""

    def __init__(self, keras: Any) -> None:
        optimizer = importlib.import_module(
            f"{keras.__name__}.src.optimizers.optimizer"
        )
        self._of_layers = keras.layers.Layer.save_own_variables
        self._of_optimizers = optimizer.Optimizer.save_own_variables

    def variables_of(self, item: Any) -> list[Any] | None:
        """What Keras's own method saves; `None` if another one decides."""
        method = getattr(type(item), "save_own_variables", None)
        if "save_own_variables" in vars(item):
            return None
        if method is self._of_layers:
            own: list[Any] = (
                item._trainable_weights + item._non_trainable_weights
            )
            return own
        if method is self._of_optimizers:
            return list(item.variables)
        return None


def _write_variables(
    skeleton: Hdf5Skeleton,
    variables: Variables,
    found: Found,
    methods: _Methods,
) -> bool:
    """Returns whether an object was asked, which wrote what it has now."""
    asked = False
    for path, item in found:
        if not hasattr(item, "save_own_variables"):
            continue
        group = skeleton.file
        if path:
            group = group.create_group(path)
        group = group.create_group("vars")
        own = methods.variables_of(item)
        if own is None:
            item.save_own_variables(group)
            asked = True
            continue
        for number, variable in enumerate(own):
            tensor = variables.tensor(str(number), variable)
            skeleton.reserve(
                group,
                tensor.name,
                tensor.shape,
                tensor.dtype,
                index=tensor.index,
            )
    return asked


def _assets_of(found: Found) -> tuple[tuple[str, bytes], ...]:
    with tempfile.TemporaryDirectory() as folder:
        for path, item in found:
            if hasattr(item, "save_assets"):
                inner = Path(folder, path)
                inner.mkdir(parents=True, exist_ok=True)
                item.save_assets(str(inner))
        files = sorted(one for one in Path(folder).rglob("*") if one.is_file())
        return tuple(
            (
                f"{_ASSETS}/{one.relative_to(folder).as_posix()}",
                one.read_bytes(),
            )
            for one in files
        )
