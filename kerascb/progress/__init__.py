"""How far a run is, and how that is shown.

    stopwatch.py   how long it has taken, and how long a step takes (pure)
    refresh.py     when to draw again, with few looks at the clock (pure)
    reading.py     what there is to show at one moment
    looks.py       a reading → text, as each Keras prints it (pure)
    bars.py        text → where it is seen: drawn over itself, or line by line
    meter.py       one epoch: its numbers, its bar, and when the bar moves
    styles.py      which bars there are, and which need a package
    rich_bar.py    … rich's own
    tqdm_bar.py    … tqdm's own

Nothing here knows a Keras, or reads a clock that it was not given.
"""

from kerascb.progress.bars import Bar, Lines, Redrawn
from kerascb.progress.looks import Keras2Look, Keras3Look, Look
from kerascb.progress.meter import Meter
from kerascb.progress.reading import Reading
from kerascb.progress.refresh import Refresh
from kerascb.progress.stopwatch import Stopwatch
from kerascb.progress.styles import is_drawn_by_a_library, library_bar, require

__all__ = [
    "Bar",
    "Keras2Look",
    "Keras3Look",
    "Lines",
    "Look",
    "Meter",
    "Reading",
    "Redrawn",
    "Refresh",
    "Stopwatch",
    "is_drawn_by_a_library",
    "library_bar",
    "require",
]
