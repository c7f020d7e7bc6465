"""Event files for TensorBoard, written without TensorFlow.

    journal.py     what is written while training goes on
    runs.py        the writers below one log directory, opened when needed
    writer.py      what can be written: the Protocol `EventWriter`
    event_file.py  … into a file, with the messages of the `tensorboard` package
    points.py      points of curves → events, many and fast
    records.py     an event → the record in a file
    summaries.py   a value → the content TensorBoard's plugin expects
    histogram.py   values → buckets (pure)
    images.py      weights → pictures, pictures → PNG (pure)
    layer_graph.py a model's layers → a graph of operations
    projector.py   the files of the embedding projector
    extent.py      how much there is of a run, and going back to that
    storage.py     folders and files, local and remote

Importing this package needs nothing installed; opening an event file needs
`tensorboard`.
"""

from __future__ import annotations

import importlib
import importlib.util

from kerascb.errors import MissingDependency
from kerascb.events.journal import Journal
from kerascb.events.runs import Runs
from kerascb.events.writer import EventWriter

__all__ = ["EventWriter", "Journal", "Runs", "require_tensorboard"]


def require_tensorboard(who: str) -> None:
    """Refuses at once what could not write its first event later.

    The package is loaded: what waits at the end of Python is written then,
    when nothing can be loaded any more.

    Args:
        who: What needs the package, as the user calls it.

    Raises:
        MissingDependency: If `tensorboard` is not installed.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise MissingDependency(who, "tensorboard", "tensorboard")
    importlib.import_module("kerascb.events.event_file")
