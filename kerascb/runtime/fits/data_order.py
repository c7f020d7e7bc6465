"""What an order of the data depends on, and how it is had again."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Past(enum.IntEnum):
    """What of earlier passes a pass over the data depends on."""

    NOTHING = 0
    """On none of them: every pass can be made again by itself."""

    COUNT = 1
    """On how many there were: they are begun and left."""

    BATCHES = 2
    """On what was drawn in them: it is drawn again."""


@dataclass(frozen=True)
class Order:
    """The order in which a source gives its data.

    Attributes:
        past: What of earlier passes it depends on.
        unknown: Why it cannot be had again, as a clause; empty if it can.
        counts_read_ahead: Whether it also depends on what was loaded and not
            drawn.
    """

    past: Past = Past.NOTHING
    unknown: str = ""
    counts_read_ahead: bool = False
