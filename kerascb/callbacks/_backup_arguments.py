"""What BackupAndRestore makes of its arguments."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kerascb.callbacks._checkpoint_arguments import is_number
from kerascb.callbacks._preemption import as_signals
from kerascb.errors import InvalidArgument
from kerascb.frequency import validate_save_freq

if TYPE_CHECKING:
    from collections.abc import Sequence

_FLAGS = {
    "keras2": ("delete_checkpoint", "save_before_preemption"),
    "keras3": ("double_checkpoint", "delete_checkpoint"),
}
_MID_EPOCH = ("exact", "restart")


def flags_by_name(
    runtime_name: str, values: tuple[bool, ...]
) -> dict[str, bool]:
    """What was given by position, under the names of the Keras in force.

    Args:
        runtime_name: `"keras2"` or `"keras3"`.
        values: What was given after `save_freq`.

    Raises:
        TypeError: If it is more than that Keras has arguments.
    """
    names = _FLAGS[runtime_name]
    if len(values) > len(names):
        raise TypeError(
            f"BackupAndRestore takes at most {2 + len(names)} positional "
            f"arguments, the last of them {' and '.join(names)}; got "
            f"{2 + len(values)}. Pass the others by name."
        )
    return dict(zip(names, values, strict=False))


def hears_batches(asked: Any) -> bool:
    """Whether anything can be due at the end of a batch.

    Args:
        asked: Something with the arguments as attributes.
    """
    return bool(
        asked.save_freq not in ("epoch", False, None)
        or asked.every_n_seconds is not None
        or asked.save_before_preemption
    )


@dataclass(frozen=True)
class BackupArguments:
    """What a `BackupAndRestore` was told; see there."""

    backup_dir: Any
    save_freq: Any
    delete_checkpoint: bool
    save_before_preemption: bool
    background: bool
    every_n_seconds: Any
    overhead: Any
    mid_epoch: Any
    preemption_signals: Sequence[int | str]
    preemption_file: Any
    preemption_budget_s: Any

    @property
    def directory(self) -> str:
        """Where the backups are."""
        return str(os.fspath(self.backup_dir))

    def validate(self) -> None:
        """Refuses what nothing can be made of.

        Raises:
            InvalidArgument: If an argument is none of those documented.
        """
        if not self.backup_dir:
            raise InvalidArgument(
                "Empty `backup_dir` argument passed; got "
                f"backup_dir={self.backup_dir!r}. Pass the path of a folder."
            )
        self._validate_when()
        if self.mid_epoch not in _MID_EPOCH:
            raise InvalidArgument(
                f"mid_epoch must be {' or '.join(map(repr, _MID_EPOCH))}; got "
                f"mid_epoch={self.mid_epoch!r}."
            )
        as_signals(self.preemption_signals)
        self._require("preemption_budget_s", above=0)
        if self.preemption_file is not None and not self.save_before_preemption:
            raise InvalidArgument(
                "preemption_file is looked for only with "
                "save_before_preemption=True."
            )

    def _validate_when(self) -> None:
        save_freq = self.save_freq
        if self.every_n_seconds is not None:
            self._require("every_n_seconds", above=0)
            if save_freq not in ("epoch", False, None):
                raise InvalidArgument(
                    "every_n_seconds and save_freq both say when to back up; "
                    f"got every_n_seconds={self.every_n_seconds}, save_freq="
                    f"{save_freq!r}. Pass save_freq=False."
                )
        elif save_freq is None or save_freq is False:
            self._require_other_trigger()
        elif save_freq == "auto":
            self._require("overhead", above=0, below=1)
        else:
            validate_save_freq(
                save_freq,
                "Invalid value for argument `save_freq`. Received: "
                f"save_freq={save_freq}. Expected either 'epoch' or an integer "
                "value, or 'auto'.",
            )

    def _require_other_trigger(self) -> None:
        if not self.save_before_preemption:
            raise InvalidArgument(
                "Either `save_freq` or `save_before_preemption` must be set. "
                f"Received: save_freq={self.save_freq}. Pass "
                "save_freq='epoch', 'auto' or a number of batches, or "
                "every_n_seconds."
            )

    def _require(
        self, name: str, *, above: float, below: float = math.inf
    ) -> None:
        value: Any = getattr(self, name)
        if not is_number(value) or not above < value < below:
            limit = f" and below {below}" if below < math.inf else ""
            raise InvalidArgument(
                f"{name} must be a number above {above}{limit}; got "
                f"{name}={value!r}."
            )
