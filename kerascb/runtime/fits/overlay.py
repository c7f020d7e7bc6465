"""A method of one object, replaced for as long as a `fit` needs it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]

_ABSENT = object()


@dataclass(frozen=True)
class Overlay:
    """A function that lies over a method, as an attribute of the object.

    Attributes:
        owner: The attributes of the object.
        name: The name of the method.
        wrapper: What lies over it.
        before: What the object itself had under this name.
    """

    owner: dict[str, Any]
    name: str
    wrapper: Callable[..., Any]
    before: Any

    @classmethod
    def put(cls, target: Any, name: str, wrap: Wrap) -> Overlay:
        """Lays a function over a method.

        Args:
            target: The object.
            name: The name of the method.
            wrap: Makes the function of the method.
        """
        original = getattr(target, name)
        # Not by `setattr`: a model would take note of a new attribute.
        owner = vars(target)
        before = owner.get(name, _ABSENT)
        wrapper = functools.wraps(original)(wrap(original))
        owner[name] = wrapper
        return cls(owner, name, wrapper, before)

    def take_back(self) -> None:
        """Leaves the object as it was."""
        if self.owner.get(self.name) is not self.wrapper:
            return  # Somebody else has wrapped it since; it is theirs.
        if self.before is _ABSENT:
            del self.owner[self.name]
        else:
            self.owner[self.name] = self.before
