"""Sorted tables, the format LevelDB brought up and TensorFlow's index is in.

A table is blocks of records, a block that says where these are, and a footer
that says where that one is. TensorFlow writes none of them compressed and
without filters; so do we.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kerascb.layouts.checksums import masked_crc32c

if TYPE_CHECKING:
    from collections.abc import Iterable

_BLOCK_BYTES = 262_144
"""A block is finished by the record that makes it as large."""

_RESTART_INTERVAL = 16
"""After so many records a key is written whole again."""

_MAGIC = bytes.fromhex("57fb808b247547db")
_FOOTER_BYTES = 48
_SUM_BYTES = 4
_UNCOMPRESSED = b"\0"
_LAST_BYTE = 0xFF
_DAMAGED = "This index of a TensorFlow checkpoint is damaged."
_CONTINUES = 0x80


def table(records: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Writes a table.

    Args:
        records: Keys and values, the keys ascending and each once.

    Returns:
        The whole file, as TensorFlow would write it.
    """
    content = bytearray()
    index, block = _BlockWriter(1), _BlockWriter(_RESTART_INTERVAL)
    place = b""  # of the block before, which its separator has to follow
    last = b""
    for key, value in records:
        if place:
            index.add(_between(last, key), place)
            place = b""
        block.add(key, value)
        last = key
        if block.size >= _BLOCK_BYTES:
            place = _append(content, block)
            block = _BlockWriter(_RESTART_INTERVAL)
    if not block.is_empty:
        place = _append(content, block)
    if place:
        index.add(_after(last), place)
    filters = _append(content, _BlockWriter(_RESTART_INTERVAL))
    blocks = _append(content, index)
    content += (filters + blocks).ljust(_FOOTER_BYTES - len(_MAGIC), b"\0")
    content += _MAGIC
    return bytes(content)


@dataclass(frozen=True)
class FirstRecord:
    """The first record of a table, which can be replaced where it stands.

    Attributes:
        key: Its key.
        value: Its value.
    """

    key: bytes
    value: bytes
    _position: int
    _block: slice

    @classmethod
    def of(cls, content: bytes) -> FirstRecord:
        """Reads it.

        Args:
            content: A whole table.

        Raises:
            ValueError: If it is no table, or a damaged or an empty one.
        """
        if len(content) < _FOOTER_BYTES or not content.endswith(_MAGIC):
            raise ValueError("This is no index of a TensorFlow checkpoint.")
        try:
            (_, _, blocks, _), _ = _varints(
                content, len(content) - _FOOTER_BYTES, 4
            )
            _, handle, _ = _record_at(content, blocks)
            (start, size), _ = _varints(handle, 0, 2)
            key, value, position = _record_at(content, start)
        except IndexError as error:
            raise ValueError(_DAMAGED) from error
        end = start + size + len(_UNCOMPRESSED)
        if content[end : end + _SUM_BYTES] != masked_crc32c(content[start:end]):
            raise ValueError(_DAMAGED)
        return cls(key, value, position, slice(start, end))

    def replaced(self, content: bytes, value: bytes) -> bytes:
        """The table with another value, as long as the first, in this record.

        Args:
            content: The table it was read from.
            value: What takes the place of its value.

        Raises:
            ValueError: If it is of another length.
        """
        if len(value) != len(self.value):
            raise ValueError(
                f"{len(value)} bytes do not fit where {len(self.value)} are."
            )
        changed = bytearray(content)
        changed[self._position : self._position + len(value)] = value
        end = self._block.stop
        changed[end : end + _SUM_BYTES] = masked_crc32c(
            bytes(changed[self._block])
        )
        return bytes(changed)


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first.

    Args:
        number: Not negative.

    Example:
        >>> varint(300).hex()
        'ac02'
    """
    written = bytearray()
    while number >= _CONTINUES:
        written.append(number & 0x7F | _CONTINUES)
        number >>= 7
    written.append(number)
    return bytes(written)


class _BlockWriter:
    """Records whose keys leave out what they share with the one before."""

    def __init__(self, interval: int) -> None:
        self._interval = interval
        self._content = bytearray()
        self._restarts = [0]
        self._count = 0
        self._last = b""

    @property
    def is_empty(self) -> bool:
        return not self._content

    @property
    def size(self) -> int:
        return len(self._content) + 4 * len(self._restarts) + 4

    def add(self, key: bytes, value: bytes) -> None:
        shared = 0
        if self._count == self._interval:
            self._restarts.append(len(self._content))
            self._count = 0
        else:
            shared = _shared(self._last, key)
        self._content += varint(shared)
        self._content += varint(len(key) - shared)
        self._content += varint(len(value))
        self._content += key[shared:] + value
        self._last = key
        self._count += 1

    def finish(self) -> bytes:
        ends = [*self._restarts, len(self._restarts)]
        return bytes(self._content) + struct.pack(f"<{len(ends)}I", *ends)


def _append(content: bytearray, block: _BlockWriter) -> bytes:
    """Writes a block; where it is, as a table notes it."""
    written = block.finish()
    place = varint(len(content)) + varint(len(written))
    written += _UNCOMPRESSED
    content += written + masked_crc32c(written)
    return place


def _shared(key: bytes, other: bytes) -> int:
    length = min(len(key), len(other))
    if key[:length] == other[:length]:
        return length
    return next(i for i in range(length) if key[i] != other[i])


def _between(key: bytes, following: bytes) -> bytes:
    """A short key, not before `key` and before `following`."""
    shared = _shared(key, following)
    if shared == min(len(key), len(following)):
        return key
    byte = key[shared]
    if byte < _LAST_BYTE and byte + 1 < following[shared]:
        return key[:shared] + bytes([byte + 1])
    return key


def _after(key: bytes) -> bytes:
    """A short key, not before `key`."""
    for position, byte in enumerate(key):
        if byte != _LAST_BYTE:
            return key[:position] + bytes([byte + 1])
    return key


def _record_at(content: bytes, position: int) -> tuple[bytes, bytes, int]:
    """A record with a whole key: key, value, and where the value stands."""
    (_, key_bytes, value_bytes), position = _varints(content, position, 3)
    middle = position + key_bytes
    end = middle + value_bytes
    return content[position:middle], content[middle:end], middle


def _varints(
    content: bytes, position: int, count: int
) -> tuple[list[int], int]:
    numbers = []
    for _ in range(count):
        number = shift = 0
        while content[position] >= _CONTINUES:
            number |= (content[position] & 0x7F) << shift
            position, shift = position + 1, shift + 7
        numbers.append(number | content[position] << shift)
        position += 1
    return numbers, position
