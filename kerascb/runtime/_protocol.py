"""What kerascb asks of a Keras.

Two classes answer: `kerascb.runtime.keras3.Keras3` and
`kerascb.runtime.keras2.Keras2`. Nothing else in kerascb imports a Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol

from kerascb.runtime.reads import Reads
from kerascb.runtime.runs._protocol import Runs

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from kerascb.improvement import Direction
    from kerascb.layouts.plan import Plan
    from kerascb.runtime._formats import Format
    from kerascb.runtime._inspection import Inspection
    from kerascb.runtime._metrics import KnownMetrics
    from kerascb.runtime._stock_backup import Position
    from kerascb.runtime.fits.data_position import DataPosition
    from kerascb.runtime.fits.fit_watch import Watch
    from kerascb.runtime.frozen import FrozenValue
    from kerascb.runtime.lazy_logs import LazyLogs

Logs = dict[str, Any]
"""Metric name → value, as a hook receives it."""

Comparison = Callable[[Any, Any], Any]
"""Two values → whether the first is better."""


@dataclass(frozen=True)
class LearningRate:
    """The learning rate of one optimizer.

    Attributes:
        optimizer_name: The optimizer's name where a model has several, else
            the empty string.
        log_key: Under which key the logs carry it.
        read: Returns the rate in force now, as this Keras logs it: a Python
            float in Keras 3, NumPy's scalar in Keras 2.
        hold: Returns the same as it lies on the device, for `begin_read`: it
            is not waited for, and no later step changes it.
        write: Sets the rate.
        is_scheduled: A schedule or a function computes the rate; what
            is written would be lost or refused.
    """

    optimizer_name: str
    log_key: str
    read: Callable[[], Any]
    hold: Callable[[], Any]
    write: Callable[[Any], None]
    is_scheduled: bool = False


class Runtime(Runs, Reads, Protocol):
    """One Keras and the engine below it.

    Attributes:
        name: `"keras3"`, or `"keras2"` for tf_keras and TF ≤ 2.15.
        package: The package to import: `"keras"` or `"tf_keras"`.
        version: The version of that Keras.
        backend: `"tensorflow"`, `"jax"`, `"torch"` or `"numpy"`.
        learning_rate_key: Under which key the logs carry the learning rate.
        less: What `monitor_op` is where smaller is better.
        greater: What `monitor_op` is where greater is better.
        inspection: What TensorBoard shows of its models.
    """

    # Read-only, so that each answer may narrow it to its own.
    @property
    def name(self) -> Literal["keras2", "keras3"]:
        """Which of the two it is."""

    package: str
    version: str
    backend: str
    learning_rate_key: str
    less: Comparison
    greater: Comparison
    inspection: Inspection

    @property
    def py_dataset(self) -> Any:
        """This Keras's `PyDataset`, which Keras 2 calls `Sequence`."""

    def stock(self, class_name: str) -> Any:
        """This Keras's own callback class; `None` if it has none."""

    # -- telling the user ---------------------------------------------------

    def say(self, message: str) -> None:
        """Prints a line where this Keras prints its own."""

    def warn(self, message: str) -> None:
        """Warns through the channel this Keras warns through."""

    # -- logs ---------------------------------------------------------------

    def to_python(self, logs: Mapping[str, Any] | None) -> Logs:
        """A new dict with what can be a Python scalar turned into one."""

    def lazy(self, logs: Mapping[str, Any] | None) -> LazyLogs:
        """What `to_python` returns, once somebody looks at a value."""

    def scalar(self, value: Any) -> float:
        """One value of the logs as a float; waits for the device.

        Raises:
            TypeError: If it is no number.
            ValueError: If it holds more than one.
        """

    # -- the model ----------------------------------------------------------

    def unwrap(self, model: Any) -> Any:
        """The Keras model, its variables up to date, as users shall see it."""

    def bare(self, model: Any) -> Any:
        """The Keras model, its variables as they may be; costs nothing."""

    def known_metrics(self, model: Any) -> KnownMetrics:
        """What is known before the first batch of what `fit` will log."""

    def metric_direction(self, model: Any, monitor: str) -> Direction | None:
        """What the compiled metric says of itself, if there is one."""

    def learning_rates(self, optimizer: Any) -> list[LearningRate]:
        """The learning rate of every optimizer inside `optimizer`.

        Raises:
            InvalidArgument: If an optimizer has none.
        """

    def within_epoch(self, model: Any) -> AbstractContextManager[Any]:
        """Where the counters and rates of an optimizer are those of now.

        Within an epoch JAX's are not in their variables.

        Args:
            model: The model being trained.
        """

    def ema_optimizers(self, optimizer: Any) -> list[Any]:
        """The optimizers inside `optimizer` that keep moving averages."""

    def iterations(self, model: Any) -> int | None:
        """Steps the optimizer has made; `None` without an optimizer."""

    def start_fit_at(self, model: Any, epoch: int, batch: int = 0) -> None:
        """Makes the `fit` that is beginning start at this epoch and batch."""

    def forget_start(self, model: Any) -> None:
        """Takes back `start_fit_at`, so that the next `fit` is a plain one."""

    def watch_fit(
        self,
        model: Any,
        on_failure: Callable[[BaseException], None],
    ) -> Watch:
        """Watches the `fit` of a model that is running for an exception.

        To be called in `on_train_begin`; `Watch.close` in `on_train_end`.

        Args:
            model: The model being trained.
            on_failure: Called with the exception, at most once, before the
                caller of `fit` sees it. The state of the model can be read
                then, unless `is_state_lost`; it may be within a step.
        """

    def data_position(self, model: Any) -> DataPosition:
        """Where the `fit` of a model that is running is in its data.

        To be called in `on_train_begin`.

        Args:
            model: The model being trained.
        """

    def is_state_lost(self, model: Any) -> bool:
        """Whether a step that did not end took the model's values with it.

        Only with JAX: a step takes the memory of the values it begins with.

        Args:
            model: A model whose `fit` has failed.
        """

    # -- backups ------------------------------------------------------------

    def require_backups(self, model: Any = None) -> None:
        """Refuses to make backups where they can never be made.

        Args:
            model: The model, once there is one.

        Raises:
            ValueError: With Keras 2, if TensorFlow does not execute eagerly.
            NotImplementedError: With Keras 2, under some strategies.
        """

    def read_stock_backup(
        self,
        model: Any,
        directory: str,
        build: Callable[[], object],
        *,
        by_batch: bool,
        steps: int | None,
    ) -> Position | None:
        """Restores a model from what Keras's own BackupAndRestore has left.

        Args:
            model: The model.
            directory: Where the backups lie.
            build: Builds the model and its optimizer; called if there are
                backups, and reading them takes that.
            by_batch: Whether the run that goes on makes backups by batches.
            steps: Batches of an epoch; `None` if unknown.

        Returns:
            Where to go on; `None` if there is no such backup, or if it does
            not say.

        Raises:
            UnreadableBackup: If there are some and none can be read.
        """

    # -- averages -----------------------------------------------------------

    def averages(self, model: Any) -> list[tuple[Any, Any]]:
        """Trainable variables, each with the variable of its moving average.

        Empty before the first step: there is nothing to average yet.
        """

    def copy_of(self, variable: Any) -> Any:
        """The value a variable has now, whatever is assigned to it later."""

    # -- dynamic embeddings -------------------------------------------------

    def require_dynamic_embeddings(self) -> None:
        """Refuses where there is no `DynamicEmbedding` layer.

        Raises:
            UnsupportedRuntime: With Keras 3.
        """

    def update_embeddings(self, layer: Any, model: Any) -> None:
        """Fits the vocabulary of a `DynamicEmbedding` to what it has seen.

        What the optimizer keeps for the layer begins anew with it.

        Args:
            layer: The layer; it is in use in `model`.
            model: A model that has been trained a step.

        Raises:
            UnsupportedRuntime: With Keras 3, which has no such layer.
        """

    # -- Orbax --------------------------------------------------------------

    def require_orbax(self) -> None:
        """Refuses Orbax checkpoints where they could not be loaded again.

        Raises:
            UnsupportedRuntime: If this Keras knows none.
        """

    def orbax_items(
        self, model: Any, *, weights_only: bool
    ) -> Callable[[], dict[str, Any]]:
        """What an Orbax checkpoint of a model holds, by name.

        Args:
            model: The model.
            weights_only: Leave out the optimizer, the metrics, the config and
                the assets.

        Returns:
            Makes them of the values of now; may be called in any thread.
        """

    # -- many workers -------------------------------------------------------

    def has_remote_steps(self) -> bool:
        """Whether steps run elsewhere, so that batch hooks see no values."""

    def is_chief(self, model: Any) -> bool:
        """Whether this process is the one that writes shared files."""

    def write_path(self, path: str, model: Any) -> str:
        """Where this worker writes; the path itself if it is the chief."""

    def discard_write_path(self, path: str, model: Any) -> None:
        """Removes what a worker other than the chief wrote."""

    # -- freezing and planning ----------------------------------------------

    def freeze(
        self, variables: Sequence[Any], device: str | None = None
    ) -> list[FrozenValue]:
        """The values variables have now, kept from what is trained later.

        Args:
            variables: Variables of one model, as its Keras has them.
            device: Where the values are kept: `"cpu"`, or `"device"` for
                where the variables are; `None` for what costs least without
                a second copy of the state on an accelerator.
        """

    def thaw(
        self, variables: Sequence[Any], values: Sequence[FrozenValue]
    ) -> None:
        """Gives variables, on every replica, the values frozen from them."""

    def weights(self, model: Any) -> list[Any] | None:
        """The variables whose values a model's `get_weights` answers with.

        `None` if the model answers in its own way, or holds what is no
        variable.
        """

    def plan(self, model: Any, form: Format, options: Any = None) -> Plan:
        """What a checkpoint of a model consists of, and whose values it needs.

        Costs little while the model's variables are the ones they were.

        Args:
            model: The model.
            form: What to write.
            options: What TensorFlow takes as options of a save.

        Raises:
            NotPlannable: If the model cannot be saved from its variables.
        """

    # -- saving -------------------------------------------------------------

    def can_write(self, form: Format) -> bool:
        """Whether what is installed suffices to write a format."""

    def save(
        self, model: Any, path: str, form: Format, options: Any = None
    ) -> None:
        """Writes a model, or its weights, and the folders on the way.

        Args:
            model: The model.
            path: Where to; what is there is replaced.
            form: What to write.
            options: What TensorFlow takes as options of a save; not used by
                formats that have none.
        """

    def load_model(
        self,
        path: str,
        form: Format,
        *,
        custom_objects: Mapping[str, Any] | None,
        compile: bool,
        safe_mode: bool,
    ) -> Any:
        """Reads a whole model; arguments as Keras's `load_model` takes them."""

    def load_weights(self, model: Any, path: str, form: Format) -> None:
        """Reads weights into a model, and its optimizer's state if it can."""

    # -- progress -----------------------------------------------------------

    def show(self, text: str) -> None:
        """Prints at once, where this Keras prints its lines.

        Args:
            text: What stdout can take, with the ends of its lines.
        """

    def can_redraw(self, stream: IO[str] | None = None) -> bool:
        """Whether a line on a stream, or of this Keras, can be drawn over."""

    def printable(self, text: str, stream: IO[str] | None = None) -> str:
        """The text as far as a stream can take it, the rest escaped.

        Args:
            text: What shall be printed.
            stream: Where; by default stdout.
        """

    def columns(self, stream: IO[str] | None = None) -> int | None:
        """How wide a terminal, or stdout, is; `None` if that is unknown."""
