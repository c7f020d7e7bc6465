"""State as JSON, with a mark wherever JSON has no word for a value.

A mark is an object whose first key begins with one `$`; a key of the state's
own that does gets a second one. Any parser of JSON reads the text.
"""

from __future__ import annotations

import itertools
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

_NO_NUMBER = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_EXACT = 1 << 53
"""What every parser of JSON takes for the same integer."""
_LONGEST_NAME = 120
_UNSTORABLE = (
    "State may have None, bool, int, float, str, list, tuple, dict with str "
    "keys, NumPy scalars and arrays."
)


def encode(state: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """Takes a state apart.

    Args:
        state: `None`, `bool`, `int`, `float`, `str`, lists, tuples and dicts
            with `str` keys of such, NumPy scalars and arrays, and frozen
            values of variables.

    Returns:
        The JSON, and the arrays and frozen values in it, not copied, by the
        names that the JSON calls them. What has a place of its own in the
        state has a name that says so.

    Raises:
        TypeError: If there is anything else in it; names the place.

    Example:
        >>> encode({"epoch": 3, "best": float("inf"), "w": {"b": np.ones(2)}})
        ... # doctest: +NORMALIZE_WHITESPACE
        (b'{"epoch":3,"best":{"$float":"inf"},"w":{"b":{"$array":"w/b"}}}',
         {'w/b': array([1., 1.])})
    """
    encoder = _Encoder()
    marked = encoder.mapping(state, ())
    text = json.dumps(marked, allow_nan=False, separators=(",", ":"))
    return text.encode(), encoder.arrays


def decode(
    text: bytes, arrays: Mapping[str, npt.NDArray[Any]]
) -> dict[str, Any]:
    """Puts a state together; arrays take the place of frozen values.

    Args:
        text: The JSON.
        arrays: The arrays, by the names that it calls them.

    Raises:
        KeyError: If one is missing.
        ValueError: If the text is none that `encode` has returned.

    Example:
        >>> decode(b'{"best":{"$float":"nan"},"n":{"$int":"0x1f"}}', {})
        {'best': nan, 'n': 31}
    """
    state = _decoded(json.loads(text), arrays)
    if not isinstance(state, dict):
        raise ValueError("no dict")  # noqa: TRY004 - of a text, not a caller
    return state


def stored_type(kind: Any) -> np.dtype[Any]:
    """The type that `.npy` files have for a type of arrays.

    NumPy's own are stored as they are, those of `ml_dtypes` (`bfloat16`) as
    integers of their size.

    Args:
        kind: A type of NumPy, or the name of one.
    """
    kind = _type(kind)
    return np.dtype(f"u{kind.itemsize}") if _is_foreign(kind) else kind


class _Encoder:
    def __init__(self) -> None:
        self.arrays: dict[str, Any] = {}

    def mapping(
        self, value: Mapping[Any, Any], path: tuple[Any, ...]
    ) -> dict[str, Any]:
        marked = {}
        for key, one in value.items():
            if not isinstance(key, str):
                raise TypeError(
                    f"{_words(path)} has the key {key!r}, which is no str. "
                    f"{_UNSTORABLE}"
                )
            name = f"${key}" if key.startswith("$") else str(key)
            marked[name] = self.value(one, (*path, key))
        return marked

    def value(self, value: Any, path: tuple[Any, ...]) -> Any:
        if isinstance(value, np.generic):  # some are floats or strings, too
            return self._scalar(value, path)
        if value is None or isinstance(value, str | bool | int | float):
            return _simple(value)
        if isinstance(value, list):
            return self._items(value, path)
        if isinstance(value, tuple):
            return {"$tuple": self._items(value, path)}
        if isinstance(value, dict):
            return self.mapping(value, path)
        return self._array(value, path)

    def _items(self, values: Sequence[Any], path: tuple[Any, ...]) -> list[Any]:
        if _are_numbers(values):
            return list(values)
        return [
            self.value(one, (*path, index)) for index, one in enumerate(values)
        ]

    def _scalar(self, value: np.generic, path: tuple[Any, ...]) -> Any:
        kind = value.dtype
        if kind.hasobject or kind.names is not None:
            raise _unstorable(value, path)
        if kind.kind in "biufU" or _is_foreign(kind):
            plain = value.item()
            is_exact = (
                not isinstance(plain, np.generic)
                and plain == plain  # noqa: PLR0124 - "nan" does not tell which
                and kind.type(plain).tobytes() == value.tobytes()
            )
            if is_exact:
                name = kind.str if kind.kind == "U" else kind.name
                return {"$scalar": [name, self.value(plain, path)]}
        name = kind.name if _is_foreign(kind) else kind.str
        if isinstance(value, np.bytes_):  # an empty one makes a byte of it
            return {"$scalar": [name, {"hex": value.hex()}]}
        return {"$scalar": [name, {"hex": value.tobytes().hex()}]}

    def _array(self, value: Any, path: tuple[Any, ...]) -> Any:
        is_frozen = hasattr(value, "raw") and hasattr(value, "array")
        if not (is_frozen or isinstance(value, np.ndarray)):
            raise _unstorable(value, path)
        kind = _type(value.dtype)
        if kind.hasobject:
            return self._words(value.array() if is_frozen else value, path)
        if kind.names is not None or kind.kind == "T":
            raise _unstorable(value, path)
        name = self._new_name(path)
        self.arrays[name] = value
        mark = {"$array": name}
        if _is_foreign(kind):
            mark["dtype"] = kind.name
        return mark

    def _words(self, array: npt.NDArray[Any], path: tuple[Any, ...]) -> Any:
        """Byte strings of any length, as TensorFlow has them in variables."""
        words = array.reshape(-1).tolist()
        if not all(isinstance(word, bytes) for word in words):
            raise _unstorable(array, path)
        return {
            "$words": [word.decode("latin-1") for word in words],
            "shape": list(array.shape),
        }

    def _new_name(self, path: tuple[Any, ...]) -> str:
        """A name for an entry of an archive, made of where the value is."""
        name = "/".join(map(str, path))
        if not name.isprintable() or "\\" in name:
            name = "".join(
                sign if sign.isprintable() and sign != "\\" else "_"
                for sign in name
            )
        name = name[-_LONGEST_NAME:]
        if name not in self.arrays:
            return name
        others = (f"{name}~{number}" for number in itertools.count(2))
        return next(other for other in others if other not in self.arrays)


def _simple(value: str | int | float | None) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": str(float(value))}
    if isinstance(value, int) and abs(value) >= _EXACT:
        return {"$int": hex(value)}
    return value


def _decoded(value: Any, arrays: Mapping[str, npt.NDArray[Any]]) -> Any:
    if isinstance(value, list):
        if _are_numbers(value):
            return value
        return [_decoded(one, arrays) for one in value]
    if not isinstance(value, dict):
        return value
    mark = next(iter(value), "")
    if mark.startswith("$") and not mark.startswith("$$"):
        return _meant(mark, value, arrays)
    return {
        key[1:] if key.startswith("$") else key: _decoded(one, arrays)
        for key, one in value.items()
    }


def _meant(
    mark: str, value: dict[str, Any], arrays: Mapping[str, npt.NDArray[Any]]
) -> Any:
    """What a mark stands for."""
    content = value[mark]
    if mark == "$array":
        array = arrays[content]
        return array.view(_type(value["dtype"])) if "dtype" in value else array
    if mark == "$scalar":
        return _scalar(*content)
    if mark == "$float":
        return _NO_NUMBER[content]
    if mark == "$int":
        return int(content, 16)
    if mark == "$tuple":
        return tuple(_decoded(content, arrays))
    if mark == "$words":
        words = np.empty(len(content), object)
        words[:] = [word.encode("latin-1") for word in content]
        return words.reshape(value["shape"])
    raise ValueError(f"the mark {mark} is not known")


def _scalar(name: str, content: Any) -> Any:
    kind = _type(name)
    if isinstance(content, dict) and "hex" in content:
        value = bytes.fromhex(content["hex"])
        if kind.kind == "S":  # an array would drop zeros at the end
            return np.bytes_(value)
        return np.frombuffer(value, kind)[0]
    return kind.type(_decoded(content, {}))


def _are_numbers(values: Iterable[Any]) -> bool:
    """Whether these are numbers that JSON has words for; quickly."""
    kinds = set(map(type, values))
    if kinds == {float}:
        return all(map(math.isfinite, values))
    return kinds == {int} and max(map(abs, values)) < _EXACT


def _type(kind: Any) -> np.dtype[Any]:
    try:
        found: np.dtype[Any] = np.dtype(kind)
    except TypeError:  # NumPy knows these names once they are imported
        import ml_dtypes  # noqa: PLC0415

        found = np.dtype(getattr(ml_dtypes, kind))
    return found


def _is_foreign(kind: np.dtype[Any]) -> bool:
    """Whether a type is `ml_dtypes`', which `.npy` files cannot say."""
    return kind.isbuiltin == 2  # noqa: PLR2004 - registered with NumPy


def _unstorable(value: Any, path: tuple[Any, ...]) -> TypeError:
    name = type(value).__name__
    if hasattr(value, "dtype"):
        name += f" of type {value.dtype}"
    return TypeError(
        f"{_words(path)} is of a kind that cannot be stored: {name}. "
        f"{_UNSTORABLE}"
    )


def _words(path: tuple[Any, ...]) -> str:
    return "The state" + "".join(f"[{key!r}]" for key in path)
