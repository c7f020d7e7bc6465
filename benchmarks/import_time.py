"""How long does it take to import kerascb, beside the Keras it is for?

Each import is a process of its own, which is timed within itself: the start of
the interpreter does not count.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from benchmarks.measure import Took, measure
from kerascb import runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.results import Result

_TIMED = """
import time
cpu_s, wall_s = time.process_time(), time.perf_counter()
{imports}
print(time.process_time() - cpu_s, time.perf_counter() - wall_s)
"""


def run(*, quick: bool) -> Iterator[Result]:
    """Measures imports of the Keras, of its callbacks, of kerascb's.

    Args:
        quick: Once, and without the Keras, to see that it runs.
    """
    package = runtime.in_force().package
    imports = {
        "bare": f"import {package}",
        "stock": f"from {package}.callbacks import *",
        "kerascb": f"import {package}\nfrom kerascb import *",
        "without Keras": "import kerascb",
    }
    if quick:
        imports = {"without Keras": imports["without Keras"]}
    yield measure(
        "import",
        "import",
        {name: _timed(lines) for name, lines in imports.items()},
        repeats=1 if quick else 9,
    )


def _timed(imports: str) -> Callable[[], Took]:
    def work() -> Took:
        done = subprocess.run(  # noqa: S603 - the lines above
            [sys.executable, "-c", _TIMED.format(imports=imports)],
            check=True,
            capture_output=True,
            text=True,
        )
        cpu_s, wall_s = map(float, done.stdout.split()[-2:])
        return Took(1, cpu_s, wall_s)

    return work
