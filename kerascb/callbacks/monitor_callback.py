"""The base of the callbacks that watch one value of the logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascb.callbacks._foreseen_logs import foresee
from kerascb.callbacks.callback import Callback
from kerascb.errors import InvalidArgument
from kerascb.improvement import (
    Direction,
    did_you_mean,
    direction_by_name,
    is_improvement,
)
from kerascb.runtime import has_validation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kerascb.callbacks._foreseen_logs import ForeseenLogs
    from kerascb.runtime import Comparison

_MODES = ("auto", "min", "max")


class MonitorCallback(Callback):
    """Watches one value of the logs and judges whether it became better.

    One rule for every subclass. The direction is what `mode` says; with
    `"auto"` it is what the compiled metric declares, else what the name tells
    (`kerascb.improvement.direction_by_name`). Where neither tells anything,
    Keras 3 raises and Keras 2 minimises, here with a warning.

    Comparisons are made in Python floats; NaN never is an improvement.

    Args:
        monitor: The key of the logs to watch, e.g. `"val_loss"`.
        mode: `"min"`, `"max"` or `"auto"`; anything else is warned of and
            taken for `"auto"`.
        baseline: The best value to begin with; `None` for none.
        min_delta: By how much a value must be better to count (its sign is
            ignored).

    Attributes:
        best: The best value so far. Before there is one: `None` with Keras 3,
            plus or minus infinity with Keras 2.
        monitor_op: The comparison in the runtime's own terms (`ops.less` or
            `np.less`, say); `None` with Keras 3 while the direction is
            open. One assigned by the user is used instead of ours.
        min_delta: As given, negative where smaller is better, as in Keras.

    Example:
        >>> callback = MonitorCallback("val_auc")
        >>> callback._is_improvement(0.9, 0.8)
        True
    """

    _keras2_mode_subject: str | None = None
    """How Keras 2 begins its warning of an unknown mode; the class name."""
    _keras2_signs_min_delta = True
    """Whether Keras 2 keeps `min_delta` negative where smaller is better."""

    monitor: str
    mode: str
    _direction: Direction | None = None
    _own_comparison: Comparison | None = None
    _best: float | None = None
    _threshold: float | None = None
    _is_told_missing: bool = False
    _is_awaited: bool = False

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        baseline: float | None = None,
        min_delta: float = 0,
    ) -> None:
        super().__init__()
        if mode not in _MODES:
            self._warn_of_mode(mode)
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self._best = self._threshold = baseline
        self._min_delta: float = abs(min_delta)
        if mode != "auto":
            self._direction = Direction(mode)

    @property
    def best(self) -> float | None:
        """The best value so far, or what this Keras has instead of one."""
        if self._best is not None or self._runtime.name == "keras3":
            return self._best
        falling = self._direction_or_guess() is Direction.MIN
        return float("inf") if falling else float("-inf")

    @best.setter
    def best(self, best: float | None) -> None:
        self._best = best

    @property
    def min_delta(self) -> float:
        """The least change that counts, with the sign Keras gives it."""
        direction = self._direction
        if self._runtime.name == "keras2":
            if not self._keras2_signs_min_delta:
                return self._min_delta
            direction = self._direction_or_guess()
        if direction is Direction.MIN:
            return -self._min_delta
        return self._min_delta

    @min_delta.setter
    def min_delta(self, min_delta: float) -> None:
        self._min_delta = abs(min_delta)

    @property
    def monitor_op(self) -> Comparison | None:
        """The comparison, as the runtime names it."""
        if self._own_comparison is not None:
            return self._own_comparison
        direction = self._direction
        if direction is None:
            if self._runtime.name == "keras3":
                return None
            direction = self._direction_or_guess()
        runtime = self._runtime
        return runtime.less if direction is Direction.MIN else runtime.greater

    @monitor_op.setter
    def monitor_op(self, comparison: Comparison | None) -> None:
        self._own_comparison = comparison

    def get_state(self) -> dict[str, Any]:
        """The best value, and of what it is one."""
        direction = self._settled_direction()
        return {
            "monitor": self.monitor,
            "direction": None if direction is None else direction.value,
            "best": None if self._best is None else self._as_number(self._best),
            "is_told_missing": self._is_told_missing,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on with the best value, unless it is of something else.

        Args:
            state: What `get_state` has answered.
        """
        if not self._is_of_this_monitor(state):
            return
        if self._settled_direction() is None and state.get("direction"):
            self._direction = Direction(state["direction"])
        if state.get("is_told_missing"):
            self._is_told_missing = True
        self._resume_monitoring(state)

    def _is_of_this_monitor(self, state: Mapping[str, Any]) -> bool:
        """Whether a state tells of the value that is watched now.

        If not, that is warned of where a best value is lost by it.
        """
        now, then = self._settled_direction(), state.get("direction")
        if state.get("monitor") == self.monitor and (
            now is None or then is None or now.value == then
        ):
            return True
        if state.get("best") is not None:
            self._warn(
                f"{type(self).__name__}: the run that goes on monitored "
                f"`{state.get('monitor')}` (mode {then!r}), this one monitors "
                f"`{self.monitor}` (mode {now and now.value!r}); the best "
                "value so far is dropped."
            )
        return False

    def _resume_monitoring(self, state: Mapping[str, Any]) -> None:
        """Takes from a state what hangs on the value that is watched.

        A best value that the user has given now holds if it is the better one.
        """
        best, threshold = state.get("best"), self._threshold
        if best is None or (
            threshold is not None
            and self._settled_direction() is not None
            and self._is_improvement(threshold, best)
        ):
            best = threshold
        self._best = best

    def _set_monitor_op(self) -> None:
        """Settles the direction, if it is not settled yet.

        Raises:
            ValueError: With Keras 3, if nothing tells the direction.
        """
        if self._direction is not None or self._own_comparison is not None:
            return
        self._direction = self._told_direction()
        if self._direction is not None:
            return
        hint = self._hint(self._runtime.known_metrics(self._model).names)
        if self._runtime.name == "keras3":
            raise ValueError(
                f"{type(self).__name__} callback received "
                f"monitor={self.monitor}, but Keras isn't able to "
                "automatically determine whether that metric should be "
                "maximized or minimized. Pass `mode='max'` in order to "
                "monitor based on the highest metric value, or pass "
                "`mode='min'` in order to use the lowest value."
                f"{hint}"
            )
        self._direction = Direction.MIN
        self._is_told_missing = bool(hint)
        self._warn(
            f"{type(self).__name__}: nothing tells whether "
            f"monitor={self.monitor!r} should rise or fall; taking 'min'."
            f"{hint} Pass mode='min' or mode='max'."
        )

    def _is_improvement(
        self, monitor_value: float, reference_value: float | None
    ) -> bool:
        """Whether a value is better than another, by at least `min_delta`.

        Args:
            monitor_value: The value now.
            reference_value: The one to beat; `None` if there is none.
        """
        self._set_monitor_op()
        if self._own_comparison is not None:
            return reference_value is None or bool(
                self._own_comparison(
                    monitor_value - self.min_delta, reference_value
                )
            )
        return is_improvement(
            monitor_value,
            reference_value,
            self._direction_or_guess(),
            self._min_delta,
        )

    def _begin_monitoring(self) -> None:
        """Finds out before training what is wrong with `monitor`.

        To be called from `on_train_begin` by a subclass that will compare.

        Raises:
            InvalidArgument: If the monitor is no name at all.
            ValueError: With Keras 3, if nothing can tell the direction.
        """
        if not isinstance(self.monitor, str):
            raise InvalidArgument(
                f"{type(self).__name__} needs the name of a metric; got "
                f"monitor={self.monitor!r}. Pass 'val_loss', say."
            )
        self._is_told_missing = self._is_awaited = False
        if self.mode == "auto":  # The last fit may have had another model.
            self._direction = None
        foreseen = foresee(self._model)
        is_missing = foreseen.is_unlikely(self.monitor)
        if self._runtime.name == "keras3" or not is_missing:
            self._set_monitor_op_early(foreseen)
        if is_missing and self._is_worth_telling():
            self._tell_missing(sorted(foreseen.names), self._cure(foreseen))

    def _set_monitor_op_early(self, foreseen: ForeseenLogs) -> None:
        # The metric that tells the direction may come with a layer's building.
        if foreseen.are_settled or self._told_direction() is not None:
            self._set_monitor_op()

    def _cure(self, foreseen: ForeseenLogs) -> str:
        """What to do about a monitor that only validation would bring."""
        if not (self.monitor.startswith("val_") and foreseen.lacks_validation):
            return ""
        other = self.monitor.removeprefix("val_")
        instead = f", or monitor `{other}`" if foreseen.knows(other) else ""
        return (
            " This fit does not validate: give it validation_data or "
            f"validation_split{instead}."
        )

    def _hint(self, known: Iterable[str]) -> str:
        """A sentence that names what the monitor may have meant, or nothing."""
        wanted = self.monitor.removeprefix("val_")
        prefix = self.monitor[: len(self.monitor) - len(wanted)]
        names = sorted({name.removeprefix("val_") for name in known} - {wanted})
        return did_you_mean(wanted, names, f"`{prefix}{{}}`")

    def _tell_missing(self, available: Iterable[str], cure: str = "") -> None:
        """Warns that the monitor is missing, and names what it may have meant.

        Args:
            available: The names that are there.
            cure: A sentence that says what to do, with a blank before it.
        """
        available = list(available)
        text = self._missing_text(",".join(available))
        advice = self._hint(available) + cure
        end = "." if advice and not text.endswith(".") else ""
        self._warn(f"{text}{end}{advice}")

    def _missing_text(self, available: str) -> str:
        """What to say when the monitor is missing, in the class's own words."""
        return (
            f"{type(self).__name__} monitors `{self.monitor}`, which is not "
            f"available. Available metrics are: {available}"
        )

    def _is_worth_telling(self) -> bool:
        """True the first time in a fit that the monitor is missing.

        To be asked after `_monitored`: while validation is still to come, as
        with `validation_freq=5`, there is nothing to tell.
        """
        if self._is_told_missing or self._is_awaited:
            return False
        self._is_told_missing = True
        return True

    def _monitored(self, logs: Mapping[str, Any] | None) -> Any:
        """The watched value as it stands in the logs; `None` if missing.

        Once it has been there, its absence in a later epoch (an epoch without
        validation) is nothing to tell.
        """
        logs = logs or {}
        value = logs.get(self.monitor)
        if value is not None:
            self._is_told_missing = True
        else:
            self._is_awaited = (
                self.monitor.startswith("val_")
                and not any(name.startswith("val_") for name in logs)
                and has_validation(self._model)
            )
        return value

    def _as_number(self, value: Any) -> float:
        """A monitored value as a float.

        Raises:
            InvalidArgument: If it is not one number.
        """
        try:
            return self._runtime.scalar(value)
        except (TypeError, ValueError) as error:
            raise InvalidArgument(
                f"{type(self).__name__} can only compare numbers; got "
                f"{self.monitor}={value!r}. Monitor a metric that is one "
                "number, such as its mean over the classes."
            ) from error

    def _told_direction(self) -> Direction | None:
        """What the metric says of itself, or its name."""
        return self._runtime.metric_direction(
            self._model, self.monitor
        ) or direction_by_name(self.monitor)

    def _settled_direction(self) -> Direction | None:
        """Which way is better, as far as that is settled."""
        if self._own_comparison is None:
            return self._direction
        rises = bool(self._own_comparison(1.0, 0.0))
        return Direction.MAX if rises else Direction.MIN

    def _direction_or_guess(self) -> Direction:
        return self._direction or self._told_direction() or Direction.MIN

    def _warn_of_mode(self, mode: str) -> None:
        name = type(self).__name__
        if self._runtime.name == "keras3":
            text = f"{name} mode '{mode}' is unknown, fallback to auto mode."
        else:
            subject = self._keras2_mode_subject or name
            text = f"{subject} mode {mode} is unknown, fallback to auto mode."
        self._warn(text)
