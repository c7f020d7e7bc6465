"""A checkpoint of any kind, small enough to be written thousands of times."""

from __future__ import annotations

import dataclasses

from kerascb.checkpoint.commit import Kind, commit
from kerascb.checkpoint.files.filesystem import LocalFileSystem
from kerascb.layouts.tensor_bundle import (
    Tensor,
    bundle,
    data_suffix,
    shards_of,
    with_shards,
)

_BUNDLE = bundle([Tensor("step", "int64", (), 0)])
_NOTES = b"the user's"


@dataclasses.dataclass
class Scene:
    """A checkpoint in a folder of its own, that can be written and read.

    Attributes:
        kind: What its path is.
        folder: Where it lies.
        files: The file system, for reading and undisturbed saves.
    """

    kind: Kind
    folder: str
    files: object = dataclasses.field(default_factory=LocalFileSystem)

    @property
    def path(self):
        """The path of the checkpoint."""
        return f"{self.folder}/m"

    def content(self, tag):
        """The files of the checkpoint with a tag of 8 letters at most."""
        if self.kind is Kind.FILE:
            return {"": [tag.encode() * 1000, b"end"]}
        if self.kind is Kind.DIRECTORY:
            names = ["saved_model.pb", "variables/a", "variables/b"]
            return {name: [tag.encode() * 1000] for name in names}
        value = memoryview(tag.encode().ljust(8))
        return {
            name: list(layout.render([value], b""))
            for name, layout in _BUNDLE.items()
        }

    def save(self, tag, files=None, **how):
        """Commits the checkpoint with a tag."""

        def fill(staging):
            for name, buffers in self.content(tag).items():
                staging.write(name, buffers)

        return commit(files or self.files, self.path, self.kind, fill, **how)

    def leave_notes(self):
        """Puts a file of the user's into a directory."""
        if self.kind is Kind.DIRECTORY:
            self.files.append(f"{self.path}/notes.txt", _NOTES)

    def read(self, tags=("old", "new", "newest")):
        """The tag of the checkpoint that a reader finds, if one is there."""
        found = self._found()
        if found is None:
            return None
        for tag in tags:
            content = self.content(tag)
            if found == {name: b"".join(content[name]) for name in content}:
                return tag
        return f"a mixture: {sorted(found)}"

    def _found(self):
        if self.kind is Kind.FILE:
            return self._read_all([""]) if self.files.kind(self.path) else None
        if self.kind is Kind.PREFIX:
            return self._found_bundle()
        if not self.files.kind(f"{self.path}/saved_model.pb"):
            return {} if self._names() else None
        found = self._read_all(self._names(), "/")
        notes = found.pop("notes.txt", _NOTES)
        return found if notes == _NOTES else {}

    def _found_bundle(self):
        if not self.files.kind(f"{self.path}.index"):
            return None
        index = self._read_all([".index"])[".index"]
        shards = shards_of(index)
        data = self._read_all([data_suffix(0, shards)])
        return {
            data_suffix(0, 1): data[data_suffix(0, shards)],
            ".index": with_shards(index, 1),
        }

    def _read_all(self, names, between=""):
        return {
            name: b"".join(
                map(bytes, self.files.read(self.path + between + name))
            )
            for name in names
        }

    def _names(self, inside=""):
        found = []
        for name in self.files.names(f"{self.path}/{inside}".rstrip("/")):
            if self.files.kind(f"{self.path}/{inside}{name}") == "folder":
                found += self._names(f"{inside}{name}/")
            else:
                found.append(inside + name)
        return found
