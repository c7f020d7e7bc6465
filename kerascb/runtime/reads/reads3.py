"""How what a step computes is read with Keras 3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascb.runtime import reads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kerascb.runtime.reads import PendingRead, WeightsCheck

_GROUPS = ("trainable_variables", "non_trainable_variables")


class Reads3:
    """Answers `Reads` for Keras 3."""

    backend: str

    def bare(self, model: Any) -> Any:
        """The Keras model, its variables as they may be."""
        raise NotImplementedError

    def begin_read(self, values: Sequence[Any]) -> PendingRead:
        """As the backend can."""
        return reads.engine(self.backend).begin_read(values)

    def weights_check(self, model: Any) -> WeightsCheck | None:
        """Of those of all layers; on JAX without bringing them home."""
        model = self.bare(model)
        variables = [
            variable
            for group in _GROUPS
            for variable in getattr(model, group, ())
        ]
        chosen = [
            index
            for index, variable in enumerate(variables)
            if reads.is_floating(variable)
        ]
        if not chosen:
            return None

        def values() -> list[Any]:
            arrays = _arrays_under_way(model)
            if arrays is None:
                return [variables[index].value for index in chosen]
            return [arrays[index] for index in chosen]

        test = reads.engine(self.backend).finite_test(
            [variables[index] for index in chosen], values
        )
        return reads.WeightsCheck(
            tuple(variables[index].path for index in chosen),
            lambda: self.begin_read([test()]),
        )

    def has_peers(self, model: Any) -> bool:
        """As the backend says."""
        return reads.engine(self.backend).has_peers(self.bare(model))


def _arrays_under_way(model: Any) -> list[Any] | None:
    """What JAX's train step has left, while the variables are empty."""
    state = getattr(model, "_jax_state", None)
    if state is None or getattr(model, "_jax_state_synced", True):
        return None
    return [array for group in _GROUPS for array in state[group]]
