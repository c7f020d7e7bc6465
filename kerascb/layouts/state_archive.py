"""The state of a run as one file: JSON, and its arrays beside it.

The file is an `.npz` without compression that `numpy.load` opens: the entry
`state.json` has everything but the arrays, and says by name where each array
belongs.
"""

from __future__ import annotations

import functools
import io
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from kerascb.layouts.archive import ZipLayout
from kerascb.layouts.sealed_archive import DamagedArchive, read_sealed
from kerascb.layouts.state_json import decode, encode, stored_type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from kerascb.layouts.plan import Buffer

__all__ = ["DamagedArchive", "NpzLayout", "decode", "encode", "raw", "read"]

STATE_NAME = "state.json"
_SUFFIX = ".npy"
_MAGIC_SIZE = np.lib.format.MAGIC_LEN
_START = _MAGIC_SIZE + 2
"""Where the header of an array begins; its length stands before."""


@dataclass(frozen=True)
class NpzLayout:
    """The file of a state that `encode` has taken apart.

    Attributes:
        text: The JSON.
        arrays: Name, type and shape of every array, in their order.

    Example:
        >>> text, arrays = encode({"w": np.zeros(2), "epoch": 3})
        >>> layout = NpzLayout.of(text, arrays)
        >>> pieces = layout.render([raw(one) for one in arrays.values()], b"")
        >>> read(io.BytesIO(b"".join(pieces)))
        {'w': array([0., 0.]), 'epoch': 3}
    """

    text: bytes
    arrays: tuple[tuple[str, np.dtype[Any], tuple[int, ...]], ...]

    @classmethod
    def of(cls, text: bytes, arrays: Mapping[str, Any]) -> NpzLayout:
        """The layout of what `encode` has returned.

        Args:
            text: The JSON.
            arrays: The arrays.
        """
        return cls(
            text,
            tuple(
                (name, stored_type(value.dtype), tuple(value.shape))
                for name, value in arrays.items()
            ),
        )

    def render(
        self, values: Sequence[memoryview], note: bytes
    ) -> Iterator[Buffer]:
        """The content of the file; see `FileLayout`.

        Args:
            values: What `raw` says of each array.
            note: Goes into the comment of the archive.
        """
        entries = [
            (name + _SUFFIX, _Npy(_header(kind, shape), index))
            for index, (name, kind, shape) in enumerate(self.arrays)
        ]
        layout = ZipLayout(((STATE_NAME, self.text), *entries), is_sealed=True)
        return layout.render(values, note)


def raw(value: Any) -> memoryview:
    """The bytes of an array of a state, flat, in C order.

    They are copied only where they do not lie in a row.

    Args:
        value: An array, or a frozen value.
    """
    if not isinstance(value, np.ndarray):
        view: memoryview = value.raw()
        return view
    if not value.nbytes:
        return memoryview(b"")
    flat: npt.NDArray[Any] = np.ascontiguousarray(value).reshape(-1)
    return flat.view(np.uint8).data


def read(source: str | os.PathLike[str] | BinaryIO) -> dict[str, Any]:
    """The state in a file; every byte of it is checked.

    Args:
        source: The path of the file, or the file, open for reading bytes.

    Raises:
        DamagedArchive: If it is not what was written.
        OSError: If it cannot be read.
    """
    if isinstance(source, str | os.PathLike):
        with open(source, "rb") as file:
            return read(file)
    entries = read_sealed(source)
    try:
        text = entries.pop(STATE_NAME).tobytes()
        arrays = {
            name.removesuffix(_SUFFIX): _array_in(content)
            for name, content in entries.items()
        }
        return decode(text, arrays)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DamagedArchive(
            f"it is whole, but nothing that this kerascb can read ({error})"
        ) from error


@dataclass(frozen=True)
class _Npy:
    """A file with one array."""

    header: bytes
    index: int

    def render(
        self, values: Sequence[memoryview], note: bytes
    ) -> Iterator[Buffer]:
        del note
        yield self.header
        yield values[self.index]


@functools.lru_cache(maxsize=4096)
def _header(kind: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """What NumPy writes before the values; they begin at a multiple of 64."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file,
        {
            "descr": np.lib.format.dtype_to_descr(kind),
            "fortran_order": False,
            "shape": shape,
        },
    )
    return file.getvalue()


def _array_in(content: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
    """The array of such a file, which goes on using its memory."""
    size = int.from_bytes(content[_MAGIC_SIZE:_START].tobytes(), "little")
    head = io.BytesIO(content[: _START + size].tobytes())
    version = np.lib.format.read_magic(head)
    if version != (1, 0):
        raise ValueError(f"an array of version {version}")
    shape, _, kind = np.lib.format.read_array_header_1_0(head)
    values = content[_START + size :]
    if not values.size:
        return np.empty(shape, kind)
    return values.view(kind).reshape(shape)
