"""What does a step cost by the number of metrics, and of callbacks?

The callbacks have no work to do in batches: `EarlyStopping`, several times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.fits import METRICS, STACK, Build, Fits, together
from benchmarks.measure import measure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.results import Result

_METRICS = (1, METRICS, 20)
_CALLBACKS = (1, 10, 50)


def run(*, quick: bool) -> Iterator[Result]:
    """Measures fits with ever more metrics, then with ever more callbacks.

    Args:
        quick: A few steps only, and fewer sizes, to see that it runs.
    """
    steps, repeats = (10, 1) if quick else (1000, 5)
    fits = Fits(steps)
    cases = [("10 callbacks", fits, 10)]
    if not quick:
        cases = [
            *((f"{n} metrics", Fits(steps, n), 1) for n in _METRICS),
            *((f"{n} callbacks", fits, n) for n in _CALLBACKS),
        ]
    for name, fits, count in cases:
        yield measure(
            f"step: {name}",
            "step",
            fits.rivals(_idle(count)),
            repeats=repeats,
        )


def _idle(count: int) -> Build:
    build = STACK["EarlyStopping"]
    return together({str(number): build for number in range(count)})
