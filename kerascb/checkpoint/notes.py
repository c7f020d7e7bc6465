"""What kerascb remembers of a checkpoint, read back from it.

A note is a dict of JSON values: `epoch` and `batch` (counted from 1), `step`,
`time` (seconds since 1970), `metrics`, `seeds`, `monitor`, `mode`, `best`; see
`kerascb.layouts.notes`.
"""

from kerascb.layouts.notes import encode
from kerascb.runtime import read_note as read

__all__ = ["encode", "read"]
