"""Archives of which no byte can change unnoticed."""

import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerascb.layouts.archive import ZipLayout
from kerascb.layouts.sealed_archive import DamagedArchive, read_sealed

ENTRIES = {"state.json": b"{}", "w/ä.npy": bytes(range(40)), "empty": b""}


def _sealed(entries, note=b""):
    layout = ZipLayout(tuple(entries.items()), is_sealed=True)
    return b"".join(layout.render([], note))


def _read(content):
    found = read_sealed(io.BytesIO(content))
    return {name: bytes(value) for name, value in found.items()}


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=("C",)), max_size=20),
        st.binary(max_size=200),
        max_size=5,
    )
)
def test_what_was_written_is_read(entries):
    """Names, contents and their order; an archive of nothing is none."""
    if entries:
        assert list(_read(_sealed(entries)).items()) == list(entries.items())


def test_others_read_it_too():
    """The seal is a part of the comment."""
    with zipfile.ZipFile(io.BytesIO(_sealed(ENTRIES, b"ours "))) as file:
        assert file.testzip() is None
        assert file.comment.startswith(b"ours ")


@pytest.mark.parametrize("bit", range(8))
def test_no_bit_changes_unnoticed(bit):
    """Wherever it is: in a value, a name, a header, the directory, the seal."""
    content = _sealed(ENTRIES)
    unnoticed = []
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1 << bit
        try:
            _read(bytes(changed))
        except DamagedArchive:
            continue
        unnoticed.append(place)

    assert unnoticed == []


def test_no_byte_is_missed():
    """An archive that ends anywhere but at its end is damaged."""
    content = _sealed(ENTRIES)
    unnoticed = []
    for size in range(len(content)):
        try:
            _read(content[:size])
        except DamagedArchive:
            continue
        unnoticed.append(size)

    assert unnoticed == []


@given(st.integers(0, 400), st.binary(min_size=1, max_size=20))
def test_no_byte_is_added(place, added):
    """Not in the middle, not at the end."""
    content = _sealed(ENTRIES)
    place = min(place, len(content))
    changed = content[:place] + added + content[place:]
    if changed != content:
        with pytest.raises(DamagedArchive):
            _read(changed)


@given(st.binary(max_size=300))
def test_anything_else_is_refused(content):
    """A file of another kind is none, and makes no other error."""
    with pytest.raises(DamagedArchive):
        _read(content)


def test_an_archive_without_a_seal_is_refused():
    """It may be whole, but nothing proves it."""
    plain = b"".join(ZipLayout((("a", b"1"),)).render([], b""))
    with pytest.raises(DamagedArchive, match="its end has changed"):
        _read(plain)


def test_a_size_of_64_bits():
    """It stands where zip64 has it; one that is wrong takes no memory."""
    name = b"a"
    header = struct.pack(
        "<4s5H3I2H",
        b"PK\3\4",
        *(45, 0, 0, 0, 0),
        *(0, 0xFFFFFFFF, 0xFFFFFFFF),
        *(len(name), 20),
    )
    extra = struct.pack("<2H2Q", 1, 16, 1 << 50, 1 << 50)
    with pytest.raises(DamagedArchive, match="cut off"):
        _read(header + name + extra + b"PK\1\2")
