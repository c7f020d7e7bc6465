"""Zip archives of stored entries, whose content is yet to come.

Nothing is compressed: weights do not get smaller, and what is stored as it is
need not be copied. Where a size or an offset takes more than 32 bits, or a
count more than 16, it is written as zip64 has it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kerascb.layouts.checksums import crc32

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kerascb.layouts.plan import Buffer, FileLayout

NOTE_LIMIT = 0xFFFF
"""Bytes an archive's comment may have."""

SEAL_SIZE = 8
"""Bytes at the very end of an archive that is sealed."""

_LIMIT_16 = 0xFFFF
_LIMIT_32 = 0xFFFFFFFF
_VERSION = 20
_VERSION_ZIP64 = 45
_MADE_ON_UNIX = 3 << 8
_UTF8 = 1 << 11
_READABLE_BY_OWNER = 0o600 << 16
_TIME, _DATE = 0, 1 << 5 | 1
"""Midnight of 1 January 1980, as `zipfile` has it for what it opens."""


@dataclass(frozen=True)
class ZipLayout:
    """A zip archive.

    The note is the archive's comment; readers look there for what ends the
    archive, which JSON cannot look like.

    Attributes:
        entries: Name → content, in the order of the archive. A name has
            slashes between folders; no two are the same.
        is_sealed: End the comment with a checksum of all that is no content
            of an entry, and so has no checksum in an archive as it is. No
            byte can then change unnoticed by `read_sealed`.

    Example:
        >>> import io, zipfile
        >>> layout = ZipLayout((("config.json", b"{}"),))
        >>> content = b"".join(layout.render([], b"a note"))
        >>> archive = zipfile.ZipFile(io.BytesIO(content))
        >>> archive.read("config.json"), archive.comment
        (b'{}', b'a note')
    """

    entries: tuple[tuple[str, bytes | FileLayout], ...]
    is_sealed: bool = False

    def render(
        self, values: Sequence[memoryview], note: bytes
    ) -> Iterator[Buffer]:
        """The content of the archive; see `FileLayout`.

        Raises:
            ValueError: If the note is too long for a comment.
        """
        seal_size = SEAL_SIZE if self.is_sealed else 0
        if len(note) + seal_size > NOTE_LIMIT:
            raise ValueError(
                f"The note has {len(note)} bytes; the comment of an archive "
                f"has at most {NOTE_LIMIT - seal_size}."
            )
        offset = frame = 0
        directory = []
        for name, content in self.entries:
            pieces = _pieces(content, values)
            entry = _Entry.of(name, pieces, offset)
            directory.append(entry.in_directory())
            header = entry.header()
            offset += len(header) + entry.size
            frame = crc32(header, frame)
            yield header
            yield from pieces
        end = b"".join(directory)
        end += _end(len(directory), len(end), offset)
        end += struct.pack("<H", len(note) + seal_size) + note
        yield end
        if self.is_sealed:
            yield seal(crc32(end, frame))


def seal(checksum: int) -> bytes:
    """How an archive ends that is sealed.

    Args:
        checksum: The CRC-32 of all before that is no content of an entry.

    Example:
        >>> seal(0xABC)
        b'00000abc'
    """
    return b"%08x" % checksum


@dataclass(frozen=True)
class _Entry:
    name: bytes
    flags: int
    size: int
    checksum: int
    offset: int

    @classmethod
    def of(cls, name: str, pieces: Sequence[Buffer], offset: int) -> _Entry:
        size = checksum = 0
        for piece in pieces:
            size += len(piece)
            checksum = crc32(piece, checksum)
        flags = 0 if name.isascii() else _UTF8
        return cls(name.encode(), flags, size, checksum, offset)

    def header(self) -> bytes:
        wide = self._wide_sizes()
        extra = _extra(wide)
        version = _VERSION_ZIP64 if wide else _VERSION
        return (
            struct.pack("<4sH", b"PK\3\4", version)
            + self._common(extra)
            + self.name
            + extra
        )

    def in_directory(self) -> bytes:
        wide = self._wide_sizes()
        if self.offset >= _LIMIT_32:
            wide += (self.offset,)
        extra = _extra(wide)
        version = _VERSION_ZIP64 if wide else _VERSION
        return (
            struct.pack("<4s2H", b"PK\1\2", _MADE_ON_UNIX | version, version)
            + self._common(extra)
            # No comment, on disk 0, no internal attributes.
            + struct.pack(
                "<3H2I",
                0,
                0,
                0,
                _READABLE_BY_OWNER,
                min(self.offset, _LIMIT_32),
            )
            + self.name
            + extra
        )

    def _wide_sizes(self) -> tuple[int, ...]:
        """The sizes, compressed and not, if they are too large; else none."""
        return (self.size, self.size) if self.size >= _LIMIT_32 else ()

    def _common(self, extra: bytes) -> bytes:
        """What header and directory both say, in the same order."""
        size = min(self.size, _LIMIT_32)
        return struct.pack(
            "<4H3I2H",
            self.flags,
            0,  # stored
            _TIME,
            _DATE,
            self.checksum,
            size,
            size,
            len(self.name),
            len(extra),
        )


def _pieces(
    content: bytes | FileLayout, values: Sequence[memoryview]
) -> list[Buffer]:
    if isinstance(content, bytes):
        return [content]
    return list(content.render(values, b""))


def _extra(numbers: tuple[int, ...]) -> bytes:
    """The numbers that are too large for their places, as zip64 has them."""
    if not numbers:
        return b""
    return struct.pack(f"<2H{len(numbers)}Q", 1, 8 * len(numbers), *numbers)


def _end(count: int, size: int, offset: int) -> bytes:
    """What follows the directory, up to the length of the comment."""
    wide = b""
    if count >= _LIMIT_16 or size >= _LIMIT_32 or offset >= _LIMIT_32:
        wide = struct.pack(
            "<4sQ2H2I4Q4sIQI",
            b"PK\6\6",
            44,  # bytes of this record that follow
            _MADE_ON_UNIX | _VERSION_ZIP64,
            _VERSION_ZIP64,
            0,
            0,
            count,
            count,
            size,
            offset,
            b"PK\6\7",
            0,
            offset + size,
            1,
        )
    return wide + struct.pack(
        "<4s4H2I",
        b"PK\5\6",
        0,
        0,
        min(count, _LIMIT_16),
        min(count, _LIMIT_16),
        min(size, _LIMIT_32),
        min(offset, _LIMIT_32),
    )
