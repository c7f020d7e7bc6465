"""Bars of tqdm."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from tqdm.auto import tqdm

from kerascb.progress.looks import number

if TYPE_CHECKING:
    from kerascb.progress.bars import Bar
    from kerascb.progress.reading import Reading


def make(title: str, target: int | None, stream: IO[str]) -> Bar:
    """A bar that is drawn when it is told to; in a notebook, its widget.

    Args:
        title: What the bar is of.
        target: Steps expected; `None` if unknown.
        stream: Where it is drawn.
    """
    return _TqdmBar(title, target, stream)


class _TqdmBar:
    def __init__(self, title: str, target: int | None, stream: IO[str]) -> None:
        self._bar = _Tqdm(
            desc=title,
            total=target,
            file=stream,
            unit="step",
            dynamic_ncols=True,
            # The callers have looked at the clock.
            mininterval=0,
            miniters=1,
        )

    def show(self, reading: Reading) -> None:
        bar = self._bar
        values = {name: number(value) for name, value in reading.values}
        bar.set_postfix(values, refresh=False)
        if reading.is_last:
            bar.total, bar.n = reading.target, reading.seen
            # What stays is not cut.
            bar.dynamic_ncols = bar.ncols = None
            bar.close()
        else:
            bar.update(reading.seen - bar.n)

    def close(self) -> None:
        self._bar.close()


class _Tqdm(tqdm):  # type: ignore[misc] # it has no types
    """Without the thread that draws bars which have not moved for long."""

    monitor_interval = 0
