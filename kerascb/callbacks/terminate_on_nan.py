"""Stop a run whose loss is no longer a finite number."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kerascb.callbacks._foreseen_logs import foresee
from kerascb.callbacks._pending_checks import Check, PendingChecks
from kerascb.callbacks.callback import Callback
from kerascb.errors import InvalidArgument
from kerascb.frequency import BatchCounter, as_count, within_epoch
from kerascb.improvement import did_you_mean
from kerascb.runtime import LazyLogs, has_validation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kerascb.callbacks._pending_checks import Finding
    from kerascb.runtime import Logs
    from kerascb.runtime.reads import WeightsCheck

_LOSS = "loss"


class TerminateOnNaN(Callback):
    """Stops training at the first batch whose loss is NaN or infinite.

    The default stop is graceful: the loop ends after the current batch and
    every callback still gets `on_epoch_end` and `on_train_end`. With
    `raise_error=True` the error leaves `fit` at once. Either way
    `BackupAndRestore` and `ModelCheckpoint` of kerascb save nothing from then
    on, so that the model as it was before is not replaced.

    Training does not wait for the loss. In `kerascb.CallbackList`, and in
    every list of Keras 2, it is looked at when it has been computed: at once
    with TensorFlow and torch on the CPU, else up to eight checks later, while
    the device goes on with the next steps. What is printed names the batch
    whose loss it was. Nothing is missed: the end of an epoch waits for what is
    outstanding. A list of Keras 3 itself waits for every loss; then this
    callback compares a float.

    Args:
        raise_error: Raise instead of stopping gracefully.
        check_every: Batches between two checks (≥ 1). The last batch of an
            epoch is always looked at. The batch that is named is the first that
            was looked at; what Keras logs as the loss is a mean over the epoch
            so far, which stays NaN.
        metrics: Look at other values of the logs too: all of them with `True`,
            or those of the names given. Those of validation are looked at when
            an epoch ends.
        weights: Look at the weights too, on the device, all in one reduction;
            what is told names the first that is not finite. It takes a pass
            over them: with a large model, use it with `check_every`.

    Raises:
        InvalidArgument: If an argument is none of the above.
        RuntimeError: Out of `fit`, if `raise_error` is true.

    Attributes:
        raise_error: As given.
        check_every: As given.
        metrics: As given.
        weights: As given.
        reason: What has ended training, in a few words; `None` while all is
            well.

    Example:
        >>> from kerascb import TerminateOnNaN
        >>> from kerascb.testing import drive
        >>> callback = TerminateOnNaN()
        >>> run = drive([callback], losses=[0.3, float("nan"), 0.2])
        Batch 1: Invalid loss, terminating training
        >>> run.batches_seen, callback.reason
        (2, 'Invalid loss at batch 1')
    """

    _supports_tf_logs = True
    reason: str | None = None

    def __init__(
        self,
        raise_error: bool = False,
        *,
        check_every: int = 1,
        metrics: bool | str | Iterable[str] = False,
        weights: bool = False,
    ) -> None:
        super().__init__()
        if as_count(check_every) is None:
            raise InvalidArgument(
                "TerminateOnNaN needs check_every to be a number of batches of "
                f"at least 1; got check_every={check_every!r}."
            )
        self.raise_error = raise_error
        self.check_every = check_every
        self.metrics = metrics
        self.weights = weights
        self._names = _names_of(metrics)
        self._is_named = not isinstance(metrics, bool)
        self._counter = BatchCounter(check_every)
        self._begin()

    def get_state(self) -> dict[str, Any]:
        """How many batches have gone by since the last check."""
        return self._counter.state()

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on counting.

        Args:
            state: What `get_state` has answered.
        """
        self._counter.restore(state)

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Warns of names that the logs will hardly have.

        Args:
            logs: Not used.
        """
        del logs
        self._counter = BatchCounter(self.check_every)
        self._begin()
        self._checks = PendingChecks(
            in_step=self._runtime.has_peers(self._model)
        )
        if self._is_named:
            foreseen = foresee(self._model)
            unlikely = filter(foreseen.is_unlikely, sorted(self._unseen))
            self._tell_missing([*unlikely], foreseen.names)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Checks the loss, or begins to; a batch without one passes.

        Args:
            batch: Zero-based index of the batch within its epoch.
            logs: Metric name to value, averaged over the epoch so far.
        """
        self._is_checked = self.check_every == 1 or self._is_due_after(batch)
        if self._is_checked:
            self._begin_checks(self._checks, batch, logs, self.weights)
        if self._checks:
            self._settle(waits=self._is_last(batch))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Checks what is left, and what only the end of an epoch brings.

        Args:
            epoch: Zero-based index of the epoch.
            logs: Metric name to value.
        """
        self._settle(waits=True)
        if self.reason is not None:
            return
        finding = self._look(
            logs, weights=self.weights and not self._is_checked
        )
        self._is_checked = False
        if finding is not None:
            place = f"the end of epoch {epoch + 1}"
            self._terminate(finding, f"Epoch {epoch + 1}", place)
        elif logs:
            self._tell_missing(self._unforeseeable(logs), logs)

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Checks what is left of an epoch that has had no end.

        Args:
            logs: Not used.
        """
        del logs
        self._settle(waits=True)

    def fault(self, logs: Logs | None = None) -> str | None:
        """What is not finite, in a few words; `None` while all is well.

        To be asked by who is about to replace a model that was saved before;
        waits for what is outstanding.

        Args:
            logs: What the batch or the epoch that has ended has logged.

        Raises:
            RuntimeError: If a batch is found now, and `raise_error` is true.
        """
        self._settle(waits=True)
        if self.reason is not None:
            return self.reason
        finding = self._look(logs, weights=self.weights)
        return None if finding is None else f"Invalid {finding.name}"

    # -- looking -------------------------------------------------------------

    def _begin(self) -> None:
        self.reason = None
        self._checks = PendingChecks()
        self._weights_check: WeightsCheck | None = None
        self._is_checked = self._is_told = False
        self._unseen = {*self._names}
        if self._is_named or self.weights:
            self._unseen.discard(_LOSS)

    def _is_due_after(self, batch: int) -> bool:
        is_due = self._counter.is_due_after(batch)
        if not is_due and self._is_last(batch):
            self._counter.since_last, is_due = 0, True
        return is_due

    def _is_last(self, batch: int) -> bool:
        steps = self._steps_in_epoch
        return steps is not None and batch + 1 >= steps

    def _look(self, logs: Logs | None, *, weights: bool) -> Finding | None:
        """Looks at once, and waits."""
        checks = PendingChecks()
        self._begin_checks(checks, 0, logs, weights)
        return checks.settle(waits=True)

    def _begin_checks(
        self,
        checks: PendingChecks,
        batch: int,
        logs: Logs | None,
        weights: bool,
    ) -> None:
        suspects = self._suspects(logs)
        if suspects or weights:
            batch = within_epoch(batch, self._steps_in_epoch)
        if suspects:
            read = self._runtime.begin_read([*suspects.values()])
            checks.add(Check(batch, [*suspects], read))
        if weights:
            check = self._weights_check
            if check is None:
                check = self._runtime.weights_check(self._model)
                self._weights_check = check
            if check is not None:
                checks.add(
                    Check(batch, check.paths, check.begin(), is_of_weights=True)
                )

    def _suspects(self, logs: Logs | None) -> dict[str, Any]:
        """What is to be looked at and is not known to be finite."""
        # Of remote steps there is no dict, but a promise of one.
        if not isinstance(logs, dict):
            return {}
        read = logs.raw if isinstance(logs, LazyLogs) else logs.__getitem__
        if self._unseen:
            self._unseen.difference_update(logs)
        names: Iterable[str] = self._names
        if self.metrics is True:
            names = dict.fromkeys((_LOSS, *logs))
        return {
            name: value
            for name in names
            if name in logs and not _is_known_finite(value := read(name))
        }

    def _settle(self, *, waits: bool) -> None:
        finding = self._checks.settle(waits=waits)
        if finding is not None:
            batch = finding.batch
            self._terminate(finding, f"Batch {batch}", f"batch {batch}")

    # -- telling -------------------------------------------------------------

    def _terminate(self, finding: Finding, label: str, place: str) -> None:
        name, value = finding.name, finding.value
        if self.reason is None:
            self.reason = f"Invalid {name} at {place}"
        if self.raise_error:
            told = "" if value is None else f"{_titled(name)} value: {value}. "
            raise RuntimeError(
                f"NaN or Inf {name} encountered at {place}. "
                f"{told}Terminating training immediately."
            )
        self._say(f"{label}: Invalid {name}, terminating training")
        self._bare_model.stop_training = True

    def _unforeseeable(self, logs: Logs) -> list[str]:
        """Names that have not come by the end of an epoch, nor are to come."""
        is_validated = any(name.startswith("val_") for name in logs)
        awaits = not is_validated and has_validation(self._model)
        return [
            name
            for name in sorted(self._unseen)
            if not (awaits and name.startswith("val_"))
        ]

    def _tell_missing(
        self, missing: Sequence[str], available: Iterable[str]
    ) -> None:
        if self._is_told or not missing:
            return
        self._is_told = True
        available = sorted(available)
        advice = did_you_mean(missing[0], available, "`{}`")
        if not self._is_named:
            advice = " Say with metrics= what to look at."
        self._warn(
            f"TerminateOnNaN looks at `{'`, `'.join(missing)}`, which is not "
            f"available. Available metrics are: {','.join(available)}.{advice}"
        )

    def __getstate__(self) -> dict[str, Any]:
        return {
            **super().__getstate__(),
            "_checks": PendingChecks(),
            "_weights_check": None,
        }


def _names_of(metrics: Any) -> tuple[str, ...]:
    """The names to look at, the loss first."""
    if isinstance(metrics, bool):
        return (_LOSS,)
    try:
        names = [metrics] if isinstance(metrics, str) else [*metrics]
    except TypeError:
        names = [None]
    if not names or not all(isinstance(name, str) for name in names):
        raise InvalidArgument(
            "TerminateOnNaN needs metrics to be True, False or names of "
            f"metrics; got metrics={metrics!r}."
        )
    return tuple(dict.fromkeys([_LOSS, *names]))


def _is_known_finite(value: Any) -> bool:
    return type(value) is float and math.isfinite(value)


def _titled(name: str) -> str:
    return name[:1].upper() + name[1:]
