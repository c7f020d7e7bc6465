"""The lines of a manifest, and what they come to."""

from __future__ import annotations

import json
import os
import types
from typing import TYPE_CHECKING, Any, NamedTuple

from kerascb.layouts import notes
from kerascb.layouts.checksums import crc32c
from kerascb.runtime import Format

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kerascb.checkpoint.commit.writing import Written

_HEAD = b'{"crc":"'
_BODY = len(b'{"crc":"00000000",')
_FORGOTTEN = frozenset({"kerascb", "seeds"})
"""What of a note only the checkpoint itself needs."""


class FileFacts(NamedTuple):
    """What a file was when it was written.

    Attributes:
        size: Bytes.
        checksum: CRC-32C of the whole file.
    """

    size: int
    checksum: int


class Entry(NamedTuple):
    """A checkpoint, as it is listed.

    Attributes:
        path: Where it is, from the folder of the manifest, with `/`.
        form: What it is.
        files: What the files are; a name continues the path as in a `Plan`.
        note: What is remembered of it; see `kerascb.checkpoint.notes`.
        by: Whose it is: the template that its callback writes to.
        is_visible: It was seen at its path once.
        is_leaving: It may be deleted already.
    """

    path: str
    form: Format
    files: Mapping[str, FileFacts]
    note: Mapping[str, Any] = types.MappingProxyType({})
    by: str = ""
    is_visible: bool = False
    is_leaving: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether it must be there, unless others have deleted it."""
        return self.is_visible and not self.is_leaving

    @classmethod
    def of(
        cls,
        path: str,
        form: Format,
        written: Iterable[Written],
        note: Mapping[str, Any],
        by: str = "",
    ) -> Entry:
        """The entry of a checkpoint that is about to become visible.

        Args:
            path: From the folder of the manifest.
            form: What it is.
            written: Its files.
            note: What is remembered of it.
            by: Whose it is.
        """
        files = {file.name: _facts_of(file) for file in written}
        return cls(path.replace(os.sep, "/"), form, files, note, by)


def _facts_of(file: Written) -> FileFacts:
    if file.checksum is None:
        raise ValueError(f"{file.name!r} was written without a checksum.")
    return FileFacts(file.size, file.checksum)


def paths_of(entry: Entry) -> list[str]:
    """The files of a checkpoint, from the folder of its manifest.

    Args:
        entry: The checkpoint.
    """
    between = "/" if entry.form is Format.SAVED_MODEL else ""
    return [f"{entry.path}{between}{name}" for name in entry.files]


class Ledger:
    """What the lines of a manifest come to.

    Attributes:
        entries: What each path may be, in the order of writing.
        lines: How many lines were taken.
        live: How many of them still count.
        unreadable: How many lines are damaged.
        is_torn: The last line has no end.
    """

    def __init__(self) -> None:
        self.entries: dict[str, list[Entry]] = {}
        self.lines = 0
        self.live = 0
        self.unreadable = 0
        self.is_torn = False

    def take(self, content: bytes) -> None:
        """Reads a whole manifest; what cannot be read is passed over."""
        *lines, last = content.split(b"\n")
        self.is_torn = bool(last)
        whole = [found for line in lines if (found := _whole(line))]
        self.unreadable = len(lines) - len(whole)
        whole += [found] if (found := _whole(last)) else []
        # All at once, for there may be ten thousand.
        for found in json.loads(b"[%b]" % b",".join(whole)):
            if self._is_known(found):
                self.apply(found)
            else:
                self.unreadable += 1

    def content(self) -> bytes:
        """The manifest with nothing in it but what counts."""
        return b"".join(
            line_of(addition(entry))
            for found in self.entries.values()
            for entry in found
        )

    def apply(self, content: Mapping[str, Any]) -> None:
        """Takes one line.

        Args:
            content: What it says; `addition` and `settlement` make it.
        """
        self.lines += 1
        if "add" in content:
            self._add(_from_json(content["add"]))
        elif "visible" in content:
            self._confirm(content["visible"])
            for path in content["leaving"]:
                self._mark_leaving(path)

    @staticmethod
    def _is_known(content: Mapping[str, Any]) -> bool:
        """Whether nothing in it is of a kerascb to come."""
        added = content.get("add")
        return added is None or added["form"] in Format.__members__

    def drop(self, path: str) -> None:
        """Takes a path as deleted.

        Args:
            path: The path.
        """
        self.live -= len(self.entries.pop(path, ()))

    def _add(self, entry: Entry) -> None:
        found = self.entries.pop(entry.path, [])
        # To the end: the order is that of writing.
        self.entries[entry.path] = [*found, entry]
        self.live += 1

    def _confirm(self, path: str) -> None:
        if found := self.entries.get(path):
            self.live -= len(found) - 1
            self.entries[path] = [found[-1]._replace(is_visible=True)]

    def _mark_leaving(self, path: str) -> None:
        if found := self.entries.get(path):
            self.entries[path] = [
                entry._replace(is_leaving=True) for entry in found
            ]


def addition(entry: Entry) -> dict[str, Any]:
    """What the line says that lists a checkpoint.

    Args:
        entry: The checkpoint.
    """
    return {"add": _to_json(entry)}


def settlement(path: str, leaving: Iterable[str]) -> dict[str, Any]:
    """What the line says that confirms one, and dismisses others.

    Args:
        path: The checkpoint that is visible.
        leaving: Those that may be deleted.
    """
    return {"visible": path, "leaving": list(leaving)}


def line_of(content: Mapping[str, Any]) -> bytes:
    """A line, with its checksum and its end.

    Args:
        content: What it says.
    """
    body = notes.dumps(content)[1:].encode()
    return _head(body) + body + b"\n"


def _head(body: bytes) -> bytes:
    return b'%b%08x",' % (_HEAD, crc32c(body))


def _whole(line: bytes) -> bytes | None:
    """A line as it was written; `None` if it is damaged.

    A line that a kill has cut may have the next one behind it.
    """
    if line[:_BODY] == _head(line[_BODY:]):
        return line
    line = line[max(line.rfind(_HEAD), 0) :]
    return line if line[:_BODY] == _head(line[_BODY:]) else None


def _to_json(entry: Entry) -> dict[str, Any]:
    content: dict[str, Any] = {
        "path": entry.path,
        "form": entry.form.name,
        "files": {
            name: [facts.size, f"{facts.checksum:08x}"]
            for name, facts in entry.files.items()
        },
        "note": {
            name: value
            for name, value in entry.note.items()
            if name not in _FORGOTTEN
        },
        "by": entry.by,
    }
    if entry.is_visible:
        content["visible"] = True
    if entry.is_leaving:
        content["leaving"] = True
    return content


def _from_json(content: Mapping[str, Any]) -> Entry:
    return Entry(
        content["path"],
        Format[content["form"]],
        {
            name: FileFacts(size, int(checksum, 16))
            for name, (size, checksum) in content["files"].items()
        },
        notes.numbers_in(content["note"]),
        content["by"],
        content.get("visible", False),
        content.get("leaving", False),
    )
