"""Names of variables that do not depend on what else a process has made.

Keras numbers the layers that get no name: the first `Dense` of a process is
`dense`, the eighth `dense_7`. A script that is started again may come to other
numbers. Here such numbers are dropped, and who would have the same name then
is numbered in the order of the model.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NUMBERED = re.compile(r"(.+)_\d+")
_NUMBERS = re.compile(r"_\d+(?=_|$)")
_OF_WRAPPERS = re.compile(r"(forward|backward)_")
_STEMS = frozenset({"functional", "model"})
"""What Keras calls models made of inputs and outputs."""


class Names:
    """Gives out names, each only once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def unique(self, name: str) -> str:
        """The name, with a number behind it if it has been given out.

        Args:
            name: The name wanted.
        """
        number = 0
        given = name
        while given in self._taken:
            number += 1
            given = f"{name}_{number}"
        self._taken.add(given)
        return given


def without_number(name: str, kind: str) -> str:
    """The name of a layer without the number that Keras gave it.

    A name that Keras did not make stays as it is.

    Args:
        name: The name.
        kind: What Keras calls the first layer of this class.
    """
    numbered = _NUMBERED.fullmatch(name)
    if numbered is None:
        return name
    stem = numbered[1]
    plain = _OF_WRAPPERS.sub("", stem, count=1)
    return stem if plain == kind or plain in _STEMS else name


def without_numbers(name: str) -> str:
    """A name without any number in it.

    Args:
        name: A name made out of several that Keras may have numbered.
    """
    return _NUMBERS.sub("", name)


def renamed(name: str, renames: Mapping[str, str]) -> str:
    """A name that was made out of the name of a layer, made out of ours.

    Args:
        name: `dense_7_loss`, say.
        renames: Name of a layer → ours: `dense_7` → `dense`.
    """
    for theirs, ours in renames.items():
        if f"_{theirs}_" in f"_{name}_":
            return f"_{name}_".replace(f"_{theirs}_", f"_{ours}_")[1:-1]
    return name


def reference_in(
    parts: Sequence[str], glue: str, known: Mapping[str, str]
) -> tuple[str, list[str]] | None:
    """The variable that an optimizer keeps another one for, and the slot.

    Args:
        parts: The parts of the other one's name, among them those of the name
            that Keras has for the variable.
        glue: What stands between parts.
        known: Keras's name of a variable → ours.

    Returns:
        Our name of the variable and the parts left; `None` if it is not
        known.
    """
    count = len(parts)
    for length in range(count - 1, 0, -1):
        for start in range(count - length + 1):
            end = start + length
            ours = known.get(glue.join(parts[start:end]))
            if ours is not None:
                return ours, [*parts[:start], *parts[end:]]
    return None
