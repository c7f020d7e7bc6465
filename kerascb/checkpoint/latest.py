"""The newest of the files that one path template has become."""

from __future__ import annotations

import os
import re
from pathlib import Path

from kerascb import runtime
from kerascb.checkpoint.path_template import pattern_of

_INDEX = ".index"
_PART_OF_CHECKPOINT = re.compile(r"\.data-\d{5}-of-\d{5}$|^checkpoint$")


def newest(template: str) -> str | None:
    """What was written last under a template.

    A TensorFlow checkpoint that its folder notes as the newest comes first,
    for it is more to be relied on than times. Among files of the same time
    the one with the largest name is taken; a name that needs not be the last
    one written (`{val_loss}`), but is so for `{epoch:02d}`.

    Args:
        template: A path, with or without placeholders in its last part.

    Returns:
        The path, for a TensorFlow checkpoint its prefix; `None` if there is
        none.
    """
    folder = os.path.dirname(template)
    pattern = pattern_of(os.path.basename(template))
    place = Path(folder or ".")
    if not place.is_dir():
        return None
    noted = runtime.latest_checkpoint(str(place))
    if noted and pattern.fullmatch(os.path.basename(noted)):
        return os.path.join(folder, os.path.basename(noted))
    found = [
        (entry.stat().st_mtime, os.path.join(folder, name))
        for entry in place.iterdir()
        if not _PART_OF_CHECKPOINT.search(entry.name)
        and pattern.fullmatch(name := entry.name.removesuffix(_INDEX))
    ]
    return max(found)[1] if found else None
