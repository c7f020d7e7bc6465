"""Logs that are brought off the device by the first who looks at a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Convert = Callable[[dict[str, Any]], dict[str, Any]]


class LazyLogs(dict[str, Any]):
    """A dict of logs whose values become Python's when one is asked for.

    All are converted then, at once. Names, their number and order are known
    before: `in`, `len` and iterating convert nothing. Whatever hands out a
    value does, and so does every change, so that what is put in stays as it
    was put in. Copies, pickled ones too, are plain dicts.

    CPython reads the subclass of a dict through its own methods where
    `__iter__` is overridden: `dict(logs)`, `{**logs}`, `other.update(logs)`,
    `json.dumps(logs)`. Code in C that looks into the memory of a dict, as
    TensorFlow's `nest` does, finds the values before their conversion.

    Args:
        values: Metric name → value, in the order in which they are shown.
        convert: Returns the same names with the values converted. `None` if
            they are already.
    """

    __slots__ = ("_convert",)

    def __init__(
        self,
        values: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
        convert: Convert | None = None,
    ) -> None:
        super().__init__(values)
        self._convert = convert

    def raw(self, name: str) -> Any:
        """A value as it is now: on the device still, or converted.

        Args:
            name: Of the metric.

        Raises:
            KeyError: If there is none of that name.
        """
        return super().__getitem__(name)

    def settle(self) -> None:
        """Converts what is not converted yet; waits for the device."""
        if self._convert is not None:
            values = dict(zip(super().keys(), super().values(), strict=True))
            super().update(self._convert(values))
            self._convert = None

    def __iter__(self) -> Iterator[str]:
        return super().__iter__()

    # -- what hands out values ----------------------------------------------

    def __getitem__(self, name: str) -> Any:
        self.settle()
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """As of every dict."""
        self.settle()
        return super().get(name, default)

    def items(self) -> Any:
        """As of every dict."""
        self.settle()
        return super().items()

    def values(self) -> Any:
        """As of every dict."""
        self.settle()
        return super().values()

    def copy(self) -> dict[str, Any]:
        """A plain dict."""
        return dict(self)

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)

    def __repr__(self) -> str:
        self.settle()
        return super().__repr__()

    def __eq__(self, other: object) -> bool:
        self.settle()
        if isinstance(other, LazyLogs):
            other.settle()
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    def __or__(self, other: Any) -> Any:
        return dict(self) | other

    def __ror__(self, other: Any) -> Any:
        return other | dict(self)

    # -- what changes them --------------------------------------------------

    def __setitem__(self, name: str, value: Any) -> None:
        self.settle()
        super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        self.settle()
        super().__delitem__(name)

    def __ior__(self, other: Any) -> LazyLogs:  # type: ignore[override]
        self.update(other)
        return self

    def clear(self) -> None:
        """As of every dict."""
        self._convert = None
        super().clear()

    def pop(self, *args: Any) -> Any:
        """As of every dict."""
        self.settle()
        return super().pop(*args)

    def popitem(self) -> tuple[str, Any]:
        """As of every dict."""
        self.settle()
        return super().popitem()

    def setdefault(self, name: str, default: Any = None) -> Any:
        """As of every dict."""
        self.settle()
        return super().setdefault(name, default)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """As of every dict."""
        self.settle()
        super().update(*args, **kwargs)
