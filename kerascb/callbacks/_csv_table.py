"""A CSV file that grows at the bottom, and at times to the right."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
from typing import IO, TYPE_CHECKING, Any

from kerascb.callbacks._csv_rows import (
    KEY,
    MISSING,
    Tally,
    are_of_later_epochs,
    cells_up_to,
    end_of,
    tally_of,
)
from kerascb.paths import is_remote
from kerascb.runtime import files_of, gfile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kerascb.runtime import Files

_COMMON_SEPARATORS = ",;\t|"
_BYTE_ORDER_MARK = "\ufeff"


class CsvTable:
    """Rows under a header, each flushed as it is added.

    A column that no row had before needs a wider header. The file is then
    written anew beside itself and put in its place at once, so that a reader
    finds the old table or the new one. Where that cannot be done (a pipe, a
    mounted file, a folder that is closed, a file that begins without a header)
    the wider header follows in its midst.

    What an earlier run has left goes with `begin`, or with the first row:
    until then it can still be decided to go on below it, with `cut_back`.

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
        self._tally = Tally()
        self._last_epoch: int | None = None
        self._is_stale = not append and _has_content(path)
        present = read(path) if append else ""
        if present.strip():
            header = find_header(present, separator)
            self.has_header = header is not None
            self.is_headless = header is None
            if header is not None:
                self.separator, self.columns = header
            self._tally = _tally_or_none(present, self.separator) or Tally()
        self.file = self._open("a" if append or self._is_stale else "w")
        if present and not present.endswith("\n"):
            self.file.write("\r\n")
        self.writer = self._new_writer()
        self.is_open = True

    @property
    def is_blank(self) -> bool:
        """Whether nothing stands in it yet, not even a header."""
        return not (self.has_header or self.is_headless)

    def begin(self) -> None:
        """Removes what an earlier run has left, if that is to be replaced."""
        if self._is_stale and self.is_open:
            self.file.truncate(0)
            self._is_stale = False

    def add(self, row: Mapping[str, Any]) -> None:
        """Writes a row, and what has to be there before it.

        Args:
            row: Name of a column → what goes into its cell. Columns that are
                not there yet follow in this order.
        """
        self.begin()
        new = [name for name in row if name not in self.columns]
        self.columns += new  # The writer has the list itself; it sees it grow.
        is_outgrown = bool(new) and (self.has_header or self.has_grown)
        if self.is_blank or (is_outgrown and not self._widen()):
            self.writer.writeheader()
            self.has_header = not self.is_headless
        self.writer.writerow(row)
        self.file.flush()
        self.has_grown = True
        self._last_epoch = row[KEY] if isinstance(row[KEY], int) else None
        values = [row.get(name, MISSING) for name in self.columns]
        self._tally.add(["" if one is None else str(one) for one in values])

    def state(self) -> dict[str, Any]:
        """What it takes to go on below what is there now; see `resumed`."""
        return {
            "rows": self._tally.rows,
            "checksum": self._tally.checksum,
            "epoch": self._last_epoch,
            "separator": self.separator,
            "columns": list(self.columns),
            "has_header": self.has_header,
            "has_grown": self.has_grown,
        }

    @classmethod
    def resumed(cls, path: str, state: Mapping[str, Any]) -> CsvTable:
        """Goes on in a file of which `cut_back` has left what is known.

        Args:
            path: The file.
            state: What `state` returned.

        Raises:
            OSError: If the file cannot be opened.
        """
        table = cls(path, state["separator"], append=True)
        table.has_grown = state["has_grown"]
        table._last_epoch = state["epoch"]
        if not table.has_header:  # It cannot be read, or begins without one.
            table.columns[:] = state["columns"]
            table.has_header = state["has_header"]
        return table

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
        text = read(path)
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
        with cells_up_to(len(text)):
            rows = filter(None, csv.reader(lines, delimiter=self.separator))
            header = next(rows)
            for row in rows:
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
        return _open_anywhere(self._path, mode)

    def _is_replaceable(self) -> bool:
        return is_remote(self._path) or _is_plain(self._path)


