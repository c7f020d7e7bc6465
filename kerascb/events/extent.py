"""How much of a run is in its event files, and going back to that.

TensorBoard's own way to take back what a killed run had written is an event
`SessionLog.START` with a step: all that lies at that step or beyond is not
shown, whatever its tag. Our runs have two axes, epochs and batches, so that no
step is right for both. Hence the files themselves are cut back.

The files of one training, and of those that resume it, have a mark in their
names. No other file is ever touched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kerascb.events import storage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Extent = dict[str, dict[str, int]]
"""Run → name of each of its marked files → bytes."""


@dataclass
class CutBack:
    """What was found when event files were cut back.

    Attributes:
        is_found: Whether there was any file to go on from.
        incomplete: Files that are missing or shorter than they were.
        newest_s: When the newest file that is left was begun, in seconds; its
            name says so.
    """

    is_found: bool = False
    incomplete: list[str] = field(default_factory=list)
    newest_s: int = 0


def suffix_of(mark: str) -> str:
    """How the names of files with a mark end.

    Args:
        mark: Letters and digits; may be empty.

    Example:
        >>> suffix_of("1f2e"), suffix_of("")
        ('.1f2e.v2', '.v2')
    """
    return f".{mark}.v2" if mark else ".v2"


def extent_of(root: str, runs: Iterable[str], mark: str) -> Extent:
    """How long the files with a mark are; what is not flushed is not seen.

    Args:
        root: The log directory.
        runs: The runs below it; those without such files are left out.
        mark: The mark.
    """
    found = {
        run: _sizes(storage.join(root, run), mark) for run in sorted(set(runs))
    }
    return {run: sizes for run, sizes in found.items() if sizes}


def cut_back(
    root: str,
    runs: Iterable[str],
    mark: str,
    extent: Mapping[str, Mapping[str, int]],
) -> CutBack:
    """Takes away what the files with a mark have got since.

    Args:
        root: The log directory; it may have been moved.
        runs: Runs that may have come since.
        mark: The mark.
        extent: What `extent_of` returned.
    """
    done = CutBack()
    now = extent_of(root, {*extent, *runs}, mark)
    for run in sorted(now.keys() | extent.keys()):
        then, present = extent.get(run, {}), now.get(run, {})
        for name in sorted(then.keys() | present.keys()):
            path = storage.join(root, run, name)
            size = present.get(name, 0)
            if name not in then:
                storage.remove(path)
                continue
            if size > then[name]:
                storage.cut(path, then[name])
            elif size < then[name]:
                done.incomplete.append(path)
            if name in present:
                done.is_found = True
                done.newest_s = max(done.newest_s, _begun_s(name))
    return done


def _sizes(directory: str, mark: str) -> dict[str, int]:
    ending = suffix_of(mark)
    return {
        name: storage.size_of(storage.join(directory, name))
        for name in storage.names_in(directory)
        if ".tfevents." in name and name.endswith(ending)
    }


def _begun_s(name: str) -> int:
    """The time in the name of an event file."""
    text = name.partition(".tfevents.")[2].partition(".")[0]
    return int(text) if text.isdecimal() else 0
