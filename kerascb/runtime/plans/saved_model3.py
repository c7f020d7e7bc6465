"""SavedModel directories of Keras 3: its graph, and the model beside it."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import keras

from kerascb.layouts.plan import NotPlannable
from kerascb.runtime import _model_inside, _saving
from kerascb.runtime._formats import Format
from kerascb.runtime.plans import one_file3
from kerascb.runtime.plans.saved_model import exported_once_a_fit

if TYPE_CHECKING:
    from collections.abc import Callable

    from kerascb.layouts.plan import Plan


def plan(model: Any) -> Plan:
    """Plans a SavedModel directory.

    Args:
        model: A model of Keras 3 on TensorFlow or JAX.

    Raises:
        NotPlannable: If the model cannot be saved from its variables.
    """
    backend = keras.backend.backend()
    if backend not in {"tensorflow", "jax"}:
        raise NotPlannable(f"the graph is traced anew on {backend}")
    archive = one_file3.plan(model, Format.KERAS)
    exported = exported_once_a_fit(
        model,
        lambda folder: _saving.call_with_accepted(
            model.export, folder, verbose=False
        ),
        stands_for=(
            (lambda root: _of_jax(model, root)) if backend == "jax" else None
        ),
    )
    return exported.plan(
        archive.variables,
        {PurePath(_model_inside.KERAS3_FILE).as_posix(): archive.files[""]},
        archive.seeds,
    )


def _of_jax(model: Any, root: Any) -> Callable[[Any], Any]:
    """Which variable of the model one of TensorFlow was copied from."""
    pairs = [
        *zip(root.trainable_variables, model.trainable_variables, strict=True),
        *zip(
            root.non_trainable_variables,
            model.non_trainable_variables,
            strict=True,
        ),
    ]
    sources = {id(copy): source for copy, source in pairs}

    def source_of(copy: Any) -> Any:
        if id(copy) not in sources:
            raise NotPlannable("its graph has variables that the model has not")
        return sources[id(copy)]

    return source_of
