"""What kerascb raises.

    KerascbError
    ├── MissingDependency (ImportError)   an optional package is not installed
    ├── UnsupportedRuntime (RuntimeError) no Keras, or one too old
    ├── InvalidArgument (ValueError)      an argument nothing can be made of
    ├── UnknownArgument (TypeError)       there is no such argument
    ├── UnsettableLearningRate (TypeError) a schedule sets the learning rate
    ├── UnfillablePath (KeyError)         a placeholder no epoch has a value for
    ├── UnreadableBackup (OSError)        no backup of a run can be read
    ├── Preempted (SystemExit)            the machine is about to be taken away
    ├── BackupInUse (OSError)             another run uses the same folder
    ├── BackupOfOtherModel (ValueError)   a backup does not fit the model
    ├── NoWholeCheckpoint (OSError)       every checkpoint is damaged
    ├── SaveFailed (OSError)              the disk did not take a checkpoint
    └── UnwritablePath (OSError)          a file could never be written there

Each error also is the built-in exception that Keras raises for the same
mistake, so that code which catches that keeps working.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "BackupInUse",
    "BackupOfOtherModel",
    "InvalidArgument",
    "KerascbError",
    "MissingDependency",
    "NoWholeCheckpoint",
    "Preempted",
    "SaveFailed",
    "UnfillablePath",
    "UnknownArgument",
    "UnreadableBackup",
    "UnsettableLearningRate",
    "UnsupportedRuntime",
    "UnwritablePath",
]


class KerascbError(Exception):
    """The base of every error that kerascb defines."""


class MissingDependency(KerascbError, ImportError):
    """An optional package is needed and is not installed.

    Args:
        who: What needs it, as the user calls it.
        package: The distribution to install.
        extra: The extra of kerascb that brings it; `None` if none does.
    """

    def __init__(
        self, who: str, package: str, extra: str | None = None
    ) -> None:
        super().__init__(who, package, extra)
        self.who = who
        self.package = package
        self.extra = extra

    def __str__(self) -> str:
        """Names who needs what, and the command that brings it."""
        wanted = f"'kerascb[{self.extra}]'" if self.extra else self.package
        return (
            f"{self.who} requires the `{self.package}` library. "
            f"pip install {wanted}"
        )


class UnsupportedRuntime(KerascbError, RuntimeError):
    """No Keras is installed, or the one in force cannot do what was asked."""


class InvalidArgument(KerascbError, ValueError):
    """An argument has a value nothing can be made of."""


class UnfillablePath(InvalidArgument, KeyError):
    """A path has a placeholder that no epoch has a value for."""

    def __str__(self) -> str:
        """The message itself; a `KeyError` would show it in quotes."""
        return str(self.args[0])


class UnknownArgument(InvalidArgument, TypeError):
    """An argument was given by a name that the class does not take.

    Python raises a `TypeError` then, Keras 2 often a `ValueError`; it is both.
    """


class UnsettableLearningRate(KerascbError, TypeError):
    """A callback is to set a learning rate that a schedule already sets."""


class UnwritablePath(KerascbError, OSError):
    """A path was given where no file can ever be written."""


class SaveFailed(KerascbError, OSError):
    """A disk is full or broken; a checkpoint that was there is not lost.

    `errno` and `filename` are set as in any `OSError`.
    """


class UnreadableBackup(KerascbError, OSError):
    """A run has backups, and none of them can be read.

    Args:
        directory: Where they lie.
        reason: What went wrong with the latest of them.
    """

    def __init__(self, directory: str, reason: Exception) -> None:
        super().__init__(directory, reason)
        self.directory = directory
        self.reason = reason

    def __str__(self) -> str:
        """Names the place, the reason and the way out."""
        return (
            f"BackupAndRestore cannot read the backup in {self.directory!r}: "
            f"{self.reason}. Nothing has been deleted. Put back a copy of the "
            "directory, or remove it to train from the beginning."
        )


class BackupInUse(KerascbError, OSError):
    """A second run was to be backed up to the folder of one that goes on.

    Args:
        directory: The folder.
        holder: Who uses it: `host`, `pid`, `since` and `command`, as far as
            they are known.

    Attributes:
        directory: As given.
        holder: As given.
    """

    def __init__(self, directory: str, holder: Mapping[str, Any]) -> None:
        super().__init__(directory, holder)
        self.directory = directory
        self.holder = dict(holder)

    def __str__(self) -> str:
        """Names the place, the holder and the way out."""
        return (
            f"BackupAndRestore cannot use the folder {self.directory!r}: "
            f"{self._user()}. Two runs would replace each other's backups. "
            "Pass another backup_dir, or end the other run."
        )

    def _user(self) -> str:
        if not {"host", "pid", "since", "command"} <= self.holder.keys():
            return "another run is using it"
        return (
            "process {pid} on {host} has been using it since {since} "
            "({command})".format_map(self.holder)
        )


class BackupOfOtherModel(KerascbError, ValueError):
    """A backup was found that is none of the model to be trained.

    Args:
        directory: Where it lies.
        difference: A clause that names the first difference.

    Attributes:
        directory: As given.
        difference: As given.
    """

    def __init__(self, directory: str, difference: str) -> None:
        super().__init__(directory, difference)
        self.directory = directory
        self.difference = difference

    def __str__(self) -> str:
        """Names the place, the difference and the way out."""
        return (
            f"The backup in {self.directory!r} is of another model: "
            f"{self.difference}. Nothing has been deleted. Pass another "
            "backup_dir, or remove the directory to train from the beginning."
        )


class Preempted(KerascbError, SystemExit):
    """The machine is about to be taken away; the run has been backed up.

    Left alone it ends the process with status `code`, without a traceback; as
    with any `SystemExit`, `finally` blocks and `atexit` are run. Python prints
    nothing of one, so whoever raises it says it on stderr.

    It is an `Exception` as well: an `except Exception` around `fit` catches
    it, and the script goes on until the process is killed. Such a script
    should put `except Preempted: raise` before that.

    Args:
        reason: What has told of it, as a clause.
        directory: Where the backups are.
        is_saved: Whether the state of the run is in there; else the backup
            before it is, if there was one.
        code: The exit status: 128 and the number of the signal.
        obstacle: Why the state could not be saved, as a clause, if it is known.

    Attributes:
        reason: As given.
        directory: As given.
        is_saved: As given.
        code: As given.
        obstacle: As given.
    """

    def __init__(
        self,
        reason: str,
        directory: str,
        is_saved: bool,
        code: int = 143,
        obstacle: str | None = None,
    ) -> None:
        super().__init__(reason, directory, is_saved, code, obstacle)
        self.reason = reason
        self.directory = directory
        self.is_saved = is_saved
        self.code = code
        self.obstacle = obstacle

    def __str__(self) -> str:
        """Says what has happened, and how to go on."""
        why = f" ({self.obstacle})" if self.obstacle else ""
        state = (
            f"The run is backed up in {self.directory!r}"
            if self.is_saved
            else f"Its state could not be backed up{why}; the last backup, if "
            f"there is one, is in {self.directory!r}"
        )
        return (
            f"Preempted: {self.reason}. {state}. Start the same script again "
            "to go on."
        )


class NoWholeCheckpoint(KerascbError, OSError):
    """A folder has checkpoints, and every one of them is damaged.

    Args:
        directory: Where they lie.
        damage: Each, with what is wrong with it.
    """

    def __init__(self, directory: str, damage: Sequence[str]) -> None:
        super().__init__(directory, damage)
        self.directory = directory
        self.damage = list(damage)

    def __str__(self) -> str:
        """Names the place and what is wrong with each."""
        found = "".join(f"\n  {one}" for one in self.damage)
        return f"No checkpoint in {self.directory!r} is whole:{found}"
