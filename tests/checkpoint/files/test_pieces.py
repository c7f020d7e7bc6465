"""Many small buffers, or few large ones, in pieces of a good size."""

import itertools
import os

import pytest

from kerascb.checkpoint.files.pieces import packed, pieces_of


def test_large_pieces_are_not_copied():
    """What is written is the memory that was given."""
    given = bytearray(40 << 20)
    pieces = list(pieces_of([b"head", memoryview(given)]))

    assert [len(piece) for piece in pieces] == [4, 16 << 20, 16 << 20, 8 << 20]
    assert all(piece.obj is given for piece in pieces[1:])


@pytest.mark.parametrize("size", [(1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_pieces_around_the_limit(size):
    """Nothing is lost or moved where small becomes large."""
    content = os.urandom(size)
    buffers = [b"ab", content, b"", b"c", content, b"d"]

    pieces = b"".join(bytes(piece) for piece in pieces_of(buffers))

    assert pieces == b"".join(buffers)


@pytest.mark.parametrize("size", [1, 7, 70_000, 3 << 20])
def test_packed(size):
    """Nothing is lost; every space is full but the last."""
    content = os.urandom(1 << 20)
    buffers = [b"ab", content, b"", b"c", content]
    spaces = itertools.cycle([memoryview(bytearray(size)) for _ in range(2)])

    pieces = [bytes(piece) for piece in packed(buffers, spaces)]

    assert b"".join(pieces) == b"".join(buffers)
    assert {len(piece) for piece in pieces[:-1]} <= {size}


def test_nothing_to_pack():
    """Then there is no piece."""
    assert list(packed([b""], [memoryview(bytearray(1))])) == []
