"""Other classes in the place of the callbacks of every Keras here.

Two kinds of modules are changed. Public ones, `keras.callbacks` and its many
doubles, get all of the classes, also those this Keras never had: code written
for another one asks for them. The internal one, `keras.src.callbacks`, gets
those that it has: `fit` makes its `CallbackList` from there, and tells by the
same name whether it was given one. The modules that define stock's classes
stay as they are; stock's classes depend on each other through them.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kerascb import runtime
from kerascb._names import (
    EXPERIMENTAL,
    EXPERIMENTAL_MODULES,
    INTERNAL_MODULES,
    PUBLIC_MODULES,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

_ABSENT = object()


@dataclass(frozen=True)
class _Change:
    """A name in a module, what we put there, and what was there before."""

    module: ModuleType
    name: str
    ours: Any
    before: Any

    def undo(self) -> None:
        if vars(self.module).get(self.name) is not self.ours:
            return  # Somebody else has set it since; it is theirs.
        if self.before is not _ABSENT:
            setattr(self.module, self.name, self.before)
            return
        delattr(self.module, self.name)
        path = f"{self.module.__name__}.{self.name}"
        if sys.modules.get(path) is self.ours:
            del sys.modules[path]


class Substitution:
    """Substitutes for stock's callbacks, put in their place and taken back.

    Args:
        classes: Name → class.
        experimental: A module with the classes of `callbacks.experimental`.
    """

    def __init__(
        self, classes: Mapping[str, Any], experimental: ModuleType
    ) -> None:
        self._classes = classes
        self._experimental = experimental
        self._changes: dict[tuple[ModuleType, str], _Change] = {}

    def put(self) -> None:
        """Changes what is imported so far and is not changed yet."""
        # A runtime notes which classes are stock's, so it has to be there
        # before they are not.
        runtime.loaded()
        for module in _imported(INTERNAL_MODULES):
            self._change(module, self._classes, is_public=False)
        for module in _imported(PUBLIC_MODULES):
            self._change(module, self._classes, is_public=True)
            self._add_experimental(module)
        experimental = {
            name: getattr(self._experimental, name) for name in EXPERIMENTAL
        }
        for module in _imported(EXPERIMENTAL_MODULES):
            if module is not self._experimental:
                self._change(module, experimental, is_public=True)

    def take_back(self) -> None:
        """Undoes all changes, but for names that somebody has set since."""
        for change in self._changes.values():
            change.undo()
        self._changes.clear()

    def _change(
        self, module: ModuleType, classes: Mapping[str, Any], *, is_public: bool
    ) -> None:
        for name, ours in classes.items():
            there = vars(module).get(name, _ABSENT)
            if there is ours:
                # Unless we put it there, the module was imported after one
                # that we had changed, and took it from there.
                if (module, name) not in self._changes:
                    self._note(module, name, ours, _stock_class(module, name))
            elif is_public or there is not _ABSENT:
                self._note(module, name, ours, there)
                setattr(module, name, ours)

    def _add_experimental(self, module: ModuleType) -> None:
        if not hasattr(module, "experimental"):
            ours = self._experimental
            self._note(module, "experimental", ours, _ABSENT)
            module.experimental = ours  # type: ignore[attr-defined]
            sys.modules[f"{module.__name__}.experimental"] = ours

    def _note(
        self, module: ModuleType, name: str, ours: Any, before: Any
    ) -> None:
        self._changes[module, name] = _Change(module, name, ours, before)


def _imported(names: tuple[str, ...]) -> list[ModuleType]:
    return [sys.modules[name] for name in names if name in sys.modules]


def _stock_class(module: ModuleType, name: str) -> Any:
    package = module.__name__.partition(".")[0]
    stock = runtime.of_package(package).stock(name)
    return _ABSENT if stock is None else stock
