"""Reading a sealed archive: all of it as it was written, or an error."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from kerascb.layouts.archive import SEAL_SIZE, seal
from kerascb.layouts.checksums import crc32

if TYPE_CHECKING:
    import numpy.typing as npt

_ENTRY = b"PK\3\4"
_DIRECTORY = b"PK\1\2"
_HEADER = struct.Struct("<4s5H3I2H")
_WIDE_SIZES = struct.Struct("<2H2Q")
_LIMIT_32 = 0xFFFFFFFF


class DamagedArchive(Exception):
    """An archive is not, or no longer, what was written.

    Args:
        reason: A clause that says what is wrong.
    """


def read_sealed(file: BinaryIO) -> dict[str, npt.NDArray[np.uint8]]:
    """The entries of an archive that a sealed `ZipLayout` has rendered.

    Each is read once, into memory of its own, and summed up there (400 MB:
    a quarter of a second from the system's cache).

    Args:
        file: The archive, open at its beginning; seekable.

    Returns:
        Name → content, in the order of the archive.

    Raises:
        DamagedArchive: If any byte has changed, is missing, or has been added;
            if the file is something else.
        OSError: If it cannot be read.

    Example:
        >>> from kerascb.layouts.archive import ZipLayout
        >>> layout = ZipLayout((("a", b"1"),), is_sealed=True)
        >>> content = b"".join(layout.render([], b""))
        >>> bytes(read_sealed(io.BytesIO(content))["a"])
        b'1'
        >>> read_sealed(io.BytesIO(content[:-1]))
        Traceback (most recent call last):
            ...
        kerascb.layouts.sealed_archive.DamagedArchive: its end has changed
    """
    left = file.seek(0, io.SEEK_END)
    file.seek(0)
    entries: dict[str, npt.NDArray[np.uint8]] = {}
    frame = 0
    while (start := file.read(len(_ENTRY))) == _ENTRY:
        fixed = start + bytes(_taken(file, _HEADER.size - len(start), left))
        *_, checksum, _, size, name_size, extra_size = _HEADER.unpack(fixed)
        names = bytes(_taken(file, name_size + extra_size, left))
        frame = crc32(names, crc32(fixed, frame))
        left -= len(fixed) + len(names)
        if size == _LIMIT_32:
            size = _wide_size(names[name_size:])
        content = _taken(file, size, left)
        left -= size
        name = names[:name_size].decode(errors="replace")
        if crc32(content.data) != checksum:
            raise DamagedArchive(f"its entry {name!r} has changed")
        entries[name] = content
    if start != _DIRECTORY:
        raise DamagedArchive(
            "there is something else where an entry was"
            if entries
            else "it does not begin as a backup does"
        )
    end = start + file.read()
    if seal(crc32(end[:-SEAL_SIZE], frame)) != end[-SEAL_SIZE:]:
        raise DamagedArchive("its end has changed")
    return entries


def _wide_size(extra: bytes) -> int:
    if len(extra) != _WIDE_SIZES.size:
        raise DamagedArchive("the size of an entry has changed")
    size: int = _WIDE_SIZES.unpack(extra)[3]
    return size


def _taken(file: BinaryIO, size: int, left: int) -> npt.NDArray[np.uint8]:
    """The next bytes; `left` is how many there can be."""
    if size > left:
        raise DamagedArchive("it is cut off, or the size of an entry is wrong")
    content = np.empty(size, np.uint8)
    rest = content.data
    while rest:
        count = file.readinto(rest)  # type: ignore[attr-defined]
        if not count:
            raise DamagedArchive("it is cut off")
        rest = rest[count:]
    return content
