"""Keras 3 on TensorFlow, JAX or torch."""

from __future__ import annotations

import contextlib
import functools
import warnings
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import keras
import numpy as np

# Keras 3 keeps its printing private; it is used so that users' settings
# (interactive logging) hold for our lines as well.
from keras.src.utils.io_utils import print_msg

from kerascb.errors import UnsupportedRuntime
from kerascb.runtime import (
    _averages,
    _log_trees,
    _log_values3,
    _metrics,
    _metrics3,
    _saving3,
    _stock_backup,
    frozen,
)
from kerascb.runtime._arrays3 import to_numpy
from kerascb.runtime._formats import Format
from kerascb.runtime._inspection3 import Inspection3
from kerascb.runtime._learning_rate import learning_rates, steps_made
from kerascb.runtime._stack import level_of_user
from kerascb.runtime._terminal import Screen
from kerascb.runtime.fits import data_position3, fit_watch, jax_state
from kerascb.runtime.fits.running_fit import StartOfFit
from kerascb.runtime.lazy_logs import LazyLogs
from kerascb.runtime.reads.reads3 import Reads3
from kerascb.runtime.runs.runs3 import Runs3

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from kerascb.improvement import Direction
    from kerascb.layouts.plan import Plan
    from kerascb.runtime._inspection import Inspection
    from kerascb.runtime._metrics import KnownMetrics
    from kerascb.runtime._protocol import LearningRate, Logs
    from kerascb.runtime._stock_backup import Position
    from kerascb.runtime.fits.data_position import DataPosition
    from kerascb.runtime.fits.fit_watch import Watch
    from kerascb.runtime.frozen import FrozenValue


