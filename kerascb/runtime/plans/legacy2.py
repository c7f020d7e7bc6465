"""What Keras 2 writes into its older HDF5 files, without the values."""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING, Any

from kerascb.layouts import legacy_hdf5

if TYPE_CHECKING:
    from kerascb.runtime.plans.planned import Variables

_PRODUCTS = {"tf_keras": "TF-Keras"}


class LegacyFiles:
    """Describes models as one Keras writes them.

    Args:
        keras: The package.
    """

    def __init__(self, keras: Any) -> None:
        self._keras = keras
        self._saver = self._internal("saving.legacy.save")
        self._hdf5 = self._internal("saving.legacy.hdf5_format")
        self._metadata = self._internal("saving.legacy.saving_utils")
        self._json = self._internal("saving.legacy.saved_model.json_utils")

    def _internal(self, name: str) -> Any:
        # What these files say of a model and its training has no public name.
        return importlib.import_module(f"{self._keras.__name__}.src.{name}")

    def describe_weights(
        self, model: Any, variables: Variables
    ) -> legacy_hdf5.Weights:
        """The weights of a model.

        Args:
            model: The model.
            variables: Takes the variables whose values are needed.

        Raises:
            ValueError: If the weights have not been made.
            NotImplementedError: If HDF5 has no place for one.
            NotPlannable: If a variable has no value of a fixed size.
        """
        model._assert_weights_created()
        return legacy_hdf5.Weights(
            attributes=(
                ("backend", self._keras.backend.backend().encode()),
                ("keras_version", self._keras.__version__.encode()),
            ),
            layers=tuple(
                (
                    layer.name,
                    _tensors(self._hdf5._legacy_weights(layer), variables),
                )
                for layer in model.layers
            ),
            top_level=_tensors(
                model._trainable_weights + model._non_trainable_weights,
                variables,
            ),
        )

    def describe_model(
        self, model: Any, variables: Variables
    ) -> legacy_hdf5.Model:
        """A whole model; warns as Keras does.

        Args:
            model: The model.
            variables: Takes the variables whose values are needed.

        Raises:
            NotImplementedError: If the model cannot be made again from its
                configuration, or HDF5 has no place for a weight.
            ValueError: If the weights have not been made.
            NotPlannable: If a variable has no value of a fixed size.
        """
        self._metadata.try_build_compiled_arguments(model)
        self._require_config(model)
        described = legacy_hdf5.Model(
            attributes=self._attributes_of(model),
            weights=self.describe_weights(model, variables),
            optimizer=_tensors(self._optimizer_weights(model), variables),
        )
        # Not before: where there is no plan, Keras saves, and warns itself.
        self._warn_of_format()
        self._warn_of_shared(model)
        return described

    def _warn_of_format(self) -> None:
        product = _PRODUCTS.get(self._keras.__name__, "Keras")
        warnings.warn(
            "You are saving your model as an HDF5 file via `model.save()`. "
            "This file format is considered legacy. We recommend using "
            f"instead the native {product} format, e.g. "
            "`model.save('my_model.keras')`.",
            stacklevel=4,
        )

    def _require_config(self, model: Any) -> None:
        is_sequential = isinstance(model, self._keras.Sequential)
        if not model._is_graph_network and not is_sequential:
            # It has an error for this, and raises it before it looks further.
            self._saver.save_model(model, "", save_format="h5")

    def _warn_of_shared(self, model: Any) -> None:
        if len(model.weights) != len(model._undeduplicated_weights):
            self._hdf5.logging.warning(
                "Found duplicated `Variable`s in Model's `weights`. This is "
                "usually caused by `Variable`s being shared by Layers in the "
                "Model. These `Variable`s will be treated as separate "
                "`Variable`s when the Model is restored. To avoid this, "
                'please save with `save_format="tf"`.'
            )

    def _attributes_of(self, model: Any) -> legacy_hdf5.Attributes:
        model.use_legacy_config = True
        try:
            return legacy_hdf5.attributes_of(
                self._metadata.model_metadata(model, include_optimizer=True),
                self._json.get_json_type,
            )
        finally:
            del model.use_legacy_config

    def _optimizer_weights(self, model: Any) -> list[Any]:
        optimizer = model.optimizer
        foreign = self._internal("optimizers.optimizer_v1").TFOptimizer
        if not optimizer or isinstance(optimizer, foreign):
            return []
        if isinstance(
            optimizer, self._internal("optimizers.optimizer").Optimizer
        ):
            return list(optimizer.variables)
        return list(optimizer.weights)


def _tensors(
    weights: list[Any], variables: Variables
) -> tuple[legacy_hdf5.Tensor, ...]:
    return tuple(variables.tensor(weight.name, weight) for weight in weights)
