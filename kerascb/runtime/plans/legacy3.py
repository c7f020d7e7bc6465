"""What Keras 3 writes into Keras 2's HDF5 files, without the values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

# What these files say of a model and its training has no public name.
from keras.src.legacy.saving import (
    json_utils,
    saving_options,
    saving_utils,
)

from kerascb.layouts import legacy_hdf5
from kerascb.runtime import _saving3

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kerascb.runtime.plans.planned import Variables


def describe_weights(model: Any, variables: Variables) -> legacy_hdf5.Weights:
    """The weights of a model.

    Args:
        model: A built model.
        variables: Takes the variables whose values are needed.

    Raises:
        NotPlannable: If a variable has no value of a fixed size here.
    """
    counted = {id(variable) for variable in model.weights}
    own = model._trainable_variables + model._non_trainable_variables
    return legacy_hdf5.Weights(
        attributes=(
            ("backend", keras.backend.backend().encode()),
            ("keras_version", keras.__version__.encode()),
        ),
        layers=tuple(
            (
                layer.name,
                _tensors(
                    layer.trainable_weights + layer.non_trainable_weights,
                    variables,
                ),
            )
            for layer in model.layers
        ),
        top_level=_tensors(
            [variable for variable in own if id(variable) in counted], variables
        ),
    )


def describe_model(model: Any, variables: Variables) -> legacy_hdf5.Model:
    """A whole model.

    Args:
        model: A built model.
        variables: Takes the variables whose values are needed.

    Raises:
        NotPlannable: If a variable has no value of a fixed size here.
    """
    optimizer = getattr(model, "optimizer", None)
    return legacy_hdf5.Model(
        attributes=_attributes_of(model),
        weights=describe_weights(model, variables),
        optimizer=_tensors(optimizer.variables if optimizer else (), variables),
    )


def _attributes_of(model: Any) -> legacy_hdf5.Attributes:
    with (
        saving_options.keras_option_scope(use_legacy_config=True),
        _saving3.keeping_compile_config(model),
    ):
        return legacy_hdf5.attributes_of(
            saving_utils.model_metadata(model, include_optimizer=True),
            json_utils.get_json_type,
        )


def _tensors(
    weights: Iterable[Any], variables: Variables
) -> tuple[legacy_hdf5.Tensor, ...]:
    return tuple(variables.tensor(weight.path, weight) for weight in weights)
