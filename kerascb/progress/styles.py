"""Which bars there are, and which need a package."""

from __future__ import annotations

import importlib
import importlib.util
from typing import IO, TYPE_CHECKING

from kerascb.errors import InvalidArgument, MissingDependency

if TYPE_CHECKING:
    from kerascb.progress.bars import Bar

_OF_KERAS = ("auto", "keras")
_OF_LIBRARIES = ("rich", "tqdm")


def require(style: str) -> None:
    """Refuses a style that is none, or whose package is not installed.

    Args:
        style: What the user gave.

    Raises:
        InvalidArgument: If there is no such style.
        MissingDependency: If its package is not installed.
    """
    if style not in _OF_KERAS + _OF_LIBRARIES:
        known = ", ".join(f'"{name}"' for name in _OF_KERAS + _OF_LIBRARIES)
        raise InvalidArgument(
            f"`style` is how a bar looks, one of {known}; got style={style!r}."
        )
    if style in _OF_LIBRARIES and importlib.util.find_spec(style) is None:
        raise MissingDependency(
            f'ProgbarLogger(style="{style}")', style, "progress"
        )


def is_drawn_by_a_library(style: str) -> bool:
    """Whether a style is not a Keras's own.

    Args:
        style: One that `require` has let pass.
    """
    return style in _OF_LIBRARIES


def library_bar(
    style: str, title: str, target: int | None, stream: IO[str]
) -> Bar:
    """A new bar of a library.

    Args:
        style: `"rich"` or `"tqdm"`.
        title: What the bar is of.
        target: Steps expected; `None` if unknown.
        stream: A terminal or the like.
    """
    # Imported when it is drawn: most runs need neither package.
    module = importlib.import_module(f"kerascb.progress.{style}_bar")
    bar: Bar = module.make(title, target, stream)
    return bar
