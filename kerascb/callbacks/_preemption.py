"""Notices that the machine is about to be taken away: signals, or a file."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from kerascb.checkpoint.files.filesystem import filesystem_of
from kerascb.errors import InvalidArgument, Preempted
from kerascb.paths import anchored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType

_log = logging.getLogger(__name__)

USUAL_SIGNALS: tuple[int, ...] = tuple(
    getattr(signal, name)
    for name in ("SIGTERM", "SIGBREAK")
    if hasattr(signal, name)
)
"""What schedulers send; on Windows also what a console sends that closes."""

_NOT_TO_HANDLE = (
    "SIGKILL", "SIGSTOP", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT",
)  # fmt: skip

_POLL_S = 1.0
_POLL_SHARE = 0.01  # of the time, where looking for a file takes long
_TWICE_S = 1.0  # a scheduler and a shell may both pass on the same notice
_BY_FILE = 128 + signal.SIGTERM


def as_signals(values: Iterable[Any]) -> tuple[int, ...]:
    """The numbers of signals that may be waited for.

    Args:
        values: Numbers, members of `signal.Signals`, or names: `"SIGUSR1"`.

    Raises:
        InvalidArgument: If one is no signal here, or cannot be a notice:
            those that cannot be handled, and those of faults.

    Example:
        >>> [int(one) for one in as_signals(["SIGTERM", 2])]
        [15, 2]
    """
    if isinstance(values, (str, int)):
        values = [values]
    return tuple(_as_signal(one) for one in values)


def _as_signal(value: Any) -> int:
    number = getattr(signal, value, None) if isinstance(value, str) else value
    is_number = isinstance(number, int) and not isinstance(number, bool)
    if not is_number or number not in signal.valid_signals():
        raise InvalidArgument(
            f"There is no such signal on this system: got {value!r}. Pass "
            "numbers or names such as 'SIGUSR1'."
        )
    if _name(number) in _NOT_TO_HANDLE:
        raise InvalidArgument(
            f"{_name(number)} cannot be a notice of preemption: got {value!r}. "
            "Take a signal that a process may handle, such as 'SIGUSR1'."
        )
    return int(number)


class PreemptionNotice:
    """Listens for a notice, from `install` to `close`.

    A signal:
        It is noted, and training goes on; whoever asks `is_given` acts. A
        handler that Python code had set before is called right after that, so
        that a cluster's own still runs; what it raises is kept back until the
        state is saved, and is then the cause of the error that ends the run.
        The same signal again ends the process as it would have without us:
        by that handler, if there was one, or by what the system does. Within
        a second it counts as the same notice.

        Signals can be handled in the main thread only. Elsewhere there is one
        warning, and the file still works. In a process that was forked off,
        as data loaders are, a signal does what it did before. Where a library
        handles it outside Python, it is left alone, with a warning.

    A file:
        Its appearance is a notice. One that is there already is none, for it
        may be from the run before; there is a warning, and a newer one counts.
        It is looked for when `is_given` is read, once a second at most, and
        less often where that would take more than 1 % of the time.

    `close` puts back the handlers as they were, but where somebody has set
    another one meanwhile; then ours only passes signals on.

    Args:
        signals: Their numbers; see `as_signals`.
        file: Its path, which may be a remote one; or `None`.
        warn: Tells the user something; by default the log does.
        clock: Tells the time in seconds; it never goes back.

    Attributes:
        reason: What has told of a preemption, as a clause; `None` before.
        since: What the clock said then; `None` before.
        exit_status: What a script ends with: 128 and the number of the
            signal; 143, as with SIGTERM, for the file.
    """

    def __init__(
        self,
        signals: Iterable[int] = USUAL_SIGNALS,
        file: str | os.PathLike[str] | None = None,
        warn: Callable[[str], None] = _log.warning,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.reason: str | None = None
        self.since: float | None = None
        self.exit_status = _BY_FILE
        self._signals = tuple(signals)
        self._warn = warn
        self._clock = clock
        self._file = None if file is None else _WatchedFile(file, warn)
        self._next_poll = math.inf
        self._former: dict[int, Any] = {}
        self._received: dict[int, float] = {}
        self._kept_back: BaseException | None = None
        self._pid: int | None = None

    @property
    def is_given(self) -> bool:
        """Whether there has been a notice; cheap enough for every batch."""
        if self.reason is not None:
            return True
        if self._file is None or self._clock() < self._next_poll:
            return False
        return self._poll(self._file)

    @property
    def is_closed(self) -> bool:
        """Whether it does not listen, or no longer."""
        return self._pid is None

    def install(self) -> None:
        """Begins to listen."""
        self._pid = os.getpid()
        if self._file is not None:
            self._file.begin()
            self._next_poll = self._clock()
        is_main = threading.current_thread() is threading.main_thread()
        if self._signals and not is_main:
            self._warn(
                "BackupAndRestore: Python lets only the main thread handle "
                f"{' and '.join(map(_name, self._signals))}, and this fit runs "
                "in another one; no signal will back it up."
            )
            return
        for number in self._signals:
            self._take(number)

    def close(self) -> None:
        """Ends listening; a second time does nothing."""
        self._pid = None
        self._next_poll = math.inf
        # In another thread they stay, and pass everything on.
        with contextlib.suppress(ValueError):
            for number in list(self._former):
                if signal.getsignal(number) == self._handle:
                    signal.signal(number, self.former_of(number))
                    del self._former[number]

    def former_of(self, number: int) -> Any:
        """The handler before ours, and before those of ours that are closed.

        The notices of two callbacks are closed in the order of the list, not
        the other way round.

        Args:
            number: The signal.
        """
        former = self._former[number]
        owner = getattr(former, "__self__", None)
        if isinstance(owner, PreemptionNotice) and owner.is_closed:
            return owner.former_of(number)
        return former

    def error(
        self, directory: str, *, is_saved: bool, obstacle: str | None = None
    ) -> Preempted:
        """What to raise once the state is saved; it is said on stderr, too.

        Python itself prints nothing of a `SystemExit`.

        Args:
            directory: Where the backups are.
            is_saved: Whether the state is in there.
            obstacle: Why it is not, as a clause.
        """
        reason = self.reason or "a notice was given"
        error = Preempted(
            reason, directory, is_saved, self.exit_status, obstacle
        )
        error.__cause__ = self._kept_back
        print(error, file=sys.stderr, flush=True)  # noqa: T201
        return error

    def _take(self, number: int) -> None:
        former = signal.getsignal(number)
        if former is None:
            self._warn(
                f"BackupAndRestore: {_name(number)} is handled by a library "
                "outside Python and is left to it; it backs up nothing. Pass "
                "another signal."
            )
            return
        self._former[number] = former
        signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._pid != os.getpid():  # closed, or forked off
            self._pass_on(number, frame)
        elif number not in self._received:
            self._received[number] = self._clock()
            self._note(f"{_name(number)} was received", 128 + number)
            self._call_former(number, frame)
        elif self._clock() - self._received[number] >= _TWICE_S:
            self._pass_on(number, frame, is_to_end=True)

    def _note(self, reason: str, exit_status: int) -> None:
        if self.reason is None:
            self.since = self._clock()
            self.exit_status = exit_status
            self.reason = reason

    def _call_former(self, number: int, frame: FrameType | None) -> None:
        former = self.former_of(number)
        if callable(former) and former is not signal.default_int_handler:
            try:
                former(number, frame)
            except BaseException as error:  # noqa: BLE001 - kept for later
                self._kept_back = error

    def _pass_on(
        self, number: int, frame: FrameType | None, *, is_to_end: bool = False
    ) -> None:
        """Does what would be done without us."""
        former = self.former_of(number)
        if callable(former):
            former(number, frame)
            if not is_to_end:
                return
        if former != signal.SIG_IGN or is_to_end:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    def _poll(self, file: _WatchedFile) -> bool:
        start = self._clock()
        has_appeared = file.has_appeared()
        end = self._clock()
        self._next_poll = end + max(_POLL_S, (end - start) / _POLL_SHARE)
        if has_appeared:
            self._note(f"the file {file.path!r} has appeared", _BY_FILE)
        return has_appeared


class _WatchedFile:
    """A file whose appearance is waited for.

    Args:
        path: Where; relative paths are of the folder that is current now.
        warn: Tells the user something.
    """

    def __init__(
        self, path: str | os.PathLike[str], warn: Callable[[str], None]
    ) -> None:
        self.path = anchored(os.fspath(path))
        self._files = filesystem_of(self.path)
        self._warn = warn
        self._old: float | None = None
        self._has_failed = False

    def begin(self) -> None:
        """Looks whether one is there that is none of this run's."""
        self._old = self._modified()
        if self._old is not None:
            self._warn(
                f"BackupAndRestore: the file {self.path!r} is there already; "
                "only a newer one counts as a notice of preemption."
            )

    def has_appeared(self) -> bool:
        """Whether it is there now, and not only as it was."""
        modified = self._modified()
        if modified is None:
            if not self._has_failed:
                self._old = None
            return False
        return modified != self._old

    def _modified(self) -> float | None:
        """When it was written; `None` if it is not there, or unknown."""
        try:
            is_there = self._files.kind(self.path) is not None
            modified = self._files.modified(self.path) if is_there else None
        except OSError as error:
            if not self._has_failed:
                self._warn(
                    "BackupAndRestore cannot look for the file that tells of "
                    f"a preemption, and goes on trying: {error}"
                )
            self._has_failed = True
            return None
        self._has_failed = False
        return modified


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # one of the real-time signals between the named ones
        return f"signal {number}"
