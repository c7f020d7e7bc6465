"""What does a progress bar add to a step, on a terminal and into a file?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import kerascb
from benchmarks import screens
from benchmarks.fits import Fits, stock
from benchmarks.measure import measure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.results import Result


def run(*, quick: bool) -> Iterator[Result]:
    """Measures fits with a bar: `fit`'s own, ours, and ours in our list.

    Args:
        quick: A few steps only, to see that it runs.
    """
    steps, repeats = (10, 1) if quick else (3000, 7)
    fits = Fits(steps)
    for place, screen in (
        ("a terminal", screens.terminal),
        ("a file", screens.file),
    ):
        yield measure(
            f"progress bar: {place}",
            "step",
            {
                "bare": fits.bare(),
                "stock": fits.rival(_bar, stock(), screen),
                "kerascb": fits.rival(_bar, kerascb, screen),
                "kerascb list": fits.in_list(_nothing, screen),
            },
            repeats=repeats,
        )


def _bar(classes: object, folder: object) -> list[object]:
    del folder
    return [classes.ProgbarLogger()]  # type: ignore[attr-defined]


def _nothing(classes: object, folder: object) -> list[object]:
    del classes, folder
    return []
