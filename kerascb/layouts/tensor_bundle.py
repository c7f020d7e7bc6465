"""TensorFlow's checkpoint files: an index, and the tensors one by one."""

from __future__ import annotations

import math
import os
import string
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kerascb.layouts.checksums import crc32c, masked
from kerascb.layouts.sstable import FirstRecord, table, varint

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kerascb.layouts.plan import Buffer, FileLayout

NOTE_KEY = "kerascb/note"
"""The key of the note, a scalar string that TensorFlow's readers pass over."""

STRING = "string"
"""The type of a tensor of byte strings, which NumPy has no name for."""

_TYPES = {
    "float32": (1, 4),
    "float64": (2, 8),
    "int32": (3, 4),
    "uint8": (4, 1),
    "int16": (5, 2),
    "int8": (6, 1),
    STRING: (7, 0),
    "complex64": (8, 8),
    "int64": (9, 8),
    "bool": (10, 1),
    "qint8": (11, 1),
    "quint8": (12, 1),
    "qint32": (13, 4),
    "bfloat16": (14, 2),
    "qint16": (15, 2),
    "quint16": (16, 2),
    "uint16": (17, 2),
    "complex128": (18, 16),
    "float16": (19, 2),
    "uint32": (22, 4),
    "uint64": (23, 8),
    "float8_e5m2": (24, 1),
    "float8_e4m3fn": (25, 1),
    "float8_e4m3fnuz": (26, 1),
    "float8_e4m3b11fnuz": (27, 1),
    "float8_e5m2fnuz": (28, 1),
    "int4": (29, 1),
    "uint4": (30, 1),
}
"""Name that NumPy or `ml_dtypes` has → TensorFlow's number, bytes an element.

Those of strings depend on what they are.
"""

TYPES = frozenset(_TYPES)
"""The types that a bundle can hold."""

_PLAIN = frozenset(string.ascii_letters + string.digits + "-_.+=@ {}()[],")
_VERSION = 1
_MAX_PATCHED_SHARDS = 127
_MAX_UINT32 = 0xFFFFFFFF


@dataclass(frozen=True)
class Tensor:
    """A tensor of a bundle.

    Attributes:
        key: Its name there.
        dtype: One of `TYPES`.
        shape: Its shape.
        content: Which value it is; or its bytes, if they are known already.
    """

    key: str
    dtype: str
    shape: tuple[int, ...]
    content: int | EncodedStrings | bytes


@dataclass(frozen=True)
class EncodedStrings:
    """Byte strings as a bundle has them.

    Attributes:
        data: Their lengths, a checksum of these, and the strings.
        crc: The sum that the index has of them.
    """

    data: bytes
    crc: int

    @classmethod
    def of(cls, strings: Sequence[bytes]) -> EncodedStrings:
        """Lays strings out.

        Args:
            strings: The elements of a tensor in C order.
        """
        lengths = b"".join(varint(len(each)) for each in strings)
        # The sum is not of the bytes that are written: lengths count as
        # fixed-size numbers.
        crc = crc32c(b"".join(_fixed(len(each)) for each in strings))
        check = masked(crc)
        content = b"".join(strings)
        crc = crc32c(content, crc32c(check, crc))
        return cls(lengths + check + content, crc)


@dataclass(frozen=True)
class DataLayout:
    """The file with the tensors one after the other, the note last.

    Attributes:
        tensors: What is in it, in order.
    """

    tensors: tuple[Tensor, ...]

    def render(
        self, values: Sequence[memoryview], note: bytes
    ) -> Iterator[Buffer]:
        """The content of the file; see `FileLayout`.

        Raises:
            ValueError: If a value is not as large as its tensor.
        """
        for tensor in self.tensors:
            yield _data_of(tensor, values)
        if note:
            yield EncodedStrings.of([note]).data


@dataclass(frozen=True)
class IndexLayout:
    """The file that says where each tensor lies, and what it sums up to.

    Attributes:
        tensors: What the other file has in it, in order.
    """

    tensors: tuple[Tensor, ...]

    def render(
        self, values: Sequence[memoryview], note: bytes
    ) -> Iterator[Buffer]:
        """The content of the file, in one piece; see `FileLayout`."""
        entries, offset = [], 0
        for tensor in self.tensors:
            data = _data_of(tensor, values)
            content = tensor.content
            crc = (
                content.crc
                if isinstance(content, EncodedStrings)
                else crc32c(data)
            )
            entries.append(
                (tensor.key.encode(), _entry(tensor, offset, len(data), crc))
            )
            offset += len(data)
        if note:
            strings = EncodedStrings.of([note])
            tensor = Tensor(NOTE_KEY, STRING, (), strings)
            entry = _entry(tensor, offset, len(strings.data), strings.crc)
            entries.append((NOTE_KEY.encode(), entry))
        yield table([(b"", _header(1)), *sorted(entries)])


