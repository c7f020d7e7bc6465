"""Writing the bytes of a checkpoint, and what is known of them after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kerascb.checkpoint.files.pieces import PIECE_BYTES
from kerascb.layouts.checksums import crc32c

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kerascb.checkpoint.files.filesystem import FileSystem
    from kerascb.checkpoint.files.local import LocalFileSystem
    from kerascb.layouts.plan import Buffer


@dataclass(frozen=True)
class Written:
    """A file of a checkpoint.

    Attributes:
        name: Continues the path of the checkpoint, as in `Plan.files`.
        size: Bytes.
        checksum: The CRC-32C of the whole file; `None` where nobody asked.
    """

    name: str
    size: int
    checksum: int | None


def write_file(
    files: LocalFileSystem,
    path: str,
    name: str,
    buffers: Iterable[Buffer],
    *,
    checksums: bool,
) -> Written:
    """Writes a new file; it is on disk when this returns.

    Args:
        files: The file system.
        path: Where to.
        name: What to call it in the result.
        buffers: Its content.
        checksums: Sum it up.

    Raises:
        OSError: If it cannot be written; what was written stays.
    """
    size = begun = 0
    checksum = 0 if checksums else None
    handle = files.create(path)
    try:
        for piece in files.pieces(handle, buffers):
            if checksum is not None:
                checksum = crc32c(piece, checksum)
            files.write(handle, piece)
            size += len(piece)
            if size - begun >= PIECE_BYTES:
                files.begin(handle, begun, size - begun)
                begun = size
        files.finish(handle)
    finally:
        files.close(handle)
    return Written(name, size, checksum)


def read_back(files: FileSystem, path: str, name: str) -> Written:
    """What a file holds, as `Written` says it.

    Args:
        files: The file system.
        path: The file.
        name: What to call it in the result.
    """
    size = checksum = 0
    for piece in files.read(path):
        checksum = crc32c(piece, checksum)
        size += len(piece)
    return Written(name, size, checksum)
