"""A CSV file that grows at the bottom, and at times to the right."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
import shutil
from typing import IO, TYPE_CHECKING, Any

from kerascb.paths import is_remote
from kerascb.runtime import files_of, gfile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kerascb.runtime import Files

KEY = "epoch"
"""The column that every table has; it tells a header from other lines."""

MISSING = "NA"
"""What stands in a cell without a value."""

_COMMON_SEPARATORS = ",;\t|"
_BYTE_ORDER_MARK = "\ufeff"


class CsvTable:
    """Rows under a header, each flushed as it is added.

    A column that no row had before needs a wider header. The file is then
    written anew beside itself and put in its place at once, so that a reader
    finds the old table or the new one. Where that cannot be done (a pipe, a
    mounted file, a folder that is closed, a file that begins without a header)
    the wider header follows in its midst.

    Args:
        path: The file, or a URL that TensorFlow can open.
        separator: What stands between two cells.
        append: Go on below what is there. Its separator and its columns hold.

    Attributes:
        separator: The separator in force.
        columns: Names of the columns; `epoch` alone before the first row.
            Where a file has several headers, those of the widest.
        has_header: Whether the file begins with a header.
        is_headless: Whether it begins with something else.
        has_grown: Whether a row has been added.
        obstacle: Why a wider file could not be put in place, once that has
            been tried in vain; it is not tried again.
        file: The file.
        is_open: Whether rows can be added.
        writer: Writes rows into it.

    Raises:
        OSError: If the file cannot be opened.
    """

    def __init__(self, path: str, separator: str, *, append: bool) -> None:
        self.separator = separator
        self.columns = [KEY]
        self.has_header = False
        self.is_headless = False
        self.has_grown = False
        self.obstacle: str | None = None
        self._path = path
        present = self._read() if append else ""
        if present.strip():
            header = find_header(present, separator)
            self.has_header = header is not None
            self.is_headless = header is None
            if header is not None:
                self.separator, self.columns = header
        self.file = self._open("a" if append else "w")
        if present and not present.endswith("\n"):
            self.file.write("\r\n")
        self.writer = self._new_writer()
        self.is_open = True

    def add(self, row: Mapping[str, Any]) -> None:
        """Writes a row, and what has to be there before it.

        Args:
            row: Name of a column → what goes into its cell. Columns that are
                not there yet follow in this order.
        """
        new = [name for name in row if name not in self.columns]
        self.columns += new  # The writer has the list itself; it sees it grow.
        is_bare = not (self.has_header or self.is_headless)
        is_outgrown = bool(new) and (self.has_header or self.has_grown)
        if is_bare or (is_outgrown and not self._widen()):
            self.writer.writeheader()
            self.has_header = not self.is_headless
        self.writer.writerow(row)
        self.file.flush()
        self.has_grown = True

    def close(self) -> None:
        """Closes the file; a closed one stays closed."""
        self.file.close()
        self.is_open = False

    def _widen(self) -> bool:
        """Puts a file with all columns in place, and says if it could."""
        if self.obstacle or not (self.has_header and self._is_replaceable()):
            return False
        files = files_of(self._path)
        failures: tuple[type[Exception], ...] = (csv.Error, *files.errors)
        self.file.close()
        try:
            self._replace(files)
        except failures as error:
            # As text: the error itself would keep the open file alive.
            self.obstacle = f"{type(error).__name__}: {error}"
        finally:
            self.file = self._open("a")
            self.writer = self._new_writer()
        return self.obstacle is None

    def _replace(self, files: Files) -> None:
        path = self._path
        if not is_remote(path):
            path = os.path.realpath(path)  # a link stays a link
        text = self._read()
        with files.replacing(path) as staged:
            with _open_text(staged, "w") as file:
                self._copy(text, file)
            if not is_remote(path):
                shutil.copymode(path, staged)

    def _copy(self, text: str, file: IO[str]) -> None:
        """Writes a narrower table out at its new width, under one header."""
        lines = io.StringIO(text, newline="")
        writer = csv.writer(file, delimiter=self.separator)
        writer.writerow(self.columns)
        with _cells_up_to(len(text)):
            rows = csv.reader(lines, delimiter=self.separator)
            header = next(rows)
            for row in filter(None, rows):
                if row[: len(header)] != header:
                    missing = len(self.columns) - len(row)
                    writer.writerow(row + [MISSING] * missing)

    def _new_writer(self) -> csv.DictWriter[str]:
        return csv.DictWriter(
            self.file,
            self.columns,
            restval=MISSING,
            delimiter=self.separator,
        )

    def _open(self, mode: str) -> IO[str]:
        if is_remote(self._path):
            return gfile().GFile(self._path, mode)  # type: ignore[no-any-return]
        return _open_text(self._path, mode)

    def _read(self) -> str:
        if is_remote(self._path):
            if not gfile().exists(self._path):
                return ""
        elif not os.path.isfile(self._path):
            return ""
        with self._open("r") as file:
            return file.read().removeprefix(_BYTE_ORDER_MARK)

    def _is_replaceable(self) -> bool:
        return is_remote(self._path) or os.path.isfile(self._path)


def find_header(text: str, separator: str) -> tuple[str, list[str]] | None:
    """The separator and the columns of a table.

    Args:
        text: The table, without a byte order mark.
        separator: The separator to try first.

    Returns:
        The columns of the first line, or of the last below it that has these
        and more; `None` if the first line names no column `epoch`.
    """
    line = text.partition("\n")[0]
    after_key = re.findall(rf"^{KEY}(\W)", line.rstrip("\r"))
    for candidate in [separator, *_COMMON_SEPARATORS, *after_key]:
        columns = _cells(line, candidate)
        if KEY in columns:
            return candidate, _widest(columns, text, candidate)
    return None


def _widest(columns: list[str], text: str, separator: str) -> list[str]:
    with _cells_up_to(len(text)):
        for line in text.split("\n"):
            cells = _cells(line, separator) if KEY in line else []
            if cells[: len(columns)] == columns:
                columns = cells
    return columns


def _cells(line: str, separator: str) -> list[str]:
    return next(csv.reader([line.rstrip("\r")], delimiter=separator), [])


def _open_text(path: str, mode: str) -> IO[str]:
    # Whatever bytes an older file holds are written back as they were.
    return open(
        path, mode, newline="", encoding="utf-8", errors="surrogateescape"
    )


@contextlib.contextmanager
def _cells_up_to(size: int) -> Iterator[None]:
    """Lets the csv module read cells of this size; an array can be long."""
    usual = csv.field_size_limit()
    csv.field_size_limit(max(size, usual))
    try:
        yield
    finally:
        csv.field_size_limit(usual)
