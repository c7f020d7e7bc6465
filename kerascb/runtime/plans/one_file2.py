"""Checkpoints of one file, planned from a model of Keras 2."""

from __future__ import annotations

import datetime
import importlib
import json
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from kerascb.layouts import legacy_hdf5, notes
from kerascb.layouts.archive import ZipLayout
from kerascb.layouts.plan import NotPlannable
from kerascb.runtime._formats import Format
from kerascb.runtime.plans.legacy2 import LegacyFiles
from kerascb.runtime.plans.plan_cache import PlanCache
from kerascb.runtime.plans.planned import Variables, plan_of
from kerascb.runtime.plans.state2 import State, state_of
from kerascb.runtime.plans.variables2 import place_of, seeds_of

if TYPE_CHECKING:
    from kerascb.layouts.plan import Plan

_states: dict[Format, PlanCache[State]] = {
    Format.KERAS: PlanCache(),
    Format.WEIGHTS: PlanCache(),
}


def plan(keras: Any, model: Any, form: Format) -> Plan:
    """Plans a checkpoint.

    Args:
        keras: The package of the model's Keras.
        model: The model.
        form: A format of one file.

    Raises:
        NotPlannable: If the model cannot be saved from its variables.
        ValueError: As Keras does, if the weights have not been made.
        NotImplementedError: As Keras does, if a whole model shall go into an
            HDF5 file and cannot be made again from its configuration.
    """
    if not tf.executing_eagerly():
        raise NotPlannable("TensorFlow does not execute eagerly")
    if not form.is_one_file:
        raise NotPlannable(f"there is no plan for {form.value}")
    if not isinstance(model, keras.Model):
        raise NotPlannable("it is no model of Keras")
    if form is Format.KERAS:
        return _plan_archive(keras, model)
    if form is Format.WEIGHTS:
        state = _state_of(keras, model, form)
        return plan_of(state.layout, state.variables, seeds_of(model))
    return _plan_legacy(keras, model, form)


def _plan_archive(keras: Any, model: Any) -> Plan:
    state = _state_of(keras, model, Format.KERAS)
    # The scope in which objects that appear twice are written once.
    scope = importlib.import_module(
        f"{keras.__name__}.src.saving.serialization_lib"
    ).ObjectSharingScope
    with scope():
        config = keras.saving.serialize_keras_object(model)
    now = datetime.datetime.now()
    metadata = {
        "keras_version": keras.__version__,
        "date_saved": now.strftime("%Y-%m-%d@%H:%M:%S"),
    }
    archive = ZipLayout(
        (
            ("metadata.json", json.dumps(metadata).encode()),
            ("config.json", json.dumps(config).encode()),
            ("model.weights.h5", state.layout),
            *state.assets,
        )
    )
    return plan_of(archive, state.variables, seeds_of(model))


def _state_of(keras: Any, model: Any, form: Format) -> State:
    if not model.built:
        raise NotPlannable("it has not been built")
    seeds = seeds_of(model)
    watched = [*_watched(model), *seeds]
    has_note = form is Format.WEIGHTS
    note_size = notes.room_for(len(seeds)) if has_note else None
    cache = _states[form]
    state = cache.get(
        model, watched, lambda: state_of(keras, model, seeds, note_size)
    )
    known = {id(variable) for variable in watched}
    if not state.lasts or any(id(one) not in known for one in state.variables):
        cache.forget(model)
    return state


def _watched(model: Any) -> list[Any]:
    """The variables by which one sees whether a model is what it was."""
    optimizer = getattr(getattr(model, "optimizer", None), "variables", ())
    return [
        *model.weights,
        # Of older optimizers it is a method; their state is left out.
        *(optimizer if isinstance(optimizer, list) else ()),
        *(one for metric in model.metrics for one in metric.variables),
    ]


def _plan_legacy(keras: Any, model: Any, form: Format) -> Plan:
    variables, seeds = Variables(place_of), seeds_of(model)
    files = LegacyFiles(keras)
    content: legacy_hdf5.Model | legacy_hdf5.Weights
    if form is Format.HDF5:
        content = files.describe_model(model, variables)
    else:
        content = files.describe_weights(model, variables)
    layout = legacy_hdf5.lay_out(content, notes.room_for(len(seeds)))
    for seed in seeds:
        variables.index(seed)
    return plan_of(layout, variables, seeds)
