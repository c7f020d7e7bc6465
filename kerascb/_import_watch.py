"""Being told when modules have been imported, whoever imports them."""

from __future__ import annotations

import contextlib
import importlib.abc
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class ImportWatch(importlib.abc.MetaPathFinder):
    """Watches for modules, and tells when one has been imported.

    A watched module that is imported by another watched one is not told of
    until that is complete too: the packages of a Keras import each other, and
    none can be used before all are there.

    Args:
        names: The full names of the modules.
        tell: Called after an import that succeeded.
    """

    def __init__(
        self, names: Collection[str], tell: Callable[[], None]
    ) -> None:
        self._names = frozenset(names)
        self._tell = tell
        self._under_way: set[str] = set()

    def start(self) -> None:
        """Watches the imports from now on."""
        sys.meta_path.insert(0, self)

    def stop(self) -> None:
        """Watches no longer."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Finds what the other finders find; arguments as they get them."""
        if fullname not in self._names:
            return None
        for finder in sys.meta_path:
            if finder is not self:
                spec = finder.find_spec(fullname, path, target)
                if spec is not None:
                    if spec.loader is not None:
                        spec.loader = _WatchedLoader(spec.loader, self)
                    return spec
        return None

    @contextlib.contextmanager
    def importing(self, name: str) -> Iterator[None]:
        """Tells of an import, unless it fails or is part of another."""
        self._under_way.add(name)
        try:
            yield
        finally:
            self._under_way.discard(name)
        if not self._under_way:
            self._tell()


class _WatchedLoader(importlib.abc.Loader):
    """Stands before a module's loader until the module is executed."""

    def __init__(self, loader: Any, watch: ImportWatch) -> None:
        self._loader = loader
        self._watch = watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Creates it as its own loader does."""
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Executes it, with its own loader in view as if alone."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        with self._watch.importing(module.__name__):
            self._loader.exec_module(module)
