"""The state of a run with Keras 2."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from kerascb.runtime import _optimizers
from kerascb.runtime._learning_rate import inner_optimizers
from kerascb.runtime.fits.running_fit import frame_of_fit
from kerascb.runtime.runs import chance, chance_of_engines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kerascb.runtime.runs.walk import Walk


class Runs2:
    """Answers `Runs` for Keras 2."""

    package: str
    _keras: Any

    def run_variables(self, model: Any) -> dict[str, Any]:
        """With the counter of steps, which Keras 2 has in the model."""
        return self._walk(model).variables

    def metric_names(self, model: Any) -> set[str]:
        """Those of `model.metrics`."""
        return self._walk(model).reset_names

    def _walk(self, model: Any) -> Walk:
        from kerascb.runtime.runs.parts2 import Parts2
        from kerascb.runtime.runs.walk import Walk

        return Walk(model, Parts2(self._keras))

    def give_generators(self, model: Any) -> None:
        """Has a train function that is traced already traced anew."""
        from kerascb.runtime.runs import generators2

        if not _is_built(model):
            self.build(model)
        generators2.give_generators(model, self._backend_module())

    def build(self, model: Any) -> bool:
        """Traces the step of the model for the data of the `fit`."""
        if _is_built(model):
            return True
        batch = _batch_of_fit(model)
        if batch is not None:
            from kerascb.runtime.runs.tracing import trace_step

            if trace_step(model, batch):
                return True
        # For too few variables it would be built for good.
        if _are_layers_built(model):
            _optimizers.build_optimizer(model)
        return _is_built(model)

    def finalize_layers(self, model: Any) -> None:
        """Every layer may have something to finalize."""
        for layer in _layers_of(model):
            finalize = getattr(layer, "finalize_state", None)
            if finalize is not None:
                finalize()

    def random_state(self) -> dict[str, Any]:
        """Keras's own gives seeds to layers that get none."""
        state = {**chance.state(), **chance_of_engines.state()}
        seeds = self._seeds()
        if seeds is not None:
            state["keras"] = chance.state_of(seeds)
        return state

    def set_random_state(self, state: Mapping[str, Any]) -> None:
        """Keras's own only where `set_random_seed` was called again."""
        chance_of_engines.set_state(state)
        chance.set_state(state)
        seeds = self._seeds()
        if seeds is not None:
            chance.set_state_of(seeds, state.get("keras"))

    def _backend_module(self) -> Any:
        return importlib.import_module(f"{self.package}.src.backend")

    def _seeds(self) -> Any:
        holder = getattr(self._backend_module(), "_SEED_GENERATOR", None)
        return getattr(holder, "generator", None)


def _is_built(model: Any) -> bool:
    """Whether a step would make no further variables, as far as one can see."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and not _is_optimizer_built(optimizer):
        return False
    parts = [
        getattr(model, name, None)
        for name in ("compiled_loss", "compiled_metrics")
    ]
    return _are_layers_built(model) and all(
        getattr(part, "built", True) for part in parts if part is not None
    )


def _are_layers_built(model: Any) -> bool:
    return all(getattr(layer, "built", True) for layer in _layers_of(model))


def _layers_of(model: Any) -> Iterable[Any]:
    """A model and all layers in it; a stand-in for one has none."""
    layers: Iterable[Any] = getattr(model, "_flatten_layers", tuple)()
    return layers


def _is_optimizer_built(optimizer: Any) -> bool:
    """Each generation of optimizers says so in its own way."""
    for one in inner_optimizers(optimizer):
        for flag in ("_built", "_hypers_created", "built"):
            if hasattr(one, flag):
                if not getattr(one, flag):
                    return False
                break
    return True


def _batch_of_fit(model: Any) -> Any:
    """The specification of the batches of the `fit` that is running."""
    frame = frame_of_fit(model)
    handler = None if frame is None else frame.f_locals.get("data_handler")
    return getattr(getattr(handler, "_dataset", None), "element_spec", None)
