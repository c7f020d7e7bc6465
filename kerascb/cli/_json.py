"""Where the parts of a JSON text stand in it.

`json` says what a text holds, not where; to change one string and leave the
rest to the byte, one has to know. The text must be valid: load it first.
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_DECODER = json.JSONDecoder(strict=False)
_SPACE = re.compile(r"[ \t\r\n]*")


@dataclasses.dataclass(frozen=True)
class Part:
    """A value inside an object or an array.

    Attributes:
        key: Its name in an object; empty in an array.
        value: What it holds.
        start: Where it begins in the text.
        end: Where it ends.
    """

    key: str
    value: Any
    start: int
    end: int


def root(text: str) -> Part:
    """Returns the whole of a JSON text, without the space around it.

    Raises:
        ValueError: If it is not JSON.
    """
    # `raw_decode` alone would pass over what follows the value.
    _DECODER.decode(text)
    return _part(text, _skip(text, 0), "")


def parts(text: str, whole: Part) -> Iterator[Part]:
    """Yields the members of an object, or the elements of an array."""
    is_object = text[whole.start] == "{"
    at = _skip(text, whole.start + 1)
    while at < whole.end - 1:
        key = ""
        if is_object:
            key, at = _DECODER.raw_decode(text, at)
            colon = _skip(text, at)
            at = _skip(text, colon + 1)
        part = _part(text, at, key)
        yield part
        at = _skip(text, part.end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def member(text: str, whole: Part, key: str) -> Part | None:
    """Returns the member of an object that has a name, if there is one."""
    return next((part for part in parts(text, whole) if part.key == key), None)


def _part(text: str, start: int, key: str) -> Part:
    value, end = _DECODER.raw_decode(text, start)
    return Part(key, value, start, end)


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at
