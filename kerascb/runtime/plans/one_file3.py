"""Checkpoints of one file, planned from a model of Keras 3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
from keras.src.saving import saving_lib

from kerascb.layouts import legacy_hdf5, notes
from kerascb.layouts.archive import ZipLayout
from kerascb.layouts.plan import NotPlannable
from kerascb.runtime._formats import Format
from kerascb.runtime._saving3 import seeds_of
from kerascb.runtime.plans import legacy3
from kerascb.runtime.plans.plan_cache import PlanCache
from kerascb.runtime.plans.planned import Variables, plan_of
from kerascb.runtime.plans.state3 import State, state_of
from kerascb.runtime.plans.variables3 import place_of

if TYPE_CHECKING:
    from kerascb.layouts.hdf5 import Hdf5Layout
    from kerascb.layouts.plan import Plan


@dataclass(frozen=True)
class _Kept:
    """A layout, and which of the model's variables are in it.

    It does not hold them: they may know, by a regularizer or so, the model
    that it dies with.
    """

    layout: Hdf5Layout
    variables: tuple[int, ...]


_kept: dict[Format, PlanCache[_Kept]] = {
    Format.KERAS: PlanCache(),
    Format.WEIGHTS: PlanCache(),
}


def plan(model: Any, form: Format) -> Plan:
    """Plans a checkpoint.

    Args:
        model: A model of Keras 3, up to date and without a wrapper.
        form: A format of one file.

    Raises:
        NotPlannable: If the model cannot be saved from its variables.
    """
    if not form.is_one_file:
        raise NotPlannable(f"there is no plan for {form.value}")
    if not isinstance(model, keras.Model):
        raise NotPlannable("it is no model of Keras")
    if not model.built:
        raise NotPlannable("it has not been built")
    if form is Format.KERAS:
        return _plan_archive(model)
    if form is Format.WEIGHTS:
        state = _state_of(model, form)
        return plan_of(state.layout, state.variables, seeds_of(model))
    return _plan_legacy(model, form)


def _plan_archive(model: Any) -> Plan:
    config, metadata = saving_lib._serialize_model_as_json(model)
    state = _state_of(model, Format.KERAS)
    archive = ZipLayout(
        (
            (saving_lib._METADATA_FILENAME, metadata.encode()),
            (saving_lib._CONFIG_FILENAME, config.encode()),
            (saving_lib._VARS_FNAME_H5, state.layout),
            *state.assets,
        )
    )
    return plan_of(archive, state.variables, seeds_of(model))


def _state_of(model: Any, form: Format) -> State:
    watched = [
        *model.variables,
        *getattr(getattr(model, "optimizer", None), "variables", ()),
    ]
    kept = _kept[form].recall(model, watched)
    if kept is not None:
        return State(
            kept.layout,
            assets=(),
            variables=tuple(watched[position] for position in kept.variables),
            lasts=True,
        )
    state = state_of(
        model, seeds_of(model), whole=form is Format.KERAS, watched=watched
    )
    if state.lasts:
        position = {id(variable): i for i, variable in enumerate(watched)}
        variables = tuple(position[id(item)] for item in state.variables)
        _kept[form].keep(model, watched, _Kept(state.layout, variables))
    return state


def _plan_legacy(model: Any, form: Format) -> Plan:
    variables, seeds = Variables(place_of), seeds_of(model)
    describe = (
        legacy3.describe_model
        if form is Format.HDF5
        else legacy3.describe_weights
    )
    content = describe(model, variables)
    layout = legacy_hdf5.lay_out(content, notes.room_for(len(seeds)))
    for seed in seeds:
        variables.index(seed)
    return plan_of(layout, variables, seeds)
