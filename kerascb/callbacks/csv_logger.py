"""A table of the epochs, written while training runs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from kerascb.callbacks._csv_table import KEY, CsvTable
from kerascb.callbacks._values import off_device
from kerascb.callbacks.callback import Callback
from kerascb.errors import InvalidArgument, UnwritablePath

if TYPE_CHECKING:
    import csv

    from kerascb.runtime import Logs


class CSVLogger(Callback):
    """Writes one row an epoch into a CSV file.

    The columns are `epoch` and the names in the logs, sorted. A name that
    appears in a later epoch (with `validation_freq=2`, or when a callback adds
    one) gets a new column at the end: the file is rewritten beside itself and
    put in place at once, so that a reader finds the old table or the new one.
    A cell without a value holds `NA`; an array is written as `"[a, b]"`.

    A row is there for others to read as soon as its epoch ends. When `fit`
    leaves with an exception, the file is closed with the next `fit`, or when
    the callback is discarded.

    Args:
        filename: Path of the file; its directory must exist. Paths with a
            protocol (`gs://…`) go through TensorFlow's file systems.
        separator: What stands between two cells; one character.
        append: Go on below the rows already there instead of replacing them.
            The file's own separator and columns hold; new columns join them.

    Attributes:
        filename: The path as a string.
        sep: The separator as it was given.
        append: As given.
        append_header: Whether this fit writes a header, the file having none.
        keys: The columns but for `epoch`; `None` before the first epoch.

    Raises:
        InvalidArgument: If the separator is not one character, or one that
            CSV needs for itself.
        UnwritablePath: When training begins, if the file cannot be opened.

    Example:
        >>> import pathlib, tempfile
        >>> from kerascb import CSVLogger
        >>> from kerascb.testing import drive
        >>> logs = [{"loss": 0.5}, {"loss": 0.25, "val_loss": 0.75}]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     log = pathlib.Path(folder, "log.csv")
        ...     _ = drive([CSVLogger(log)], epochs=logs)
        ...     print(log.read_text().strip())
        epoch,loss,val_loss
        0,0.5,NA
        1,0.25,0.75
    """

    _table: CsvTable | None = None

    def __init__(
        self,
        filename: str | os.PathLike[str],
        separator: str = ",",
        append: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(separator, str) or not is_separator(separator):
            raise InvalidArgument(
                '"delimiter" must be a 1-character string; got '
                f"separator={separator!r}. Pass ',', ';' or '\\t', say."
            )
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.append_header = True
        self.keys: list[str] | None = None

    @property
    def csv_file(self) -> IO[str] | None:
        """The file, open while training runs; `None` before."""
        return self._table.file if self._table else None

    @property
    def writer(self) -> csv.DictWriter[str] | None:
        """What writes the rows, while training runs."""
        table = self._table
        return table.writer if table and table.is_open else None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Opens the file, and takes over what an older one has begun."""
        self._begin()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Writes the row of the epoch.

        Args:
            epoch: Zero-based number of the epoch.
            logs: Metric name to value.
        """
        table = self._table or self._begin()
        row = {
            name: cell(off_device(value, self._runtime))
            for name, value in (logs or {}).items()
        }
        table.add({KEY: epoch, **row})
        self.keys = [name for name in table.columns if name != KEY]

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Closes the file."""
        self._close()

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_table": None}

    def __del__(self) -> None:
        self._close()

    def _begin(self) -> CsvTable:
        self._close()
        self.keys = None
        try:
            table = CsvTable(self.filename, self.sep, append=self.append)
        except OSError as error:
            raise UnwritablePath(
                f"{error}. CSVLogger got filename={self.filename!r}; choose a "
                "file that can be written, in a directory that exists."
            ) from error
        self._table = table
        self.append_header = not (table.has_header or table.is_headless)
        if table.separator != self.sep:
            self._warn(
                f"CSVLogger goes on in {self.filename!r} with the separator "
                f"found there, {table.separator!r}, not {self.sep!r}."
            )
        if table.is_headless:
            self._warn(
                f"CSVLogger found no column `{KEY}` in the first line of "
                f"{self.filename!r}; its rows follow below without a header."
            )
        return table

    def _close(self) -> None:
        if self._table is not None:
            self._table.close()


def is_separator(text: str) -> bool:
    """Whether a text can stand between the cells of a CSV file."""
    return len(text) == 1 and text not in '\r\n"'


def cell(value: Any) -> Any:
    """What goes into the cell of a value.

    Args:
        value: A number, a text or an array.
    """
    is_scalar = isinstance(value, str) or not isinstance(value, Iterable)
    if is_scalar or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value
    return f'"[{", ".join(map(str, value))}]"'
