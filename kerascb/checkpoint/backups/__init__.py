"""Backups of runs: what one has in it, where it lies, who may use it."""

from kerascb.checkpoint.backups.folder import BackupFolder
from kerascb.checkpoint.backups.run_state import RunState, difference

__all__ = ["BackupFolder", "RunState", "difference"]
