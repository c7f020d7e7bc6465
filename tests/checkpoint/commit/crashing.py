"""A file system whose calls fail, whose process dies, whose power is cut."""

from __future__ import annotations

import errno
import functools
import os
from pathlib import Path

from kerascb.checkpoint.files.filesystem import LocalFileSystem
from kerascb.checkpoint.files.remote import FsspecFileSystem

CALLS = {
    name
    for kind in (LocalFileSystem, FsspecFileSystem)
    for name, value in vars(kind).items()
    if callable(value) and not name.startswith("_")
}


class Died(BaseException):
    """The process is no more; nothing it would do has an effect."""


class _Crashing:
    """A file system that works up to one call.

    Args:
        at: The number of that call, from 1; `None` for none.
        how: `"fail"`: it raises an `OSError` and does nothing, later ones
            work. `"die before"`: it is half done if it writes or removes, else
            it does nothing; `"die after"`: it is done; then the process dies.
            `"interrupt"`: it is done and raises a `KeyboardInterrupt`, later
            ones work.
        code: Of the error.

    Attributes:
        calls: The names of the calls so far.
    """

    def __init__(self, at=None, how="fail", code=errno.EIO):
        self.calls = []
        self._at = at
        self._how = how
        self._code = code

    def __getattribute__(self, name):
        value = super().__getattribute__(name)
        return (
            functools.partial(self._turn, name, value)
            if name in CALLS
            else value
        )

    @property
    def has_crashed(self):
        """Whether the call was reached."""
        return self._at is not None and len(self.calls) >= self._at

    def _turn(self, name, call, *arguments):
        if self.has_crashed and self._how.startswith("die"):
            raise Died(name)
        self.calls.append(name)
        if len(self.calls) != self._at:
            return call(*arguments)
        if self._how == "fail":
            text = os.strerror(self._code)
            raise OSError(self._code, text, str(arguments[0]))
        if self._how == "interrupt":
            call(*arguments)
            raise KeyboardInterrupt(name)
        if self._how == "die after":
            call(*arguments)
        else:
            self._half(name, arguments)
        raise Died(name)

    def _half(self, name, arguments):
        if name == "write":
            handle, piece = arguments
            os.write(handle, memoryview(piece)[: len(piece) // 2])
        elif name == "remove" and os.path.isdir(arguments[0]):
            for path in Path(arguments[0]).rglob("*"):
                if path.is_file():
                    path.unlink()
                    return


class CrashingFileSystem(_Crashing, LocalFileSystem):
    """The disk of this machine, up to one call."""

    def __init__(self, *crash, **how):
        super().__init__(*crash, **how)
        self._handles = set()

    def close_all(self):
        """Closes what a dead process had open, as its system would."""
        for handle in self._handles:
            os.close(handle)

    def create(self, path):
        handle = super().create(path)
        self._handles.add(handle)
        return handle

    def close(self, handle):
        self._handles.discard(handle)
        super().close(handle)


class CrashingRemote(_Crashing, FsspecFileSystem):
    """A place far away, up to one call."""

    def __init__(self, path, *crash, **how):
        FsspecFileSystem.__init__(self, path)
        _Crashing.__init__(self, *crash, **how)


class PowerCutFileSystem(CrashingFileSystem):
    """Knows what a disk may have forgotten when the power goes.

    What was written and not synced is gone; what names became in a folder
    that was not synced since, may be undone.
    """

    def __init__(self, at, trash):
        super().__init__(at, "die after")
        self._trash = Path(trash)
        self._trash.mkdir()
        self._unsynced = set()
        self._created = {}
        self._undo = []

    def cut(self, folder, lost):
        """Leaves what the disk may have after the power came back.

        Args:
            folder: Where to look.
            lost: Of the names not synced: `"none"`, `"all"`, or `"all but
                last"`.
        """
        undo = {
            "none": [],
            "all": self._undo,
            "all but last": self._undo[:-1],
        }[lost]
        for _, action in reversed(undo):
            action()
        nameless = self._created if lost != "none" else ()
        for path in filter(Path.is_file, list(Path(folder).rglob("*"))):
            if path.stat().st_ino in nameless:
                path.unlink()
            elif path.stat().st_ino in self._unsynced:
                path.write_bytes(b"")

    def create(self, path):
        handle = super().create(path)
        number = os.fstat(handle).st_ino
        self._unsynced.add(number)
        self._created[number] = os.path.realpath(os.path.dirname(path))
        return handle

    def finish(self, handle):
        super().finish(handle)
        self._unsynced.discard(os.fstat(handle).st_ino)

    def sync(self, path):
        super().sync(path)
        self._unsynced.discard(os.stat(path).st_ino)
        here = os.path.realpath(path)
        self._undo = [entry for entry in self._undo if entry[0] != here]
        self._created = {
            number: folder
            for number, folder in self._created.items()
            if folder != here
        }

    def move(self, source, target):
        former = self._kept(target) if os.path.lexists(target) else None

        def back():
            os.rename(target, source)
            if former is not None:
                os.rename(former, target)

        super().move(source, target)
        # From here on, what may be undone is the move, not the first name.
        self._created.pop(os.stat(target).st_ino, None)
        self._later(target, back)

    def remove(self, path):
        if not os.path.lexists(path):
            return
        former = self._trash / str(len(self.calls))
        os.rename(path, former)
        self._later(path, lambda: os.rename(former, path))

    def exchange(self, one, other):
        super().exchange(one, other)
        back = functools.partial(LocalFileSystem.exchange, self, one, other)
        self._later(other, back)

    def link(self, source, target):
        super().link(source, target)
        self._later(target, lambda: Path(target).unlink(missing_ok=True))

    def _kept(self, path):
        former = self._trash / f"{len(self.calls)}-former"
        os.link(path, former)
        return former

    def _later(self, path, back):
        folder = os.path.realpath(os.path.dirname(path) or os.curdir)
        self._undo.append((folder, back))
