"""The bar of a running epoch, and the line it leaves."""

from __future__ import annotations

import sys
import time
from typing import IO, TYPE_CHECKING, Any

from kerascb import progress
from kerascb.callbacks import _progbar_arguments
from kerascb.callbacks.callback import Callback, batch_hook
from kerascb.frequency import within_epoch
from kerascb.progress import Lines, Meter, Redrawn, Refresh
from kerascb.runtime import StockProgbarLogger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kerascb.progress import Bar, Look
    from kerascb.progress.reading import Values
    from kerascb.runtime import Logs

_MODES = ("train", "test", "predict")
_BATCH_HOOKS = tuple(f"on_{mode}_batch_end" for mode in _MODES)
_NOT_PICKLED = {*_BATCH_HOOKS, "stream", "progbar"}  # of this process


class ProgbarLogger(Callback, StockProgbarLogger):
    """Prints how far an epoch, an evaluation or a prediction is.

    `fit`, `evaluate` and `predict` bring one of their own unless they are told
    `verbose=0`; one that is passed stands in its place.

    On a terminal and in a notebook a bar is drawn, as the model's Keras draws
    it. Where nothing can be drawn over, in a log file say, each bar leaves one
    line, without control characters. What is shown are the numbers of the
    logs, in the end those that `History` gets; nothing is averaged.

    Batches cost next to nothing: the bar is drawn every `refresh_s` seconds,
    the clock is looked at every few steps, and logs are converted only to be
    drawn. Batch hooks are there only while a bar is drawn, or while the number
    of steps has to be counted.

    A copy, or one that was pickled, prints to stdout: a stream stays behind.

    Args:
        count_mode: `"steps"` or `"samples"`, as older code has it. Steps are
            counted either way: Keras no longer tells the samples.
        stateful_metrics: Taken as older code has it; every value is shown as
            it comes.
        style: How a bar looks: `"auto"` or `"keras"` as that of the model's
            Keras, `"rich"` or `"tqdm"` as those packages draw it. Lines
            look as Keras's in every style.
        stream: Where to print, a text stream; by default stdout.
        refresh_s: Seconds between two drawings (≥ 0); 0 draws every step.
            More where a drawing takes over a thousandth of that: drawing shall
            not take more of the time.
        line_every_s: Where no bar is drawn, seconds (> 0) after which a line
            tells how far an epoch is; by default only its end does.

    Attributes:
        seen: Steps seen of what is running, or ran last.
        target: Steps expected; `None` until an epoch of unknown length ends.
        progbar: Measures what is running, or ran last; has a `target` too.
        verbose: 0 for silence, 1 for a bar, 2 for a line at the end.
        epochs: Epochs planned.
        use_steps: Whether `count_mode` is `"steps"`.
        stateful_metrics: As given, as a set.
        style: As given.
        stream: As given.
        refresh_s: As given.
        line_every_s: As given.

    Raises:
        InvalidArgument: If an argument is none of what it can be.
        MissingDependency: If the package of a style is not installed.

    Example:
        >>> from kerascb import ProgbarLogger
        >>> from kerascb.testing import drive
        >>> logs = [{"loss": 0.5}, {"loss": 0.25}]
        >>> _ = drive(
        ...     [ProgbarLogger()], epochs=logs, verbose=2
        ... )  # doctest: +ELLIPSIS
        Epoch 1/2
        1/1 - 0s -...loss: 0.5...
        Epoch 2/2
        1/1 - 0s -...loss: 0.25...
    """

    _supports_tf_logs = True

    def __init__(
        self,
        count_mode: str = "samples",
        stateful_metrics: Iterable[str] | None = None,
        *,
        style: str = "auto",
        stream: IO[str] | None = None,
        refresh_s: float = 0.05,
        line_every_s: float | None = None,
    ) -> None:
        super().__init__()
        _progbar_arguments.validate(count_mode, stream, refresh_s, line_every_s)
        progress.require(style)
        self.use_steps = count_mode == "steps"
        self.stateful_metrics = set(stateful_metrics or ())
        self.style = style
        self.stream = stream
        self.refresh_s = refresh_s
        self.line_every_s = line_every_s
        self.seen = 0
        self.target: int | None = None
        self.progbar: Meter | None = None
        self.verbose = 1
        self.epochs = 1
        self._called_in_fit = False
        self._counter_at_start: int | None = None
        self._resumed_counter: int | None = None
        self._next_look = 0.0
        self._shows_bar = False
        self._shows_lines = False
        self._needs_batches = True

    def set_params(self, params: dict[str, Any]) -> None:
        """Takes over what `fit`, `evaluate` or `predict` was told.

        Only their beginning brings params; what the list of a fit hands on to
        its validation brings none. So a fit that failed is forgotten here.

        Args:
            params: `verbose` (`"auto"` is a bar), `epochs` and `steps`.
        """
        super().set_params(params)
        self._called_in_fit = False
        verbose = params.get("verbose", 1)
        self.verbose = 1 if verbose == "auto" else verbose
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")
        self._decide_what_to_show()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """From here on validation is silent.

        Args:
            logs: Not used.
        """
        del logs
        self._called_in_fit = True
        self._resumed_counter = None
        self._settle_hooks()

    def on_train_end(self, logs: Logs | None = None) -> None:
        """An evaluation that comes now is one of its own.

        Args:
            logs: Not used.
        """
        del logs
        self._called_in_fit = False
        self._settle_hooks()

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Names the epoch and begins its bar.

        Args:
            epoch: Zero-based number of the epoch.
            logs: Not used.
        """
        title = f"Epoch {epoch + 1}/{self.epochs}"
        self._begin_bar("train", title)
        has_line = not self._is_drawn_by_a_library() and self.epochs > 1
        if self.verbose and has_line and not self._is_doubled():
            self._print(f"{title}\n")

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Begins the bar of an evaluation.

        Args:
            logs: Not used.
        """
        del logs
        if not self._called_in_fit:
            self._begin_bar("test", "Evaluate")

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Begins the bar of a prediction.

        Args:
            logs: Not used.
        """
        del logs
        self._begin_bar("predict", "Predict")

    @batch_hook(lambda self: self._needs_batches)
    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Moves the bar.

        Args:
            batch: Zero-based index of the latest batch done.
            logs: Metric name to value, over the epoch so far.
        """
        if batch >= self._next_look:
            self._move_bar("train", batch, logs)
        elif batch >= self.seen:
            self.seen = batch + 1

    @batch_hook(lambda self: self._needs_batches and not self._called_in_fit)
    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Moves the bar; in the validation of a fit there is none.

        Args:
            batch: Zero-based index of the latest batch done.
            logs: Metric name to value, over the evaluation so far.
        """
        self._move_bar("test", batch, logs)

    @batch_hook(lambda self: self._needs_batches)
    def on_predict_batch_end(
        self, batch: int, logs: Logs | None = None
    ) -> None:
        """Moves the bar; what was predicted is not shown.

        Args:
            batch: Zero-based index of the latest batch done.
            logs: Not used.
        """
        self._move_bar("predict", batch, None)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Ends the bar with what the epoch logged.

        Args:
            epoch: Not used.
            logs: Metric name to value.
        """
        self._end_bar("train", logs)

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Ends the bar of an evaluation.

        Args:
            logs: Metric name to value.
        """
        if not self._called_in_fit:
            self._end_bar("test", logs)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Ends the bar of a prediction."""
        self._end_bar("predict", None)

    def get_state(self) -> dict[str, Any]:
        """How long an epoch is, and where the running one began.

        What the bar shows comes with the next batch, and is not remembered.
        """
        return {"target": self.target, "counter": self._counter_at_start}

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on with the first bar as with one of a later epoch.

        Args:
            state: What `get_state` returned.
        """
        if self.target is None:
            self.target = state.get("target")
            self._decide_what_to_show()
        self._resumed_counter = state.get("counter")

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        kept = {name: state[name] for name in state.keys() - _NOT_PICKLED}
        return {**kept, "stream": None, "progbar": None, "_next_look": 0.0}

    def _begin_bar(self, mode: str, title: str = "") -> Meter:
        if self.progbar is not None:  # its fit may have failed
            self.progbar.close()
        self.seen = 0
        self._counter_at_start = self._resumed_counter
        self._resumed_counter = None
        if self._counter_at_start is None:
            self._counter_at_start = self._counted(mode)
        self._decide_what_to_show()
        self.progbar = Meter(
            self.target, self._new_bar(title), self._new_refresh(), _now
        )
        self._next_look = self.progbar.next_look
        return self.progbar

    def _move_bar(self, mode: str, batch: int, logs: Logs | None) -> None:
        meter = self.progbar or self._begin_bar(mode)
        # Threads of a pool may come in another order.
        seen = within_epoch(batch, self._steps_in_epoch) + 1
        self.seen = seen = max(seen, self.seen)
        if batch >= self._next_look and meter.is_due(seen):
            meter.show(seen, self._shown(logs))
        self._next_look = meter.next_look

    def _end_bar(self, mode: str, logs: Logs | None) -> None:
        meter = self.progbar or self._begin_bar(mode)
        if self.seen == 0:
            self.seen = self._steps_unseen(mode)
        if self.target is None and self.seen:
            self.target = meter.target = self.seen
        if self.target:
            meter.show(self.target, self._shown(logs), is_last=True)
        self._counter_at_start = None

    def _new_bar(self, title: str) -> Bar | None:
        if self._is_drawn_by_a_library():
            stream = self.stream or sys.stdout
            return progress.library_bar(self.style, title, self.target, stream)
        if self._shows_bar:
            return Redrawn(self._print, self._look(), self._columns)
        return Lines(self._print, self._look()) if self._shows_lines else None

    def _new_refresh(self) -> Refresh | None:
        if self._shows_bar:
            return Refresh(self.refresh_s)
        if self._shows_lines and self.line_every_s is not None:
            return Refresh(self.line_every_s, drawn_at=_now())
        return None

    def _look(self) -> Look:
        if self._runtime.name == "keras2":
            return progress.Keras2Look()
        stream = self.stream or sys.stdout
        encoding = getattr(stream, "encoding", None)
        return progress.Keras3Look.for_encoding(encoding)

    def _columns(self) -> int | None:
        return self._runtime.columns(self.stream)

    def _print(self, text: str) -> None:
        if self.stream is None:
            self._runtime.show(text)
        else:
            self.stream.write(text)
            self.stream.flush()

    def _shown(self, logs: Logs | None) -> Values:
        logs = logs or {}
        if set(map(type, logs.values())) - {float}:
            logs = {**logs, **self._runtime.to_python(logs)}
        if "".join(logs).isascii():
            return tuple(logs.items())
        printable = self._runtime.printable
        return tuple(
            (printable(name, self.stream), value)
            for name, value in logs.items()
        )

    def _decide_what_to_show(self) -> None:
        # Asked at every batch, hence decided beforehand.
        verbose = 0 if self._is_doubled() else self.verbose
        can_redraw = verbose == 1 and self._runtime.can_redraw(self.stream)
        self._shows_bar = can_redraw
        self._shows_lines = verbose in {1, 2} and not can_redraw
        tells_between = self._shows_lines and self.line_every_s is not None
        counts = self.target is None and self._counted("train") is None
        self._needs_batches = not self._is_doubled() and (
            self._shows_bar or tells_between or counts
        )
        self._settle_hooks()

    def _settle_hooks(self) -> None:
        # Found on the instance, a hook costs no question whether it is needed.
        own = vars(self)
        for hook in _BATCH_HOOKS:
            own.pop(hook, None)
            own[hook] = getattr(self, hook)

    def _is_drawn_by_a_library(self) -> bool:
        return self._shows_bar and progress.is_drawn_by_a_library(self.style)

    def _is_doubled(self) -> bool:
        """Whether the model's Keras, not knowing this class, draws as well."""
        stock = self._runtime.stock("ProgbarLogger")
        return stock is not None and not isinstance(self, stock)

    def _steps_unseen(self, mode: str) -> int:
        """Steps of a bar that was not moved."""
        counter = self._counted(mode)
        if counter is None or self._counter_at_start is None:
            return self.target or 0
        return max(counter - self._counter_at_start, 0)

    def _counted(self, mode: str) -> int | None:
        """Steps that the model itself has counted; only Keras 2's do."""
        counter = getattr(self._model, f"_{mode}_counter", None)
        if counter is None or self._runtime.name != "keras2":
            return None
        return int(self._runtime.scalar(counter))


def _now() -> float:
    return time.monotonic()
