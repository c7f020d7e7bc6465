"""One fit that is backed up: what is stored of it, and how it is put back."""

from __future__ import annotations

import importlib.metadata
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from kerascb import runtime
from kerascb.callbacks._callback_states import CallbackStates
from kerascb.callbacks._values import storable
from kerascb.checkpoint.backups import BackupFolder, RunState, difference
from kerascb.checkpoint.snapshot import Arena
from kerascb.checkpoint.writer import BackgroundWriter
from kerascb.errors import BackupOfOtherModel
from kerascb.runtime import Position

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from kerascb.callbacks._shared_fit import SharedFit
    from kerascb.runtime import Logs, Runtime

_LONGEST_WRITE_S = 30
"""How long a fit waits for one before it in the process that still writes."""
_UNBUILT = (
    "To use the BackupAndRestore callback, you model must be built before you "
    "call `fit()`. Model {model} is unbuilt. You can build it beforehand by "
    "calling it on a batch of data."
)


class BackedRun:
    """The state of a fit, to a backup and back.

    Args:
        model: The model that is trained.
        keras: Its Keras.
        directory: Where the backups are.
        params: What `fit` has told the callbacks.
        warn: Tells the user something.
        fit: What is shared with those who back up the same fit.
    """

    def __init__(
        self,
        model: Any,
        keras: Runtime,
        directory: str,
        params: Mapping[str, Any],
        warn: Callable[[str], None],
        fit: SharedFit,
    ) -> None:
        self._folder = BackupFolder(directory, warn)
        self._model = model
        self._runtime = keras
        self._params = params
        self._warn = warn
        self._callbacks = CallbackStates(())
        self._restored: RunState | None = None
        # The others take part in what the values need, and write nothing.
        self._is_chief = keras.is_chief(model)
        self._fit = fit
        self._writer = BackgroundWriter("BackupAndRestore of kerascb")
        self._arena = Arena()
        # What is good to know of a backup, for people and for support.
        self._facts = {
            "kerascb": importlib.metadata.version("kerascb"),
            "keras": f"{keras.package} {keras.version}",
            "backend": keras.backend,
            "model": getattr(model, "name", None),
            "epochs": params.get("epochs"),
            "steps": params.get("steps"),
        }
        self._written_s: deque[float] = deque()

    # -- taking up ----------------------------------------------------------

    def open(self) -> None:
        """Keeps other runs out of the folder.

        Raises:
            BackupInUse: If another run is using it.
        """
        if not self._is_chief:
            return
        is_over, writer = runtime.is_over(self._model), self._writer
        # A fit may be over and still write: it has failed, or was preempted.
        self._folder.acquire(
            lambda: is_over() and writer.join(_LONGEST_WRITE_S)
        )

    def restore_model(self, *, by_batch: bool) -> Position | None:
        """Puts the model back to the newest backup, ours or Keras's own.

        Args:
            by_batch: Whether backups of this run are made within epochs.

        Returns:
            Where to go on; `None` if there is no backup, or if the fit goes
            on from that in another folder.

        Raises:
            UnreadableBackup: If there are backups and all are damaged.
            BackupOfOtherModel: If the model is not the one that was backed up.
            ValueError: If the model is not built and cannot be.
        """
        state = self._folder.read()
        if state is None:
            if self._fit.found is not None:
                return None
            position = self._read_stock_backup(by_batch=by_batch)
        else:
            position = self._next_in(state)
            self._build()
        self._runtime.give_generators(self._model)
        if state is not None:
            self._refuse_other_model(state)
        if not self._is_leader(position):
            return None
        if state is not None:
            self._put_back(state, only_metrics=False)
            self._restored = state
        return position

    def _is_leader(self, position: Position | None) -> bool:
        """Whether the fit goes on from this folder; tells if two differ."""
        others, theirs = self._fit.leader, self._fit.found
        leads = self._fit.offer(self._folder.path, position)
        if position != theirs and None not in {position, theirs}:
            both = [others, self._folder.path]
            behind, ahead = both if leads else reversed(both)
            self._warn(
                f"BackupAndRestore: the backup in {behind!r} is not as far as "
                f"that in {ahead!r}, from which the run goes on."
            )
        return leads

    def _next_in(self, state: RunState) -> Position:
        """Where to go on; nowhere if training was stopped, by what it was."""
        epochs = self._params.get("epochs")
        if epochs is None or epochs != state.facts.get("epochs"):
            return state.position
        return Position(epochs) if state.facts["is_stopped"] else state.position

    def _read_stock_backup(self, *, by_batch: bool) -> Position | None:
        return self._runtime.read_stock_backup(
            self._model,
            self._folder.path,
            self._build,
            by_batch=by_batch,
            steps=self._params.get("steps"),
        )

    def _build(self) -> None:
        if not self._runtime.build(self._model) and not getattr(
            self._model, "built", True
        ):
            raise ValueError(_UNBUILT.format(model=self._model))

    def restore_callbacks(self, callbacks: Iterable[Any]) -> None:
        """Gives every callback the state it had, the History too.

        Args:
            callbacks: All of the fit.
        """
        self._callbacks = CallbackStates(callbacks)
        if self._fit.leader != self._folder.path:
            self._restored = None
            return
        for warning in self._callbacks.warnings(self._runtime):
            self._warn(f"BackupAndRestore: {warning}")
        if self._restored is None:
            return
        # Another callback may have loaded other weights as it began.
        self._put_back(self._restored, only_metrics=False)
        dropped = self._callbacks.give(self._restored.callbacks)
        if dropped:
            self._warn(
                "BackupAndRestore: the backup has the state of "
                f"{', '.join(dropped)}, which this fit has no callback for; "
                "it is dropped."
            )

    def begin_epoch(self, epoch: int, batch: int) -> None:
        """Goes to where the restored fit was in its data; if it is the first.

        Args:
            epoch: Zero-based index of the epoch.
            batch: Zero-based index of its first batch.
        """
        if self._fit.leader != self._folder.path:
            return
        state, self._restored = self._restored, None
        if state is None:
            self._fit.data.begin_epoch()
            return
        if batch:
            self._put_back(state, only_metrics=True)
        self._runtime.set_random_state(state.random)
        answer = self._fit.data.resume(epoch, batch, state.data)
        if answer != "exact":
            self._warn(
                "BackupAndRestore: the run goes on with other data than it "
                f"would have had: {answer}. See docs/resume.md."
            )

    def _put_back(self, state: RunState, *, only_metrics: bool) -> None:
        """Gives variables their values; those of metrics or all others."""
        values, variables = self._matched(state, only_metrics=only_metrics)
        if only_metrics and difference(values, variables) is not None:
            return  # metrics of another compile begin anew
        self._runtime.thaw(
            list(variables.values()), [values[name] for name in variables]
        )
        self._runtime.finalize_layers(self._model)

    def _refuse_other_model(self, state: RunState) -> None:
        reason = difference(*self._matched(state, only_metrics=False))
        if reason is not None:
            raise BackupOfOtherModel(self._folder.path, reason)

    def _matched(
        self, state: RunState, *, only_metrics: bool
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Values of a backup, and the variables that they are for."""
        metrics = self._runtime.metric_names(self._model)
        variables = {
            name: variable
            for name, variable in self._runtime.run_variables(
                self._model
            ).items()
            if (name in metrics) is only_metrics
        }
        values = {
            name: value
            for name, value in state.variables.items()
            if name in variables or not (only_metrics or name in metrics)
        }
        return values, variables

    # -- backing up ---------------------------------------------------------

    @property
    def is_writing(self) -> bool:
        """Whether a backup is being written in the background."""
        return self._writer.is_busy

    def back_up(
        self,
        position: Position,
        logs: Logs | None,
        *,
        is_stopped: bool,
    ) -> None:
        """Backs up the fit as it is now, in the background.

        Args:
            position: Where a fit that is restored from it is to go on.
            logs: What the batch or epoch before has logged.
            is_stopped: Whether training is being stopped there.

        Raises:
            Exception: What went wrong, now or in the background before.
        """
        self.tell_of_failures()
        state = self._state(position, logs, is_stopped=is_stopped)
        self._writer.submit(partial(self._write, state))

    def _write(self, state: RunState) -> None:
        start = time.monotonic()
        if self._is_chief:
            self._folder.write(state, self._arena)
        self._written_s.append(time.monotonic() - start)

    def written(self) -> Iterator[float]:
        """How many seconds each backup took that is on disk since."""
        while self._written_s:
            yield self._written_s.popleft()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Returns when what was backed up is on disk.

        Args:
            timeout_s: How long to wait at most, in seconds.

        Returns:
            Whether it is.

        Raises:
            Exception: What went wrong.
        """
        is_done = self.has_written(timeout_s)
        self.tell_of_failures()
        return is_done

    def has_written(self, timeout_s: float | None) -> bool:
        """Waits likewise; what went wrong is kept.

        Args:
            timeout_s: How long to wait at most, in seconds.

        Returns:
            Whether nothing is left to write.
        """
        return self._writer.join(timeout_s)

    def warn_of_failures(self, consequence: str) -> None:
        """Warns of what went wrong in the background.

        Args:
            consequence: A sentence on what that means.
        """
        for failure in self._writer.failures():
            self._warn(
                f"BackupAndRestore: a backup has failed: {failure}. "
                f"{consequence}"
            )

    def tell_of_failures(self) -> None:
        """Tells what went wrong in the background.

        Raises:
            Exception: The first of it.
        """
        for failure in self._writer.failures():
            raise failure

    def has_backup(self) -> bool:
        """Whether there is a backup to go on from."""
        return self._folder.exists()

    def delete(self) -> None:
        """Removes the backups; warns if that cannot be."""
        if not self._is_chief:
            return
        try:
            self._folder.delete()
        except OSError as error:
            self._warn(
                "BackupAndRestore: training has ended, and its backups cannot "
                f"be removed: {error}. Remove {self._folder.path!r}, or the "
                "next fit goes on from them."
            )

    def close(self, timeout_s: float | None = None) -> None:
        """Waits, whatever has gone wrong, and lets others have the folder.

        Args:
            timeout_s: How long to wait at most, in seconds. What is written
                then keeps the folder, but not the process.
        """
        if self._writer.join(timeout_s):
            self._arena.clear()
            self._folder.release()
        else:
            self._writer.abandon()

    def _storable_logs(self, logs: Logs | None) -> dict[str, Any] | None:
        if logs is None:
            return None
        stored: dict[str, Any] = storable(
            self._runtime.to_python(logs), self._runtime
        )
        return stored

    def _state(
        self, position: Position, logs: Logs | None, *, is_stopped: bool
    ) -> RunState:
        model = self._runtime.unwrap(self._model)
        variables = self._runtime.run_variables(model)
        frozen = self._runtime.freeze(list(variables.values()))
        return RunState(
            position=position,
            variables=dict(zip(variables, frozen, strict=True)),
            callbacks=self._callbacks.take(),
            random=self._runtime.random_state(),
            data=self._fit.data.state(
                position.batch, self._storable_logs(logs)
            ),
            facts={
                **self._facts,
                "is_stopped": is_stopped,
                "time": time.time(),
            },
        )