class Keras3(Runs3, Reads3, Screen):
    """Answers `Runtime` for Keras 3."""

    name: Literal["keras3"] = "keras3"
    package = "keras"
    learning_rate_key = "learning_rate"

    def __init__(self) -> None:
        self.version: str = keras.__version__
        self.backend: str = keras.backend.backend()
        self.less = keras.ops.less
        self.greater = keras.ops.greater
        self.inspection: Inspection = Inspection3(self.backend)
        _log_trees.register(self.backend)
        self._to_floats = functools.partial(
            _log_values3.to_floats, backend=self.backend
        )
        self._stock = {
            name: getattr(keras.callbacks, name)
            for name in dir(keras.callbacks)
            if not name.startswith("_")
        }

    @property
    def py_dataset(self) -> Any:
        """`keras.utils.PyDataset`."""
        return keras.utils.PyDataset

    def stock(self, class_name: str) -> Any:
        """Keras's own class, also while `install` has put ours in its place."""
        return self._stock.get(class_name)

    def say(self, message: str) -> None:
        """Prints to stdout, or to absl's log, as Keras is set."""
        print_msg(self.printable(message))

    def warn(self, message: str) -> None:
        """Warns through `warnings`, of the user's line."""
        warnings.warn(message, stacklevel=level_of_user())

    def to_python(self, logs: Mapping[str, Any] | None) -> Logs:
        """Floats where they can be had; keys sorted, nested dicts flattened."""
        return self._to_floats(_log_values3.flat(logs))

    def lazy(self, logs: Mapping[str, Any] | None) -> LazyLogs:
        """Floats in one transfer; keys sorted, nested dicts flattened."""
        return LazyLogs(_log_values3.flat(logs), self._to_floats)

    def scalar(self, value: Any) -> float:
        """A float out of a number, an array or a tensor of any backend."""
        if isinstance(value, (float, int)):
            return float(value)
        if isinstance(value, keras.Variable):
            value = keras.ops.convert_to_tensor(value)
        if keras.ops.is_tensor(value):
            value = to_numpy(value)
        return float(np.asarray(value).item())

    def unwrap(self, model: Any) -> Any:
        """Brings JAX's state home as well."""
        model = self.bare(model)
        if self.backend == "jax" and hasattr(model, "jax_state_sync"):
            model.jax_state_sync()
        return model

    def bare(self, model: Any) -> Any:
        """Takes off torch's data-parallel wrapper."""
        if self.backend == "torch" and type(model).__name__ == (
            "DistributedDataParallel"
        ):
            return model.module
        return model

    def known_metrics(self, model: Any) -> KnownMetrics:
        """A metric given as a word has that word for its name."""
        return _metrics3.known(model)

    def metric_direction(self, model: Any, monitor: str) -> Direction | None:
        """What the compiled metric of that name says of itself."""
        return _metrics.direction_of(_metrics3.named(model), monitor)

    def learning_rates(self, optimizer: Any) -> list[LearningRate]:
        """One entry an optimizer; several inside a `MultiOptimizer`."""
        return learning_rates(
            optimizer,
            key=self.learning_rate_key,
            to_scalar=self.scalar,
            hold=_held,
            assign=lambda variable, rate: variable.assign(rate),
        )

    def within_epoch(self, model: Any) -> AbstractContextManager[Any]:
        """Lends JAX's variables what the latest step has left."""
        if self.backend != "jax":
            return contextlib.nullcontext()
        return jax_state.lent_counters(self.bare(model))

    def ema_optimizers(self, optimizer: Any) -> list[Any]:
        """The optimizers compiled with `use_ema=True`."""
        return _averages.optimizers_with_averages(optimizer)

    def iterations(self, model: Any) -> int | None:
        """The optimizer's step counter."""
        return steps_made(model, self.scalar)

    def start_fit_at(self, model: Any, epoch: int, batch: int = 0) -> None:
        """Hands over the epoch; Keras 3 has no way to hand over a batch."""
        del batch
        model._initial_epoch = _StartAt(StartOfFit(model, epoch))

    def forget_start(self, model: Any) -> None:
        """Keras itself never takes its `_initial_epoch` back."""
        model._initial_epoch = None

    def watch_fit(
        self,
        model: Any,
        on_failure: Callable[[BaseException], None],
    ) -> Watch:
        """Brings JAX's state home first, as far as there is one."""
        model = self.bare(model)
        bring_home = None
        if self.backend == "jax":
            bring_home = functools.partial(jax_state.bring_home, model)
        return fit_watch.watch_fit(model, on_failure, bring_home)

    def data_position(self, model: Any) -> DataPosition:
        """Read off the iterator of epochs that Keras 3 makes."""
        return data_position3.data_position(self.bare(model), self.backend)

    def is_state_lost(self, model: Any) -> bool:
        """On JAX, whether variables are without an array that exists."""
        return self.backend == "jax" and jax_state.is_lost(self.bare(model))

    def require_backups(self, model: Any = None) -> None:
        """Keras 3 always executes eagerly."""

    def read_stock_backup(
        self,
        model: Any,
        directory: str,
        build: Callable[[], object],
        *,
        by_batch: bool,
        steps: int | None,
    ) -> Position | None:
        """A weights file, beside a JSON file."""
        del by_batch, steps
        return _stock_backup.read_weights(self.unwrap(model), directory, build)

    def averages(self, model: Any) -> list[tuple[Any, Any]]:
        """Read off the optimizers, which know their variables."""
        optimizers = self.ema_optimizers(model.optimizer)
        return list(_averages.pairs_of_keras3(optimizers, self.scalar))

    def copy_of(self, variable: Any) -> Any:
        """A tensor on the same device."""
        return keras.ops.copy(variable.value)

    def require_dynamic_embeddings(self) -> NoReturn:
        """Refuses: there is no such layer to update."""
        raise UnsupportedRuntime(
            "UpdateEmbeddingCallback needs the DynamicEmbedding layer of Keras "
            f"2; this model is of Keras {self.version}."
        )

    def update_embeddings(self, layer: Any, model: Any) -> None:
        """Refuses."""
        self.require_dynamic_embeddings()

    def require_orbax(self) -> None:
        """Asks for a Keras that can load such checkpoints whole."""
        from kerascb.runtime import _orbax3

        _orbax3.require()

    def orbax_items(
        self, model: Any, *, weights_only: bool
    ) -> Callable[[], dict[str, Any]]:
        """What `keras.saving.load_model` reads from such a checkpoint."""
        from kerascb.runtime import _orbax3

        return _orbax3.items_of(self.unwrap(model), weights_only=weights_only)

    def has_remote_steps(self) -> bool:
        """Never: Keras 3 knows no parameter servers."""
        return False

    def is_chief(self, model: Any) -> bool:
        """Process 0 on JAX and torch; the strategy's chief on TensorFlow."""
        if self.backend == "jax":
            import jax

            return bool(jax.process_index() == 0)
        if self.backend == "torch":
            import torch.distributed as dist

            return not dist.is_initialized() or dist.get_rank() == 0
        strategy = getattr(model, "distribute_strategy", None)
        return strategy is None or bool(strategy.extended.should_checkpoint)

    def write_path(self, path: str, model: Any) -> str:
        """Every worker writes where it is told, as stock Keras 3 does."""
        del model
        return path

    def discard_write_path(self, path: str, model: Any) -> None:
        """Nothing was written aside."""

    def weights(self, model: Any) -> list[Any] | None:
        """Of a model that leaves `get_weights` to Keras."""
        return frozen.weights_of(self.bare(model), keras.Model)

    def freeze(
        self, variables: Sequence[Any], device: str | None = None
    ) -> list[FrozenValue]:
        """As the backend keeps values apart."""
        return frozen.engine(self.backend).freeze(variables, device)

    def thaw(
        self, variables: Sequence[Any], values: Sequence[FrozenValue]
    ) -> None:
        """Assigns them, as the backend shares memory."""
        frozen.engine(self.backend).thaw(variables, values)

    def plan(self, model: Any, form: Format, options: Any = None) -> Plan:
        """Has Keras itself, or TensorFlow, walk through the model."""
        model = self.bare(model)
        if form is Format.TF_CHECKPOINT:
            from kerascb.runtime.plans import tensorflow_checkpoint

            seeds = _saving3.seeds_of(model)
            return tensorflow_checkpoint.plan(model, options, seeds)
        if form is Format.SAVED_MODEL:
            from kerascb.runtime.plans import saved_model3

            return saved_model3.plan(model)
        from kerascb.runtime.plans import one_file3

        return one_file3.plan(model, form)

    def can_write(self, form: Format) -> bool:
        """TensorFlow's formats need TensorFlow, some as the backend."""
        return _saving3.can_write(form)

    def save(
        self, model: Any, path: str, form: Format, options: Any = None
    ) -> None:
        """Writes also what Keras 3 itself no longer does."""
        _saving3.save(model, path, form, options)

    def load_model(
        self,
        path: str,
        form: Format,
        *,
        custom_objects: Mapping[str, Any] | None,
        compile: bool,
        safe_mode: bool,
    ) -> Any:
        """Reads also the model inside a SavedModel that `save` wrote."""
        return _saving3.load_model(
            path,
            form,
            custom_objects=custom_objects,
            compile=compile,
            safe_mode=safe_mode,
        )

    def load_weights(self, model: Any, path: str, form: Format) -> None:
        """Reads also TensorFlow checkpoints."""
        _saving3.load_weights(model, path, form)

    def show(self, text: str) -> None:
        """Prints to stdout, or to absl's log, as Keras is set."""
        print_msg(text, line_break=False)

    def _is_printing(self) -> bool:
        return bool(keras.config.is_interactive_logging_enabled())


def _held(rate: Any) -> Any:
    # JAX gives the array of a variable to the next step, torch writes to it.
    return rate if isinstance(rate, (float, int)) else keras.ops.copy(rate)


class _StartAt(int):
    """The epoch to begin with, as Keras 3 looks for it.

    `fit` takes `self._initial_epoch or initial_epoch`: for a `fit` that it was
    not meant for the epoch is not there.
    """

    _start: StartOfFit

    def __new__(cls, start: StartOfFit) -> _StartAt:
        epoch = super().__new__(cls, start.epoch)
        epoch._start = start
        return epoch

    def __bool__(self) -> bool:
        return int(self) != 0 and self._start.is_meant()

    def __reduce__(self) -> tuple[type[int], tuple[int]]:
        """A copy of the model has an ordinary number."""
        return int, (int(self),)
