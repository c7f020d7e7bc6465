"""The checkpoints of one callback, listed, and no more of them than asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascb.checkpoint.catalog import manifest, retention
from kerascb.improvement import Direction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kerascb.checkpoint.commit import Written
    from kerascb.checkpoint.files.filesystem import FileSystem
    from kerascb.runtime import Format


class Shelf:
    """Lists what a callback writes, and removes what is too much.

    Of what is in the folder, only that is ever removed which a callback with
    the same template has written, in this run or in an earlier one.

    Args:
        files: The file system.
        template: The callback's path, with placeholders.
        max_to_keep: How many of the newest stay; `None` for no such wish.
        keep_best: How many of the best stay; `None` for no such wish.
    """

    def __init__(
        self,
        files: FileSystem,
        template: str,
        *,
        max_to_keep: int | None,
        keep_best: int | None,
    ) -> None:
        self._home = manifest.home_of(template)
        self._template = manifest.path_from(self._home, template)
        self._manifest = manifest.Manifest(files, self._home)
        self._max_to_keep = max_to_keep
        self._keep_best = keep_best
        self._kept = {
            entry.path: entry for entry in self._manifest.kept(self._template)
        }

    def add(
        self,
        path: str,
        form: Format,
        note: Mapping[str, Any],
        written: Iterable[Written],
    ) -> None:
        """Lists a checkpoint that is about to become visible.

        Args:
            path: Where it will be.
            form: What it is.
            note: What is remembered of it.
            written: Its files.

        Raises:
            OSError: If it cannot be listed.
        """
        self._manifest.add(
            manifest.Entry.of(
                self._name_of(path), form, written, note, self._template
            )
        )

    def settle(self, path: str, note: Mapping[str, Any]) -> None:
        """Notes that it is visible, and removes what is too much now.

        Args:
            path: Where it is.
            note: What is remembered of it.

        Raises:
            OSError: If that cannot be noted, or something not be removed.
        """
        name = self._name_of(path)
        self._kept.pop(name, None)
        self._kept[name] = self._manifest.newest_at(name)
        leaving = self._leaving(note)
        self._manifest.settle(name, leaving)
        for one in leaving:
            self._manifest.delete(self._kept[one])
            del self._kept[one]

    def _leaving(self, note: Mapping[str, Any]) -> list[str]:
        newest = self._max_to_keep
        if newest is None and self._keep_best is None:
            return []
        if self._keep_best is not None and "mode" not in note:
            return []  # nothing is removed that might be the best
        if len(self._kept) <= (newest or 1):
            return []  # also where thousands are kept, without a look at them
        monitor = note.get("monitor")
        return retention.superfluous(
            [
                retention.Saved(entry.path, _value_of(entry, monitor))
                for entry in self._kept.values()
            ],
            max_to_keep=newest,
            keep_best=self._keep_best,
            direction=Direction(note.get("mode", Direction.MIN.value)),
        )

    def _name_of(self, path: str) -> str:
        return manifest.path_from(self._home, path)


def _value_of(entry: manifest.Entry, monitor: Any) -> float | None:
    value: float | None = entry.note.get("metrics", {}).get(monitor)
    return value
