"""HDF5 files: all that is in one but for the values, and where these go."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from kerascb.layouts._pages import Pages
from kerascb.layouts.plan import NotPlannable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kerascb.layouts.plan import Buffer

NOTE_NAME = "kerascb"
"""The dataset at the root that holds the note, padded with spaces."""

_NOTE = -1


def _allocating_at_once() -> Any:
    """How to make a dataset that has its place in the file, and no value."""
    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    creation.set_obj_track_times(False)
    return creation


_AT_ONCE = _allocating_at_once()
_SCALAR = h5py.h5s.create(h5py.h5s.SCALAR)


@dataclass(frozen=True)
class Slot:
    """A place for a value.

    Attributes:
        index: Of the value; the note's is -1.
        size: Bytes.
    """

    index: int
    size: int


@dataclass(frozen=True)
class Hdf5Layout:
    """An HDF5 file: fixed pieces and slots, in the order of the file.

    Attributes:
        parts: The pieces.
    """

    parts: tuple[bytes | Slot, ...]

    def render(
        self, values: Sequence[memoryview], note: bytes
    ) -> Iterator[Buffer]:
        """The content of the file; see `FileLayout`.

        Raises:
            ValueError: If a value is not as large as its place.
        """
        for part in self.parts:
            if isinstance(part, bytes):
                yield part
            elif part.index == _NOTE:
                yield _padded(note, part.size)
            else:
                yield _fitting(values[part.index], part)


class Hdf5Skeleton:
    """An HDF5 file in the making, without its values.

    Groups, attributes and small arrays are written through `file`, as h5py is
    used everywhere. A value that comes later gets its place with `reserve`, a
    large array with `put`: stored contiguously, so that where it lies is known
    before it is there.

    Attributes:
        file: The open file; it lies in memory and stays small.

    Example:
        >>> import io
        >>> skeleton = Hdf5Skeleton()
        >>> dataset = skeleton.reserve(
        ...     skeleton.file, "kernel", (2, 3), np.float32, index=0
        ... )
        >>> layout = skeleton.finish()
        >>> value = np.arange(6, dtype=np.float32).reshape(2, 3)
        >>> values = [memoryview(value).cast("B")]
        >>> content = b"".join(layout.render(values, b""))
        >>> with h5py.File(io.BytesIO(content)) as file:
        ...     file["kernel"][:].tolist()
        [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    """

    def __init__(self) -> None:
        self._content = Pages()
        self.file = h5py.File(self._content, "w")
        self._allotted: list[tuple[int, bytes | Slot]] = []

    def reserve(
        self,
        group: Any,
        name: str,
        shape: tuple[int, ...],
        dtype: Any,
        *,
        index: int,
    ) -> Any:
        """Makes a dataset that gets its value when the file is rendered.

        Args:
            group: The group of `file` it belongs to.
            name: Its name there.
            shape: Its shape.
            dtype: Its NumPy dtype; fixed size.
            index: Which value it gets.

        Returns:
            The `h5py.Dataset`, for attributes.

        Raises:
            TypeError: If HDF5 has no type for such values.
        """
        size = math.prod(shape) * np.dtype(dtype).itemsize
        return self._allot(group, name, shape, dtype, Slot(index, size))

    def put(self, group: Any, name: str, value: np.ndarray) -> Any:
        """Makes a dataset of an array as it is now.

        What h5py writes is copied several times on its way; this is not.

        Args:
            group: The group of `file` it belongs to.
            name: Its name there.
            value: The array, copied once.

        Returns:
            The `h5py.Dataset`, for attributes.

        Raises:
            TypeError: If HDF5 has no type for such values.
        """
        return self._allot(
            group, name, value.shape, value.dtype, value.tobytes()
        )

    def reserve_note(self, size: int) -> None:
        """Makes the place for the note.

        Args:
            size: Bytes; a longer note is refused when the file is rendered.

        Raises:
            NotPlannable: If something of the model lies there.
        """
        if NOTE_NAME in self.file:
            raise NotPlannable(
                f"a part of it is called {NOTE_NAME!r}, the name under which "
                "kerascb keeps its own data in the file"
            )
        self.reserve(self.file, NOTE_NAME, (size,), np.uint8, index=_NOTE)

    def _allot(
        self,
        group: Any,
        name: str,
        shape: tuple[int, ...],
        dtype: Any,
        part: bytes | Slot,
    ) -> Any:
        if 0 in shape:
            return group.create_dataset(name, shape=shape, dtype=dtype)
        folder, _, last = name.rpartition("/")
        # `create_dataset` takes no creation properties for a scalar.
        dataset = h5py.h5d.create(
            group.require_group(folder).id if folder else group.id,
            last.encode(),
            h5py.h5t.py_create(np.dtype(dtype), logical=True),
            h5py.h5s.create_simple(shape) if shape else _SCALAR,
            _AT_ONCE,
        )
        self._allotted.append((dataset.get_offset(), part))
        return h5py.Dataset(dataset)

    def finish(self) -> Hdf5Layout:
        """Closes the file.

        Returns:
            Its layout.
        """
        self.file.close()
        parts: list[bytes | Slot] = []
        end = 0
        for offset, part in sorted(self._allotted, key=_offset):
            parts.append(self._content.content(end, offset))
            parts.append(part)
            end = offset + _size(part)
        parts.append(self._content.content(end, self._content.size))
        return Hdf5Layout(tuple(part for part in parts if part != b""))


def _offset(place: tuple[int, bytes | Slot]) -> int:
    return place[0]


def _size(part: bytes | Slot) -> int:
    return len(part) if isinstance(part, bytes) else part.size


def _fitting(value: memoryview, slot: Slot) -> memoryview:
    if value.nbytes != slot.size:
        raise ValueError(
            f"Value {slot.index} has {value.nbytes} bytes; its place in the "
            f"file has {slot.size}."
        )
    return value


def _padded(note: bytes, size: int) -> bytes:
    if len(note) > size:
        raise ValueError(
            f"The note has {len(note)} bytes; its place in the file has {size}."
        )
    return note.ljust(size)
