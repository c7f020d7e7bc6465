"""Tests of `kerascb.layouts.sstable`; equality is in test_tensor_bundle."""

import pytest

from kerascb.layouts.checksums import masked_crc32c
from kerascb.layouts.sstable import FirstRecord, table, varint

FOOTER_BYTES = 48


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "00"), (127, "7f"), (128, "8001"), (2**63, 9 * "80" + "01")],
)
def test_varint(number, written):
    """Seven bits a byte; the eighth says that there are more."""
    assert varint(number).hex() == written


def test_first_record():
    """It is read without the rest."""
    first = FirstRecord.of(table([(b"a", b"one"), (b"ab", b"two")]))

    assert (first.key, first.value) == (b"a", b"one")


def test_replaced():
    """The table is as if it had been written so."""
    rest = [(b"%05d" % i, bytes(99)) for i in range(5000)]  # several blocks
    content = table([(b"", b"old"), *rest])

    changed = FirstRecord.of(content).replaced(content, b"new")

    assert changed == table([(b"", b"new"), *rest])


def test_replaced_by_something_longer():
    """What follows stays where it is, so there is no room."""
    content = table([(b"", b"old")])

    with pytest.raises(ValueError, match="5 bytes do not fit where 3 are"):
        FirstRecord.of(content).replaced(content, b"newer")


def test_nothing_in_it():
    """A table of no records is its two empty blocks and the footer."""
    content = table([])
    empty = bytes(4) + b"\1\0\0\0" + b"\0"

    assert content[:-FOOTER_BYTES] == 2 * (empty + masked_crc32c(empty))


@pytest.mark.parametrize("content", [b"", bytes(FOOTER_BYTES)], ids=len)
def test_no_table(content):
    """Something else is told apart by its end."""
    with pytest.raises(ValueError, match="no index of a TensorFlow"):
        FirstRecord.of(content)


@pytest.mark.parametrize("position", range(20))
def test_damaged(position):
    """A flipped byte in the first block is noticed."""
    content = bytearray(table([(b"key", b"the value")]))
    content[position] ^= 0x80

    with pytest.raises(ValueError, match="damaged"):
        FirstRecord.of(bytes(content))
