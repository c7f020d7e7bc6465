"""Paths with placeholders: `weights.{epoch:02d}-{val_loss:.2f}.keras`."""

from __future__ import annotations

import os
import re
import string
from typing import TYPE_CHECKING, Any

from kerascb.errors import InvalidArgument, UnfillablePath
from kerascb.improvement import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def fields_of(template: str) -> list[str]:
    """The names in a template, in their order.

    Args:
        template: A template that `check` has let pass.

    Example:
        >>> fields_of("{epoch:02d}-{val_loss:.2f}.keras")
        ['epoch', 'val_loss']
    """
    return [
        re.split(r"[.\[]", name, maxsplit=1)[0]
        for _, name, _, _ in string.Formatter().parse(template)
        if name is not None
    ]


def check(
    template: str,
    may_appear: Callable[[str], bool],
    available: Iterable[str],
) -> None:
    """Refuses a template that no epoch of the coming training will fill.

    Args:
        template: The template.
        may_appear: A name → whether an epoch may bring a value for it.
        available: The names known to come; their values are numbers.

    Raises:
        InvalidArgument: If the template cannot be read, or asks for a format
            that a number does not have.
        UnfillablePath: If a name will never have a value.

    Example:
        >>> check("{epoch}-{los}", {"epoch", "loss"}.__contains__, ["loss"])
        Traceback (most recent call last):
            ...
        kerascb.errors.UnfillablePath: Failed to format this callback \
filepath: "{epoch}-{los}". Reason: no epoch has a value for 'los'. Did you \
mean 'loss'? There will be: loss.
    """
    available = list(available)
    try:
        # What is indexed is no number, and what it is cannot be known.
        numbers = set(available) - _indexed(template)
        samples = {**dict.fromkeys(numbers, 0.5), "epoch": 1, "batch": 1}
        template.format_map(_Lenient(samples))
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise InvalidArgument(
            f'Failed to format this callback filepath: "{template}". Reason: '
            f"{error}. It is filled as by str.format; a brace that is meant "
            "as one is written twice."
        ) from error
    for name in fields_of(template):
        if not may_appear(name):
            raise UnfillablePath(_unfillable(template, name, available))


def fill(template: str, values: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Fills a template; a name without a value stands for itself.

    Args:
        template: The template.
        values: Name → value.

    Returns:
        The path, and the names that had no value.

    Example:
        >>> fill("{epoch:02d}-{val_loss:.2f}.keras", {"epoch": 1})
        ('01-val_loss.keras', ['val_loss'])
    """
    lenient = _Lenient(values)
    return template.format_map(lenient), lenient.missing


def literal(template: str) -> str | None:
    """The one path that a template without placeholders means.

    Args:
        template: The template.

    Returns:
        The path, its braces undoubled; `None` if there are placeholders.

    Example:
        >>> literal("a{{x}}")
        'a{x}'
    """
    return None if fields_of(template) else template.format()


def home_of(template: str) -> str:
    """The deepest folder on the way that has no placeholder in its path.

    Args:
        template: The template.

    Example:
        >>> home_of("run/{epoch}/model.keras")
        'run'
    """
    folder = os.path.dirname(template)
    while (home := literal(folder)) is None:
        folder = os.path.dirname(folder)
    return home


def pattern_of(template: str) -> re.Pattern[str]:
    """A pattern that matches everything a template can become.

    Args:
        template: The template.

    Example:
        >>> bool(pattern_of("w{epoch:02d}.h5").fullmatch("w07.h5"))
        True
    """
    parts = [
        re.escape(text) + ("" if name is None else ".*")
        for text, name, _, _ in string.Formatter().parse(template)
    ]
    return re.compile("".join(parts), re.DOTALL)


def _indexed(template: str) -> set[str]:
    """The names of which an item is asked for: `{f1[0]}`."""
    return {
        name.partition("[")[0]
        for _, name, _, _ in string.Formatter().parse(template)
        if name is not None and "[" in name
    }


class _Lenient(dict[str, Any]):
    """Values; a name stands in for each that is missing."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.missing: list[str] = []

    def __missing__(self, name: str) -> Any:
        self.missing.append(name)
        return _Name(name)


class _Name(str):
    """A name that takes the place of its value, whatever the format."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return str(self)

    def __getattr__(self, name: str) -> _Name:
        return self

    def __getitem__(self, key: Any) -> _Name:
        return self


def _unfillable(template: str, name: str, available: list[str]) -> str:
    hint = did_you_mean(name, available)
    return (
        f'Failed to format this callback filepath: "{template}". Reason: no '
        f"epoch has a value for {name!r}.{hint} There will be: "
        f"{', '.join(available)}."
    )
