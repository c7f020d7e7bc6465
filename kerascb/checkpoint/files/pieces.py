"""How much of a file is read or written at a time."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kerascb.layouts.plan import Buffer

PIECE_BYTES = 16 << 20
"""The most of a file that is asked for, or handed on, in one call."""

_JOINED_BYTES = 1 << 20
_LONG_BYTES = 64 << 10
"""From here on it pays to let other threads run while memory is copied."""


def pieces_of(buffers: Iterable[Buffer]) -> Iterator[memoryview]:
    """The same bytes in pieces that are worth a system call.

    Small buffers are joined; large ones are cut, not copied.

    Args:
        buffers: Bytes in their order.

    Yields:
        Pieces of 1 byte to `PIECE_BYTES`, each valid until the next is asked
        for.

    Example:
        >>> [bytes(piece) for piece in pieces_of([b"ab", b"", b"c"])]
        [b'abc']
    """
    space = memoryview(bytearray(_JOINED_BYTES))
    for is_small, group in itertools.groupby(buffers, _is_small):
        if is_small:
            yield from packed(group, itertools.repeat(space))
        else:
            for buffer in group:
                content = memoryview(buffer)
                for start in range(0, len(content), PIECE_BYTES):
                    yield content[start : start + PIECE_BYTES]


def packed(
    buffers: Iterable[Buffer], spaces: Iterable[memoryview]
) -> Iterator[memoryview]:
    """The same bytes, copied into one space after the other.

    Args:
        buffers: Bytes in their order.
        spaces: Memory, endless; the next is asked for when one is full.

    Yields:
        The spaces, each full to its end but the last.

    Example:
        >>> space = memoryview(bytearray(2))
        >>> row = packed([b"abc", b"de"], itertools.repeat(space))
        >>> [bytes(piece) for piece in row]
        [b'ab', b'cd', b'e']
    """
    spaces = iter(spaces)
    space = next(spaces)
    used = 0
    for buffer in buffers:
        rest = memoryview(buffer)
        while rest:
            count = min(len(rest), len(space) - used)
            _copy(rest[:count], space[used : used + count])
            used += count
            rest = rest[count:]
            if used == len(space):
                yield space
                space = next(spaces)
                used = 0
    if used:
        yield space[:used]


def _is_small(buffer: Buffer) -> bool:
    return len(buffer) < _JOINED_BYTES


def _copy(source: memoryview, target: memoryview) -> None:
    if len(source) < _LONG_BYTES:
        target[:] = source
    else:
        np.copyto(
            np.frombuffer(target, np.uint8), np.frombuffer(source, np.uint8)
        )
