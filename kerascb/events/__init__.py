"""Event files for TensorBoard, written without TensorFlow.

    runs.py        the writers below one log directory, opened when needed
    writer.py      what can be written: the Protocol `EventWriter`
    event_file.py  … into a file, through the `tensorboard` package
    summaries.py   a value → the record TensorBoard's plugin expects
    histogram.py   values → buckets (pure)
    images.py      weights → pictures, pictures → PNG (pure)
    projector.py   the files of the embedding projector
    extent.py      how much there is of a run, and going back to that
    storage.py     folders and files, local and remote

Importing this package needs nothing installed; opening an event file needs
`tensorboard`.
"""

from __future__ import annotations

import importlib.util

from kerascb.errors import MissingDependency
from kerascb.events.runs import Runs
from kerascb.events.writer import EventWriter

__all__ = ["EventWriter", "Runs", "require_tensorboard"]


def require_tensorboard(who: str) -> None:
    """Refuses at once what could not write its first event later.

    Args:
        who: What needs the package, as the user calls it.

    Raises:
        MissingDependency: If `tensorboard` is not installed.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise MissingDependency(who, "tensorboard", "tensorboard")
