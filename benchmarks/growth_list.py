"""The case `growth_steps` with the stack in `kerascb.CallbackList`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kerascb
from benchmarks.fits import STACK, small_model, together
from benchmarks.growth_steps import QUICK_STEPS, STEPS, grown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.results import Result


def run(*, quick: bool) -> Iterator[Result]:
    """Measures the tenths of one fit.

    Args:
        quick: Few steps only, to see that it runs.
    """

    def in_list(folder: Path, steps: int) -> Any:
        return kerascb.CallbackList(
            together(STACK)(kerascb, folder),
            add_history=True,
            model=small_model(),
            epochs=1,
            steps=steps,
            verbose=0,
        )

    yield grown("kerascb list", QUICK_STEPS if quick else STEPS, in_list)
