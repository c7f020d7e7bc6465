"""Which rows a CSV table has, to know them again later."""

from __future__ import annotations

import contextlib
import csv
import io
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

KEY = "epoch"
"""The column that every table has; it tells a header from other lines."""

MISSING = "NA"
"""What stands in a cell without a value."""


@dataclass
class Tally:
    """How many rows there are, and a checksum of their cells.

    Headers do not count, and neither do cells without a value at the end of a
    row: a table that is written anew with more columns has the same tally.

    Attributes:
        rows: How many.
        checksum: CRC-32 of their cells.

    Example:
        >>> narrow, wide = Tally(), Tally()
        >>> for row in (["epoch", "loss"], ["0", "0.5"]):
        ...     narrow.add(row)
        >>> for row in (["epoch", "loss", "lr"], ["0", "0.5", "NA"]):
        ...     wide.add(row)
        >>> narrow == wide, wide.rows
        (True, 1)
    """

    rows: int = 0
    checksum: int = 0

    def add(self, cells: Sequence[str]) -> None:
        """Counts a row, unless it is a header or empty.

        Args:
            cells: What its cells say.
        """
        if not cells or KEY in cells:
            return
        said = list(cells)
        while said and said[-1] == MISSING:
            said.pop()
        content = repr(said).encode(errors="backslashreplace")
        self.checksum = zlib.crc32(content, self.checksum)
        self.rows += 1


def tally_of(text: str, separator: str) -> Tally:
    """The tally of a whole table.

    Args:
        text: The table, without a byte order mark.
        separator: What stands between two cells.
    """
    tally = Tally()
    for cells, _ in _rows(text, separator):
        tally.add(cells)
    return tally


def end_of(
    tally: Tally, text: str, separator: str, *, has_header: bool
) -> int | None:
    """Where in a table the rows of a tally end.

    Args:
        tally: The rows that are looked for at its beginning.
        text: The table, without a byte order mark.
        separator: What stands between two cells.
        has_header: Whether a header stands above them; matters to a tally
            without rows, whose header is part of it.

    Returns:
        How many characters belong to them, and to empty lines below; `None`
        if they are not there.
    """
    found, end = Tally(), 0
    awaits_header = has_header
    for cells, row_end in _rows(text, separator):
        if cells and found.rows == tally.rows and not awaits_header:
            break
        awaits_header = awaits_header and not cells
        found.add(cells)
        end = row_end
    return None if awaits_header or found != tally else end


def are_of_later_epochs(
    text: str, separator: str, columns: Sequence[str], epoch: int | None
) -> bool:
    """Whether all that stands in a text are rows of later epochs.

    Args:
        text: The end of a table. Its headers count as such rows, and so does
            a last line that was cut short.
        separator: What stands between two cells.
        columns: The names of the columns.
        epoch: The epoch that they are later than; `None` for any.
    """
    place = columns.index(KEY)
    least = -1 if epoch is None else epoch
    for cells, end in _rows(text, separator):
        is_torn = end == len(text) and not text.endswith("\n")
        if is_torn or not cells or KEY in cells:
            continue
        number = cells[place] if place < len(cells) else ""
        if not number.isdecimal() or int(number) <= least:
            return False
    return True


@contextlib.contextmanager
def cells_up_to(size: int) -> Iterator[None]:
    """Lets the csv module read cells of this size; an array can be long.

    Args:
        size: Characters.
    """
    usual = csv.field_size_limit()
    csv.field_size_limit(max(size, usual))
    try:
        yield
    finally:
        csv.field_size_limit(usual)


def _rows(text: str, separator: str) -> Iterator[tuple[list[str], int]]:
    """Every row with the number of characters up to its end."""
    lines = list(io.StringIO(text, newline=""))
    end, lines_seen = 0, 0
    with cells_up_to(len(text)):
        reader = csv.reader(lines, delimiter=separator)
        for cells in reader:
            end += sum(map(len, lines[lines_seen : reader.line_num]))
            lines_seen = reader.line_num
            yield cells, end
