"""Tests of `kerascb.layouts.checksums`."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerascb.layouts.checksums import crc32, crc32c


@given(st.binary())
def test_crc32_is_that_of_zlib(data):
    """Whatever library sums, a zip reader comes to the same."""
    assert crc32(data) == zlib.crc32(data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", 0),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_crc32c_is_that_of_rfc_3720(data, expected):
    """The examples of the standard come out."""
    assert crc32c(data) == expected


@pytest.mark.parametrize("checksum", [crc32, crc32c])
@given(pieces=st.lists(st.binary()))
def test_pieces_sum_to_the_whole(checksum, pieces):
    """A file can be summed as it is written."""
    total = 0
    for piece in pieces:
        total = checksum(memoryview(piece), total)
    assert total == checksum(b"".join(pieces))
