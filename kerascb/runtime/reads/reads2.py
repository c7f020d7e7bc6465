"""How what a step computes is read with Keras 2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascb.runtime import reads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kerascb.runtime.reads import PendingRead, WeightsCheck


class Reads2:
    """Answers `Reads` for Keras 2."""

    def begin_read(self, values: Sequence[Any]) -> PendingRead:
        """As TensorFlow can."""
        return reads.engine("tensorflow").begin_read(values)

    def weights_check(self, model: Any) -> WeightsCheck | None:
        """Of those of all layers, but not of tables."""
        chosen = [
            variable
            for variable in getattr(model, "weights", ())
            if hasattr(variable, "read_value") and reads.is_floating(variable)
        ]
        if not chosen:
            return None
        test = reads.engine("tensorflow").finite_test(chosen, lambda: chosen)
        return reads.WeightsCheck(
            tuple(variable.name.removesuffix(":0") for variable in chosen),
            lambda: self.begin_read([test()]),
        )

    def has_peers(self, model: Any) -> bool:
        """As the model's strategy says."""
        return reads.engine("tensorflow").has_peers(model)
