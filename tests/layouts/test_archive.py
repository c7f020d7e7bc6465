"""Tests of `kerascb.layouts.archive`."""

from __future__ import annotations

import io
import struct
import zipfile
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerascb.layouts import archive
from kerascb.layouts.archive import ZipLayout
from kerascb.layouts.hdf5 import Hdf5Skeleton

NAMES = st.text(
    st.characters(exclude_categories=("C",), exclude_characters="/\\"),
    min_size=1,
    max_size=20,
)


@dataclass(frozen=True)
class Values:
    """A layout of every value and the note it is given."""

    def render(self, values, note):
        yield from values
        yield note


def written(entries, values=(), note=b""):
    return b"".join(ZipLayout(tuple(entries)).render(list(values), note))


def opened(content):
    return zipfile.ZipFile(io.BytesIO(content))


@given(
    st.dictionaries(NAMES, st.binary(max_size=200), max_size=8),
    st.text(st.characters(exclude_categories=("C",)), max_size=100),
)
def test_zipfile_reads_what_was_written(entries, note):
    """Names, contents, their order and the comment come back."""
    with opened(written(entries.items(), note=note.encode())) as file:
        assert file.testzip() is None
        assert {name: file.read(name) for name in file.namelist()} == entries
        assert file.namelist() == list(entries)
        assert file.comment.decode() == note


@given(st.dictionaries(NAMES, st.binary(max_size=100), max_size=5))
def test_writes_byte_for_byte_what_zipfile_does(entries):
    """An archive is the one zipfile makes of entries it opens to write."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        for name, content in entries.items():
            with file.open(name, "w") as entry:
                entry.write(content)
    assert written(entries.items()) == target.getvalue()


def test_values_are_handed_on_uncopied():
    """A large value is yielded as the view that was given."""
    value = memoryview(bytes(1000))
    pieces = ZipLayout((("weights", Values()),)).render([value], b"")
    assert any(piece is value for piece in pieces)


def test_an_entry_of_a_layout_gets_no_note():
    """The note is the archive's, not its entries'."""
    with opened(
        written([("weights", Values())], [memoryview(b"abc")], b"note")
    ) as file:
        assert file.read("weights") == b"abc"


def test_same_values_make_the_same_bytes():
    """No clock is read."""
    assert written([("a", b"1")]) == written([("a", b"1")])


def test_a_note_too_long_for_a_comment_is_refused():
    """The message says how long it may be."""
    with pytest.raises(ValueError, match=r"65536 bytes.*at most 65535"):
        written([], note=bytes(65_536))


def test_more_entries_than_16_bits_count():
    """70,000 entries are written as zip64 has them."""
    with opened(written((f"{i}", b"") for i in range(70_000))) as file:
        assert len(file.namelist()) == 70_000


@dataclass(frozen=True)
class Zeros:
    """As many zeros as are asked for, in pieces of 256 MB."""

    size: int

    def render(self, values, note):
        piece = memoryview(bytes(2**28))
        for start in range(0, self.size, len(piece)):
            yield piece[: self.size - start]


@pytest.fixture
def no_checksums(monkeypatch):
    """Sums nothing: gigabytes of zeros take their time."""
    monkeypatch.setattr(archive, "crc32", lambda data, start=0: 0)


def write_with_holes(file, pieces):
    for piece in pieces:
        file.write(piece[:10_000])
        file.seek(len(piece[10_000:]), io.SEEK_CUR)


@pytest.mark.parametrize("size", [2**32 - 2, 2**32 - 1, 2**32, 5 * 2**30])
@pytest.mark.usefixtures("no_checksums")
def test_entries_above_4_gb(tmp_path, size):
    """Sizes and offsets beyond 32 bits are read back by zipfile."""
    path = tmp_path / "large.zip"
    entries = (("first", b"1"), ("large", Zeros(size)), ("last", b""))
    with path.open("wb") as file:
        write_with_holes(file, ZipLayout(entries).render([], b"note"))
    with zipfile.ZipFile(path) as file:
        assert [info.file_size for info in file.infolist()] == [1, size, 0]
        assert file.comment == b"note"
        with file.open("large") as entry:
            assert entry.read(10) == bytes(10)
        assert file.open("last").read() == b""


@pytest.mark.usefixtures("no_checksums")
def test_weights_above_4_gb_in_an_archive(tmp_path):
    """An HDF5 file beyond 32 bits begins and ends where the archive says."""
    value = np.zeros(2**32 + 1, "uint8")  # no memory is taken before it is used
    skeleton = Hdf5Skeleton()
    skeleton.reserve(skeleton.file, "w", value.shape, value.dtype, index=0)
    weights = skeleton.finish()
    path = tmp_path / "large.keras"
    with path.open("wb") as file:
        write_with_holes(
            file, ZipLayout((("w.h5", weights),)).render([value.data], b"")
        )

    with zipfile.ZipFile(path) as archive, archive.open("w.h5") as entry:
        assert entry.read(8) == b"\x89HDF\r\n\x1a\n"
        pieces = weights.render([value.data], b"")
        assert archive.getinfo("w.h5").file_size == sum(map(len, pieces))


@pytest.mark.usefixtures("no_checksums")
def test_the_header_of_an_entry_above_4_gb_has_its_size():
    """A reader that streams, and never sees the directory, knows it too."""
    header = next(ZipLayout((("a", Zeros(2**32)),)).render([], b""))
    assert struct.unpack_from("<2H2Q", header, 31) == (1, 16, 2**32, 2**32)
