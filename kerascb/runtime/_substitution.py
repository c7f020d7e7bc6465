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
from kerascb._names import KERAS_INTERNALS, KERAS_PACKAGES
from kerascb.runtime._import_watch import ImportWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType

_PUBLIC = tuple(f"{package}.callbacks" for package in KERAS_PACKAGES)
_INTERNAL = tuple(f"{package}.callbacks" for package in KERAS_INTERNALS)
_EXPERIMENTAL = tuple(f"{module}.experimental" for module in _PUBLIC)
_ROOTS = ("keras", "tf_keras")
_ABSENT = object()


@dataclass(frozen=True)
class Substitutes:
    """What takes the place of stock's callbacks.

    Attributes:
        classes: Name → class.
        experimental: A module with the classes of `callbacks.experimental`.
        in_experimental: Their names.
    """

    classes: Mapping[str, Any]
    experimental: ModuleType
    in_experimental: tuple[str, ...]


class Substitution:
    """Puts substitutes in the place of stock's callbacks, and stock's back.

    What has been imported is changed at once, what is imported later when it
    is there. No Keras is imported for it before the program imports one.

    Args:
        load: Makes the substitutes; called when a Keras is there.

    Attributes:
        is_on: Whether it is at work.
    """

    def __init__(self, load: Callable[[], Substitutes]) -> None:
        self.is_on = False
        self._load = load
        self._is_loading = False
        self._stock: dict[tuple[ModuleType, str], tuple[Any, Any]] = {}
        self._watch = ImportWatch(
            {*_ROOTS, *_PUBLIC, *_INTERNAL, *_EXPERIMENTAL}, self._substitute
        )

    def start(self) -> None:
        """Puts the substitutes in place; does nothing if they are."""
        if self.is_on:
            return
        self._substitute()
        self._watch.start()
        self.is_on = True

    def stop(self) -> None:
        """Puts back what was there.

        A name that somebody else has set since is left to them.
        """
        self.is_on = False
        self._watch.stop()
        for (module, name), (ours, stock) in self._stock.items():
            if vars(module).get(name) is not ours:
                continue
            if stock is _ABSENT:
                delattr(module, name)
                _forget_submodule(module, name, ours)
            else:
                setattr(module, name, stock)
        self._stock.clear()

    def _substitute(self) -> None:
        if self._is_loading or not _imported(*_PUBLIC, *_INTERNAL):
            return
        self._is_loading = True
        try:
            # May import a Keras, which brings us here again.
            substitutes = self._load()
        finally:
            self._is_loading = False
        # A runtime notes which classes are stock's, so it has to be there
        # before they are not.
        runtime.loaded()
        for module in _imported(*_INTERNAL):
            self._change(module, substitutes.classes, is_public=False)
        for module in _imported(*_PUBLIC):
            self._change(module, substitutes.classes, is_public=True)
            self._add_experimental(module, substitutes.experimental)
        for module in _imported(*_EXPERIMENTAL):
            if module is not substitutes.experimental:
                classes = {
                    name: getattr(substitutes.experimental, name)
                    for name in substitutes.in_experimental
                }
                self._change(module, classes, is_public=True)

    def _change(
        self, module: ModuleType, classes: Mapping[str, Any], *, is_public: bool
    ) -> None:
        for name, ours in classes.items():
            there = vars(module).get(name, _ABSENT)
            if there is ours:
                # Unless we put it there, the module was imported after one
                # that we had changed, and took it from there.
                if (module, name) not in self._stock:
                    stock = _stock_class(module, name)
                    self._stock[module, name] = (ours, stock)
            elif is_public or there is not _ABSENT:
                self._stock[module, name] = (ours, there)
                setattr(module, name, ours)

    def _add_experimental(self, module: ModuleType, ours: ModuleType) -> None:
        if hasattr(module, "experimental"):
            return
        self._stock[module, "experimental"] = (ours, _ABSENT)
        module.experimental = ours  # type: ignore[attr-defined]
        sys.modules[f"{module.__name__}.experimental"] = ours


def _imported(*names: str) -> list[ModuleType]:
    return [sys.modules[name] for name in names if name in sys.modules]


def _stock_class(module: ModuleType, name: str) -> Any:
    package = module.__name__.partition(".")[0]
    stock = runtime.of_package(package).stock(name)
    return _ABSENT if stock is None else stock


def _forget_submodule(module: ModuleType, name: str, ours: Any) -> None:
    path = f"{module.__name__}.{name}"
    if sys.modules.get(path) is ours:
        del sys.modules[path]
