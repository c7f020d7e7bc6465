"""The checkpoints of one callback, listed, and no more of them than asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascb.checkpoint import path_template
from kerascb.checkpoint.catalog import manifest, retention
from kerascb.checkpoint.files.local import LocalFileSystem
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
        home: The folder of the manifest, should it not be found from where
            the process is now: `manifest.home_of(template)`, but absolute.
        max_to_keep: How many of the newest stay; `None` for no such wish.
        keep_best: How many of the best stay; `None` for no such wish.
    """

    def __init__(
        self,
        files: FileSystem,
        template: str,
        *,
        home: str | None = None,
        max_to_keep: int | None,
        keep_best: int | None,
    ) -> None:
        self._home = manifest.home_of(template)
        self._template = manifest.path_from(self._home, template)
        self._files = files
        self._place = self._home if home is None else home
        self._manifest = manifest.Manifest(files, self._place)
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
            self._remove_empty_folders(one)
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

    def _remove_empty_folders(self, name: str) -> None:
        """Those that only a checkpoint which is gone was in.

        Of folders that the template names in so many words, and of those of
        other people, none is removed.
        """
        if not isinstance(self._files, LocalFileSystem):
            return  # a store of objects has no folders, or minds them itself
        folders, patterns = name.split("/")[:-1], self._template.split("/")[:-1]
        if len(folders) != len(patterns):
            return
        while folders and path_template.fields_of(patterns.pop()):
            folder = manifest.join(self._place, "/".join(folders))
            if not self._files.remove_if_empty(folder):
                return
            folders.pop()

    def _name_of(self, path: str) -> str:
        return manifest.path_from(self._home, path)


class Shelves:
    """Which shelf a checkpoint belongs on, if it has to be listed at all.

    It has to be where something is asked that needs a list, and where there is
    a list, which must not be left to tell of former files. That is looked at
    once, until `forget` is called.

    Args:
        always: List every checkpoint.
        max_to_keep: As for a `Shelf`.
        keep_best: As for a `Shelf`.
    """

    def __init__(
        self, *, always: bool, max_to_keep: int | None, keep_best: int | None
    ) -> None:
        self._always = always
        self._max_to_keep = max_to_keep
        self._keep_best = keep_best
        self._listed: dict[str, bool] = {}
        self._shelves: dict[tuple[str, str], Shelf] = {}

    def forget(self) -> None:
        """Has everything be looked at anew: others may write there as well."""
        self._listed.clear()
        self._shelves.clear()

    def is_listed(self, files: FileSystem, home: str) -> bool:
        """Whether checkpoints have to be listed.

        Args:
            files: The file system.
            home: The folder of their manifest.
        """
        if home not in self._listed:
            self._listed[home] = self._always or manifest.has_manifest(
                files, home
            )
        return self._listed[home]

    def shelf(
        self, files: FileSystem, template: str, home: str
    ) -> Shelf | None:
        """The shelf; `None` where nothing has to be listed.

        Args:
            files: The file system.
            template: The callback's path, with placeholders.
            home: The folder of the manifest.
        """
        if not self.is_listed(files, home):
            return None
        if (template, home) not in self._shelves:
            self._shelves[template, home] = Shelf(
                files,
                template,
                home=home,
                max_to_keep=self._max_to_keep,
                keep_best=self._keep_best,
            )
        return self._shelves[template, home]


def _value_of(entry: manifest.Entry, monitor: Any) -> float | None:
    value: float | None = entry.note.get("metrics", {}).get(monitor)
    return value
