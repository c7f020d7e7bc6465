"""Our classes in the place of stock's, for code that cannot be edited."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import kerascb
from kerascb._import_watch import ImportWatch
from kerascb._names import (
    CALLBACKS,
    EXPERIMENTAL_MODULES,
    INTERNAL_MODULES,
    PUBLIC_MODULES,
)

if TYPE_CHECKING:
    from types import TracebackType

    from kerascb.runtime._substitution import Substitution

__all__ = ["Installation", "install", "uninstall"]


def install() -> Installation:
    """Puts kerascb's classes where every Keras has its callbacks.

    From then on `tf.keras.callbacks.EarlyStopping`, `keras.callbacks.…` and
    `tf_keras.callbacks.…` are kerascb's, and so are the `History`, the
    progress bar and the list that `fit` makes for itself. Names that this
    Keras does not have, such as `experimental` in Keras 3, are added.

    It may be called at any time: what has been imported is changed at once, a
    Keras that is imported later as soon as it is there; none is imported for
    it. Calling it again changes nothing. What code has taken out of a Keras
    before, by `from keras.callbacks import …`, stays what it was, as does
    what it takes out meanwhile when `uninstall` is called.

    Returns:
        A context manager. Leaving it uninstalls, unless the classes had been
        installed before already.

    Example:
        with kerascb.install():
            runpy.run_path("train.py", run_name="__main__")
    """
    is_first = not _installer.is_on
    _installer.start()
    return Installation(is_outermost=is_first)


def uninstall() -> None:
    """Puts stock's classes back, exactly as they were.

    Without `install` before, it does nothing.
    """
    _installer.stop()


class Installation:
    """What `install` returns: the end of a `with` block uninstalls.

    Args:
        is_outermost: Whether nothing had been installed before.
    """

    def __init__(self, *, is_outermost: bool) -> None:
        self._is_outermost = is_outermost

    def __enter__(self) -> Installation:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_outermost:
            uninstall()


class _Installer:
    """Puts our classes in place, in what is imported now and what will be.

    Attributes:
        is_on: Whether it is at work.
    """

    def __init__(self) -> None:
        self.is_on = False
        self._is_loading = False
        self._substitution: Substitution | None = None
        self._watch = ImportWatch(
            {
                *("keras", "tf_keras"),
                *INTERNAL_MODULES,
                *PUBLIC_MODULES,
                *EXPERIMENTAL_MODULES,
            },
            self._substitute,
        )

    def start(self) -> None:
        if not self.is_on:
            self._substitute()
            self._watch.start()
            self.is_on = True

    def stop(self) -> None:
        self.is_on = False
        self._watch.stop()
        if self._substitution is not None:
            self._substitution.take_back()

    def _substitute(self) -> None:
        modules = (*INTERNAL_MODULES, *PUBLIC_MODULES)
        if self._is_loading or sys.modules.keys().isdisjoint(modules):
            return
        if self._substitution is None:
            self._is_loading = True
            try:
                # May import a Keras, which brings us here again.
                self._substitution = _load()
            finally:
                self._is_loading = False
        self._substitution.put()


def _load() -> Substitution:
    # Not before a Keras is there: until then the program may want to set
    # things up that are read when it, or NumPy, is imported.
    from kerascb import experimental  # noqa: PLC0415
    from kerascb.runtime._substitution import Substitution  # noqa: PLC0415

    classes = {name: getattr(kerascb, name) for name in CALLBACKS}
    return Substitution(classes, experimental)


_installer = _Installer()
