"""Bars of rich."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from kerascb.progress.looks import number, per

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from kerascb.progress.bars import Bar
    from kerascb.progress.reading import Reading

_ENDLESS = 10_000  # columns


def make(title: str, target: int | None, stream: IO[str]) -> Bar:
    """A bar that is drawn when it is told to, without a thread.

    Args:
        title: What the bar is of.
        target: Steps expected; `None` if unknown.
        stream: Where it is drawn.
    """
    return _RichBar(title, target, stream)


class _RichBar:
    def __init__(self, title: str, target: int | None, stream: IO[str]) -> None:
        time: ProgressColumn = (
            TimeRemainingColumn(
                compact=True,
                elapsed_when_finished=True,
                table_column=_whole(),
            )
            if target
            else TimeElapsedColumn(table_column=_whole())
        )
        self._progress = _Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20, table_column=_whole()),
            MofNCompleteColumn(table_column=_whole()),
            time,
            TextColumn("{task.fields[pace]}", markup=False),
            _Values(),
            console=_Console(file=stream),
            auto_refresh=False,
            # What others print goes where it always goes: a fit that fails
            # would leave stdout redirected.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task(
            title, total=target, pace="", values="", below=""
        )
        self._is_open = True

    def show(self, reading: Reading) -> None:
        values = (f"{name}={number(one)}" for name, one in reading.values)
        self._progress.update(
            self._task,
            completed=reading.seen,
            total=reading.target,
            pace=per(reading.step_s, "step"),
            values="  ".join(values),
        )
        self._progress.start()
        if reading.is_last:
            self._progress.make_room()
            self.close()
        else:
            self._progress.refresh()

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._progress.stop()


class _Progress(Progress):
    """Has one line as long as it is drawn over.

    Several lines would take along what others have printed below them.
    """

    def make_room(self) -> None:
        """Puts values that would be cut on lines of their own."""
        (task,) = self.tasks
        endless = self.console.options.update(width=_ENDLESS)
        needed = self.console.measure(
            self.make_tasks_table([task]), options=endless
        )
        if needed.maximum > self.console.width:
            below = task.fields["values"]
            self.update(task.id, values="", below=below)

    def get_renderables(self) -> Iterator[RenderableType]:
        yield self.make_tasks_table(self.tasks)
        for task in self.tasks:
            if task.fields["below"]:
                yield Text(task.fields["below"])


class _Values(ProgressColumn):
    """The values, cut where there is no room."""

    def render(self, task: Task) -> Text:
        return Text(task.fields["values"], no_wrap=True, overflow="ellipsis")


def _whole() -> Column:
    return Column(no_wrap=True)


class _Console(Console):
    """Leaves the cursor alone, which a fit that fails would leave hidden."""

    def show_cursor(self, show: bool = True) -> bool:
        del show
        return False
