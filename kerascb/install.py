"""Our classes in the place of stock's, for code that cannot be edited."""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING

from kerascb._names import CALLBACKS, EXPERIMENTAL
from kerascb.runtime._substitution import Substitutes, Substitution

if TYPE_CHECKING:
    from types import TracebackType

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
        >>> import keras
        >>> import kerascb
        >>> with kerascb.install():
        ...     keras.callbacks.CSVLogger is kerascb.CSVLogger
        True
        >>> keras.callbacks.CSVLogger is kerascb.CSVLogger
        False
    """
    is_first = not _substitution.is_on
    _substitution.start()
    return Installation(is_outermost=is_first)


def uninstall() -> None:
    """Puts stock's classes back, exactly as they were.

    Without `install` before, it does nothing.
    """
    _substitution.stop()


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


@functools.cache
def _load() -> Substitutes:
    import kerascb

    return Substitutes(
        classes={name: getattr(kerascb, name) for name in CALLBACKS},
        experimental=importlib.import_module("kerascb.experimental"),
        in_experimental=EXPERIMENTAL,
    )


_substitution = Substitution(_load)
