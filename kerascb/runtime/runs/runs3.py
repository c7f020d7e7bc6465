"""The state of a run with Keras 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

# Keras 3 keeps its global generator private, and what its layers for text
# have in common.
from keras.src.backend.common import global_state
from keras.src.layers.preprocessing.index_lookup import IndexLookup
from keras.src.layers.preprocessing.normalization import Normalization
from keras.src.random import seed_generator

from kerascb.runtime import _optimizers
from kerascb.runtime._arrays3 import to_numpy
from kerascb.runtime.fits.running_fit import frame_of_fit
from kerascb.runtime.runs import chance, chance_of_engines
from kerascb.runtime.runs.parts3 import Parts3
from kerascb.runtime.runs.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PARTS = Parts3()
_FINALIZED = (Normalization, IndexLookup)
_SEED, _GENERATOR = "global_random_seed", "global_seed_generator"
"""What Keras calls, among its globals, the last seed that was set, and what
draws for those who bring no generator of their own."""


class Runs3:
    """Answers `Runs` for Keras 3."""

    backend: str

    def unwrap(self, model: Any) -> Any:
        """The Keras model, its variables up to date."""
        raise NotImplementedError

    def bare(self, model: Any) -> Any:
        """The Keras model, its variables as they may be."""
        raise NotImplementedError

    def run_variables(self, model: Any) -> dict[str, Any]:
        """Brings JAX's state home as well."""
        return Walk(self.unwrap(model), _PARTS).variables

    def metric_names(self, model: Any) -> set[str]:
        """Those of `model.metrics`."""
        return Walk(self.bare(model), _PARTS).reset_names

    def give_generators(self, model: Any) -> None:
        """Nothing: every layer has one."""

    def build(self, model: Any) -> bool:
        """With JAX and torch `fit` does it itself, before any callback."""
        model = self.bare(model)
        if _is_built(model):
            return True
        if self.backend == "tensorflow":
            from kerascb.runtime.runs.tracing import trace_step

            batch = _batch_of_fit(model)
            if batch is not None and trace_step(model, batch):
                return True
        # For too few variables it would be built for good.
        if _are_layers_built(model):
            _optimizers.build_optimizer(model)
        return _is_built(model)

    def finalize_layers(self, model: Any) -> None:
        """Those whose constants come from variables."""
        for layer in _layers_of(self.bare(model)):
            if isinstance(layer, _FINALIZED):
                layer.finalize_state()

    def random_state(self) -> dict[str, Any]:
        """Keras's own is that of `keras.random` without a seed."""
        generator = global_state.get_global_attribute(_GENERATOR)
        own: dict[str, Any] = {
            "seed": global_state.get_global_attribute(_SEED),
            "generator": None,
        }
        if generator is not None:
            own["generator"] = np.array(to_numpy(generator.state))
        return {**chance.state(), **chance_of_engines.state(), "keras": own}

    def set_random_state(self, state: Mapping[str, Any]) -> None:
        """Keras's first: making its generator draws a number of Python's."""
        own = state.get("keras")
        if own is not None:
            global_state.set_global_attribute(_SEED, own["seed"])
            if own["generator"] is not None:
                generator = seed_generator.global_seed_generator()
                generator.state.assign(own["generator"])
        chance_of_engines.set_state(state)
        chance.set_state(state)


def _is_built(model: Any) -> bool:
    """Whether a step would make no further variables, as far as one can see."""
    parts = [getattr(model, "optimizer", None)]
    if getattr(model, "compiled", False):
        parts += [model._compile_metrics, model._compile_loss]
    return _are_layers_built(model) and all(
        getattr(part, "built", True) for part in parts if part is not None
    )


def _are_layers_built(model: Any) -> bool:
    return all(getattr(layer, "built", True) for layer in _layers_of(model))


def _layers_of(model: Any) -> Iterable[Any]:
    """A model and all layers in it; a stand-in for one has none."""
    layers: Iterable[Any] = getattr(model, "_flatten_layers", tuple)()
    return layers


def _batch_of_fit(model: Any) -> Any:
    """The specification of the batches of the `fit` that is running."""
    frame = frame_of_fit(model)
    iterator = None if frame is None else frame.f_locals.get("epoch_iterator")
    dataset = getattr(iterator, "_distributed_dataset", None)
    return getattr(dataset, "element_spec", None)
