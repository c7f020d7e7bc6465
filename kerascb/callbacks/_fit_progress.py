"""How far a fit has got, as its curves count it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kerascb.callbacks import _curves as curves
from kerascb.callbacks._global_step import GlobalStep

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class FitProgress:
    """What a callback that writes curves knows of the fit it is in.

    Attributes:
        is_begun: Whether an epoch has begun; by then it is known whether the
            fit resumes another one.
        step: The batches of all fits; `None` before the first epoch.
        steps_before: Those of earlier fits.
        evaluated: Batches of validation.
        epoch_begin: Steps of the optimizer before the running epoch, and when
            that began; `None` between epochs.
        op_graph_is_due: The graph of operations is still to be written.
        notes_are_due: The notes are.
    """

    is_begun: bool = False
    step: GlobalStep | None = None
    steps_before: int = 0
    evaluated: GlobalStep = field(default_factory=GlobalStep)
    epoch_begin: tuple[int, float] | None = None
    op_graph_is_due: bool = False
    notes_are_due: bool = False

    def start(self, iterations: int) -> GlobalStep:
        """Begins to count batches.

        Args:
            iterations: Steps that the optimizer has made.
        """
        self.steps_before = iterations
        self.step = GlobalStep(iterations)
        return self.step

    def begin_epoch(self, iterations: int | None) -> None:
        """Notes when an epoch begins, unless it is one that goes on.

        Args:
            iterations: Steps that the optimizer has made; `None` if unknown.
        """
        if self.epoch_begin is None and iterations is not None:
            self.epoch_begin = iterations, time.perf_counter()

    def speed(self, iterations: int | None) -> dict[str, float]:
        """Steps per second since the epoch began, where that is known.

        Args:
            iterations: Steps that the optimizer has made by now.
        """
        if self.epoch_begin is None or iterations is None:
            return {}
        before, begin_s = self.epoch_begin
        rate = curves.per_second(iterations - before, begin_s)
        return {"steps_per_second": rate}

    def state(self, *, counts_batches: bool) -> dict[str, Any]:
        """What another process needs to count on.

        Args:
            counts_batches: Whether `step` follows the batches.
        """
        now_s = time.perf_counter()
        begin = self.epoch_begin
        return {
            "step": self.step.value if self.step and counts_batches else None,
            "steps_before": self.steps_before,
            "evaluated": self.evaluated.value,
            "epoch_begin": begin and [begin[0], now_s - begin[1]],
            "op_graph_is_due": self.op_graph_is_due,
        }

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> FitProgress:
        """The progress of a fit that is resumed.

        Args:
            state: What `state` returned.
        """
        now_s = time.perf_counter()
        step, begin = state["step"], state["epoch_begin"]
        return cls(
            step=None if step is None else GlobalStep(step),
            steps_before=state["steps_before"],
            evaluated=GlobalStep(state["evaluated"]),
            epoch_begin=begin and (begin[0], now_s - begin[1]),
            op_graph_is_due=state["op_graph_is_due"],
        )
