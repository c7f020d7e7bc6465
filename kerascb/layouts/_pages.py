"""A file in memory that has only what was written to it."""

from __future__ import annotations

import io
from typing import Any

_PAGE = 4096


class Pages(io.RawIOBase):
    r"""A file whose holes take no memory, however large it is.

    It is kept as pages; where nothing was written there is none, and zeros
    are read.

    Attributes:
        size: Bytes, holes included.

    Example:
        >>> file = Pages()
        >>> file.seek(10**12)
        1000000000000
        >>> file.write(b"end")
        3
        >>> file.content(10**12 - 1, file.size)
        b'\x00end'
    """

    def __init__(self) -> None:
        super().__init__()
        self.size = 0
        self._position = 0
        self._pages: dict[int, bytearray] = {}

    def readable(self) -> bool:
        """Always."""
        return True

    def writable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to an offset from the start, the position or the end."""
        start = {
            io.SEEK_SET: 0,
            io.SEEK_CUR: self._position,
            io.SEEK_END: self.size,
        }[whence]
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        """The position."""
        return self._position

    def truncate(self, size: int | None = None) -> int:
        """Sets the size; what lay beyond is not forgotten, nor asked for."""
        self.size = self._position if size is None else size
        return self.size

    def write(self, data: Any) -> int:
        """Writes bytes at the position."""
        source = memoryview(data).cast("B")
        done = 0
        while done < len(source):
            number, start = divmod(self._position + done, _PAGE)
            count = min(_PAGE - start, len(source) - done)
            page = self._pages.setdefault(number, bytearray(_PAGE))
            page[start : start + count] = source[done : done + count]
            done += count
        self._position += done
        self.size = max(self.size, self._position)
        return done

    def readinto(self, buffer: Any) -> int:
        """Reads from the position on, as far as the file goes."""
        target = memoryview(buffer).cast("B")
        count = max(min(len(target), self.size - self._position), 0)
        target[:count] = self.content(self._position, self._position + count)
        self._position += count
        return count

    def content(self, start: int, end: int) -> bytes:
        """What lies between two offsets.

        Args:
            start: Where it begins.
            end: Where it ends; not before `start`.
        """
        first, offset = divmod(start, _PAGE)
        last = -(-end // _PAGE)
        empty = bytes(_PAGE)
        pages = b"".join(
            self._pages.get(number, empty) for number in range(first, last)
        )
        return pages[offset : offset + end - start]