def read(path: str) -> str:
    """What stands in a file, without a byte order mark.

    Args:
        path: The file; one that is not there, or no plain file, is empty.
    """
    return _read_all(path).removeprefix(_BYTE_ORDER_MARK)


def cut_back(path: str, state: Mapping[str, Any]) -> str | None:
    """Takes out of a file what was added to a table after its state.

    Nothing is changed unless all of that are rows of later epochs.

    Args:
        path: The file. One that cannot be read again, a pipe, is left alone.
        state: What `CsvTable.state` returned.

    Returns:
        Why it was not done; `None` if the file is as it was then.
    """
    if not is_remote(path) and os.path.exists(path) and not _is_plain(path):
        return None
    separator = state["separator"]
    failures: tuple[type[Exception], ...] = (csv.Error, *files_of(path).errors)
    try:
        whole = _read_all(path)
        text = whole.removeprefix(_BYTE_ORDER_MARK)
        end = end_of(
            Tally(state["rows"], state["checksum"]),
            text,
            separator,
            has_header=state["has_header"],
        )
        if end is None and not text:
            return "is gone"
        if end is None:
            return "does not hold what the interrupted run had written"
        later = text[end:]
        if not are_of_later_epochs(
            later, separator, state["columns"], state["epoch"]
        ):
            return "has lines below its rows that are not of this run"
        if later:
            _keep(path, whole[: len(whole) - len(later)])
    except failures as error:
        return f"cannot be cut back ({type(error).__name__}: {error})"
    return None


def find_header(text: str, separator: str) -> tuple[str, list[str]] | None:
    """The separator and the columns of a table.

    Args:
        text: The table, without a byte order mark.
        separator: The separator to try first.

    Returns:
        The columns of the first line that is not empty, or of the last below
        it that has these and more; `None` if it names no column `epoch`.
    """
    line = text.lstrip("\r\n").partition("\n")[0]
    after_key = re.findall(rf"^{KEY}(\W)", line.rstrip("\r"))
    for candidate in [separator, *_COMMON_SEPARATORS, *after_key]:
        columns = _cells(line, candidate)
        if KEY in columns:
            return candidate, _widest(columns, text, candidate)
    return None


def _widest(columns: list[str], text: str, separator: str) -> list[str]:
    with cells_up_to(len(text)):
        for line in text.split("\n"):
            cells = _cells(line, separator) if KEY in line else []
            if cells[: len(columns)] == columns:
                columns = cells
    return columns


def _cells(line: str, separator: str) -> list[str]:
    return next(csv.reader([line.rstrip("\r")], delimiter=separator), [])


def _read_all(path: str) -> str:
    if is_remote(path):
        if not gfile().exists(path):
            return ""
    elif not _is_plain(path):
        return ""
    with _open_anywhere(path, "r") as file:
        return file.read()


def _keep(path: str, text: str) -> None:
    """Leaves of a file only the text with which it begins."""
    if not is_remote(path):
        os.truncate(path, len(text.encode("utf-8", "surrogateescape")))
        return
    with (
        files_of(path).replacing(path) as staged,
        _open_text(staged, "w") as file,
    ):
        file.write(text)


def _tally_or_none(text: str, separator: str) -> Tally | None:
    try:
        return tally_of(text, separator)
    except csv.Error:
        return None


def _has_content(path: str) -> bool:
    """Whether a file has to be emptied; TensorFlow empties those far away."""
    return not is_remote(path) and _is_plain(path) and os.path.getsize(path) > 0


def _is_plain(path: str) -> bool:
    return os.path.isfile(path)


def _open_anywhere(path: str, mode: str) -> IO[str]:
    if is_remote(path):
        return gfile().GFile(path, mode)  # type: ignore[no-any-return]
    return _open_text(path, mode)


def _open_text(path: str, mode: str) -> IO[str]:
    # Whatever bytes an older file holds are written back as they were.
    return open(
        path, mode, newline="", encoding="utf-8", errors="surrogateescape"
    )