def bundle(
    tensors: Sequence[Tensor], prefix: str = ""
) -> dict[str, FileLayout]:
    """The files of a bundle, the index last.

    Args:
        tensors: What is in it, in the order in which they are to lie.
        prefix: What the names of the files begin with.

    Returns:
        Name → layout. Tensors and index are byte for byte what TensorFlow
        would write, but for the note under `NOTE_KEY`, unless that is empty.

    Example:
        >>> files = bundle([Tensor("step", "int64", (), 0)])
        >>> list(files)
        ['.data-00000-of-00001', '.index']
        >>> value = memoryview((7).to_bytes(8, "little"))
        >>> b"".join(files[data_suffix(0, 1)].render([value], b"")).hex()
        '0700000000000000'
    """
    tensors = tuple(tensors)
    return {
        prefix + data_suffix(0, 1): DataLayout(tensors),
        f"{prefix}.index": IndexLayout(tensors),
    }


def data_suffix(shard: int, shards: int) -> str:
    """How the name of a file with tensors ends.

    Args:
        shard: Which of them.
        shards: How many there are.
    """
    return f".data-{shard:05d}-of-{shards:05d}"


def shards_of(index: bytes) -> int:
    """How many files with tensors an index tells of.

    Args:
        index: The content of the `.index` file.

    Raises:
        ValueError: If it is none.
    """
    return _shards_in(FirstRecord.of(index))


def with_shards(index: bytes, shards: int) -> bytes:
    """The same index, for files that are named after another count of them.

    The tensors stay where they are: shard 0 of one is shard 0 of two, and
    TensorFlow looks for a shard only when a tensor of it is read.

    Args:
        index: The content of an `.index` file.
        shards: The count that the names of the files shall have, 1 to 127.

    Raises:
        ValueError: If `index` is none, or counts more.
    """
    header = FirstRecord.of(index)
    value = bytearray(header.value)
    if not all(
        1 <= count <= _MAX_PATCHED_SHARDS
        for count in (shards, _shards_in(header))
    ):
        raise ValueError(
            f"An index can be renamed for 1 to {_MAX_PATCHED_SHARDS} files; "
            f"got {shards}."
        )
    value[1] = shards
    return header.replaced(index, bytes(value))


def note_at_end(data: bytes, beginning: bytes) -> bytes | None:
    """The note that the file with the tensors ends with.

    Args:
        data: The end of that file, as long as notes may be.
        beginning: What every note begins with.

    Returns:
        The note as it was given; `None` if there is none that is whole.
    """
    start = len(data)
    while (start := data.rfind(beginning, 0, start)) >= 0:
        note = data[start:]
        if data.endswith(EncodedStrings.of([note]).data):
            return note
    return None


def checkpoint_state(prefix: str) -> bytes:
    """What the file `checkpoint` says in the folder of the newest checkpoint.

    Args:
        prefix: Of the checkpoint, in that folder.

    Example:
        >>> print(checkpoint_state("models/cp-3").decode(), end="")
        model_checkpoint_path: "cp-3"
        all_model_checkpoint_paths: "cp-3"
    """
    name = "".join(
        chr(byte) if chr(byte) in _PLAIN else f"\\{byte:03o}"
        for byte in os.path.basename(prefix).encode()
    )
    return (
        f'model_checkpoint_path: "{name}"\n'
        f'all_model_checkpoint_paths: "{name}"\n'
    ).encode()


def _data_of(tensor: Tensor, values: Sequence[memoryview]) -> Buffer:
    content = tensor.content
    if isinstance(content, EncodedStrings):
        return content.data
    data = content if isinstance(content, bytes) else values[content]
    size = math.prod(tensor.shape) * _TYPES[tensor.dtype][1]
    if len(data) != size:
        raise ValueError(
            f"The value of {tensor.key!r} has {len(data)} bytes; its place in "
            f"the file has {size}."
        )
    return data


def _fixed(length: int) -> bytes:
    return struct.pack("<I" if length <= _MAX_UINT32 else "<Q", length)


# The few messages of protocol buffers that an index is made of. A field that
# has its default value is left out.


def _header(shards: int) -> bytes:
    version = _number(1, _VERSION)
    return _number(1, shards) + _message(3, version)


def _shards_in(header: FirstRecord) -> int:
    # TensorFlow writes fields in their order; this is the first.
    field, shards = header.value[:1], header.value[1:2]
    if header.key or field != b"\x08" or not shards:
        raise ValueError("The index does not begin with its header.")
    return shards[0]


def _entry(tensor: Tensor, offset: int, size: int, crc: int) -> bytes:
    shape = b"".join(_message(2, _number(1, each)) for each in tensor.shape)
    return (
        _number(1, _TYPES[tensor.dtype][0])
        + _message(2, shape)
        + _number(4, offset)
        + _number(5, size)
        + b"\x35"
        + masked(crc)
    )


def _number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value) if value else b""


def _message(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content
