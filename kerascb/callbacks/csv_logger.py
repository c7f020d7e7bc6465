"""A table of the epochs, written while training runs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from kerascb.callbacks._csv_rows import KEY, MISSING
from kerascb.callbacks._csv_table import CsvTable, cut_back
from kerascb.callbacks._values import off_device
from kerascb.callbacks.callback import Callback
from kerascb.errors import InvalidArgument, UnwritablePath

if TYPE_CHECKING:
    import csv
    from collections.abc import Callable

    from kerascb.runtime import Logs


class CSVLogger(Callback):
    """Writes one row an epoch into a CSV file.

    The columns are `epoch` and the names in the logs, sorted. A name that
    appears in a later epoch (with `validation_freq=2`, or when a callback adds
    one) gets a new column at the end: the file is rewritten beside itself and
    put in place at once, so that a reader finds the old table or the new one.
    Where it cannot be replaced (a mounted file, one in a folder that is closed,
    a pipe), a wider header stands above the first row that needs it. A cell
    without a value holds `NA`; an array is written as `"[a, b]"`.

    A row is there for others to read as soon as its epoch ends. When `fit`
    leaves with an exception, the file is closed with the next `fit`, or when
    the callback is discarded.

    What an earlier run has left in the file is there until the first epoch
    begins. In a fit that `BackupAndRestore` resumes, the file is cut back to
    what it was at the backup, and goes on from there, `append` or not: the
    rows are those of an uninterrupted run. A file that is not the one that
    was written (it is gone, shorter, or has other lines) is warned of and
    gets the rows to come below what it holds.

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
        keys: The columns but for `epoch`; `None` before the first epoch. Set
            it before an epoch ends to choose the columns and their order; a
            name that is not logged gets `NA`. With Keras 3 the choice lasts
            until training next begins, with Keras 2 until it is `None` again.

    Raises:
        InvalidArgument: If the file name is no path, or the separator is not
            one character, or one that CSV needs for itself.
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
        self.filename = path_of(filename)
        self.sep = separator
        self.append = append
        self.append_header = True
        self._chosen_keys: list[str] | None = None
        self._seen_keys: list[str] | None = None

    @property
    def keys(self) -> list[str] | None:
        """The columns but for `epoch`: those chosen, else those seen."""
        if self._chosen_keys is None:
            return self._seen_keys
        return self._chosen_keys

    @keys.setter
    def keys(self, keys: list[str] | None) -> None:
        self._chosen_keys = keys

    @property
    def csv_file(self) -> IO[str] | None:
        """The file, open while training runs; `None` before."""
        return self._table.file if self._table else None

    @property
    def writer(self) -> csv.DictWriter[str] | None:
        """What writes the rows, from the first one to the end of training."""
        table = self._table
        if table is None or not (table.is_open and table.has_grown):
            return None
        return table.writer

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Opens the file, and takes over what an earlier fit has begun.

        Args:
            logs: Not used.
        """
        del logs
        if self._runtime.name == "keras3":
            self._chosen_keys = None
        self._begin()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Empties the file, if it is to be replaced; only once.

        Args:
            epoch: Not used.
            logs: Not used.
        """
        del epoch, logs
        if self._table is not None:
            self._table.begin()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Writes the row of the epoch, in or out of a fit.

        Args:
            epoch: Zero-based number of the epoch.
            logs: Metric name to value.
        """
        table = self._table or self._begin()
        if not table.is_open:  # Called by hand, after training.
            table = self._open(append=True)
        is_first_obstacle = table.obstacle is None
        table.add(self._row(epoch, logs or {}))
        self._seen_keys = [name for name in table.columns if name != KEY]
        if is_first_obstacle and table.obstacle:
            self._warn(
                f"CSVLogger cannot replace {self.filename!r} by a table with "
                f"more columns ({table.obstacle}). A wider header stands above "
                "the first row that needs it."
            )

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Closes the file.

        Args:
            logs: Not used.
        """
        del logs
        if self._table is not None:
            self._table.begin()
        self._close()

    def get_state(self) -> dict[str, Any]:
        """How far the file has got, and with which columns."""
        if self._table is None:
            return {}
        return {
            **self._table.state(),
            "append_header": self.append_header,
            "chosen_keys": _copy(self._chosen_keys),
            "seen_keys": _copy(self._seen_keys),
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Cuts the file back, to go on where the interrupted run was.

        Args:
            state: What `get_state` returned.
        """
        if "rows" not in state:
            return
        self._close()
        self._chosen_keys = state["chosen_keys"]
        reason = cut_back(self.filename, state)
        if reason is not None:
            table = self._open(append=True)
            self.append_header = table.is_blank
            self._warn(
                f"CSVLogger: {self.filename!r} {reason}. Nothing is removed "
                "from it; the rows of the epochs to come follow below."
            )
            return
        self._use(lambda: CsvTable.resumed(self.filename, state))
        self.append_header = state["append_header"]
        self._seen_keys = state["seen_keys"]

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_table": None}

    def __del__(self) -> None:
        self._close()

    def _row(self, epoch: int, logs: Logs) -> dict[str, Any]:
        names = self._chosen_keys
        if names is None:
            names = sorted(logs)
        values = {KEY: epoch, **logs}
        return {
            name: cell(off_device(values.get(name, MISSING), self._runtime))
            for name in (KEY, *names)
        }

    def _begin(self) -> CsvTable:
        self._close()
        self._seen_keys = None
        table = self._open(append=self.append)
        self.append_header = table.is_blank
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

    def _open(self, *, append: bool) -> CsvTable:
        return self._use(
            lambda: CsvTable(self.filename, self.sep, append=append)
        )

    def _use(self, opened: Callable[[], CsvTable]) -> CsvTable:
        try:
            table = opened()
        except OSError as error:
            raise UnwritablePath(
                f"{error}. CSVLogger got filename={self.filename!r}; choose a "
                "file that can be written, in a directory that exists."
            ) from error
        self._table = table
        return table

    def _close(self) -> None:
        if self._table is not None:
            self._table.close()


def path_of(filename: Any) -> str:
    """The path of a file as text.

    Args:
        filename: What the user gave.

    Raises:
        InvalidArgument: If it is no path.
    """
    try:
        return os.fsdecode(filename)
    except TypeError as error:
        raise InvalidArgument(
            f"filename must be a str or a path; got filename={filename!r}."
        ) from error


def _copy(keys: list[str] | None) -> list[str] | None:
    return None if keys is None else list(keys)


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
