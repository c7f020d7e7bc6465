"""Keras 2: tf_keras, or the Keras that came with TensorFlow ≤ 2.15."""

from __future__ import annotations

import contextlib
import importlib
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import numpy as np

from kerascb.errors import UnsupportedRuntime
from kerascb.runtime import (
    _averages,
    _metrics,
    _saving2,
    frozen,
)
from kerascb.runtime._formats import Format
from kerascb.runtime._inspection2 import Inspection2
from kerascb.runtime._learning_rate import learning_rates, steps_made
from kerascb.runtime._metrics2 import Metrics2
from kerascb.runtime._terminal import Screen
from kerascb.runtime.fits import data_position2, fit_watch
from kerascb.runtime.fits.running_fit import StartOfFit
from kerascb.runtime.lazy_logs import LazyLogs
from kerascb.runtime.reads.reads2 import Reads2
from kerascb.runtime.runs.runs2 import Runs2

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from kerascb.improvement import Direction
    from kerascb.layouts.plan import Plan
    from kerascb.runtime._inspection import Inspection
    from kerascb.runtime._metrics import KnownMetrics
    from kerascb.runtime._protocol import (
        Comparison,
        LearningRate,
        Logs,
    )
    from kerascb.runtime._stock_backup import Position
    from kerascb.runtime.fits.data_position import DataPosition
    from kerascb.runtime.fits.fit_watch import Watch
    from kerascb.runtime.frozen import FrozenValue


class Keras2(Runs2, Reads2, Screen):
    """Answers `Runtime` for Keras 2.

    Args:
        package: `"tf_keras"` or `"keras"`, whichever holds this Keras.
    """

    name: Literal["keras2"] = "keras2"
    backend = "tensorflow"
    learning_rate_key = "lr"
    less: Comparison = staticmethod(np.less)
    greater: Comparison = staticmethod(np.greater)

    def __init__(self, package: str) -> None:
        self._keras = importlib.import_module(package)
        self.package = package
        self.version: str = self._keras.__version__
        self.inspection: Inspection = Inspection2(self._keras)
        self._metrics = Metrics2(self._keras)
        self._callbacks = self._internal("callbacks")
        self._stock = {
            name: getattr(self._keras.callbacks, name)
            for name in dir(self._keras.callbacks)
            if not name.startswith("_")
        }
        self._io_utils = self._internal("utils.io_utils")
        self._tf_utils = self._internal("utils.tf_utils")
        self._distributed_files = self._internal(
            "distribute.distributed_file_utils"
        )

    def _internal(self, name: str) -> Any:
        # Printing, log conversion and the workers' scratch folders are not
        # public in Keras 2; ours must follow the same switches as stock's.
        return importlib.import_module(f"{self.package}.src.{name}")

    @property
    def py_dataset(self) -> Any:
        """`Sequence`."""
        return self._keras.utils.Sequence

    def stock(self, class_name: str) -> Any:
        """Keras's own class, also while `install` has put ours in its place."""
        return self._stock.get(class_name)

    def say(self, message: str) -> None:
        """Prints to stdout, or to absl's log, as Keras is set."""
        self._io_utils.print_msg(self.printable(message))

    def warn(self, message: str) -> None:
        """Warns through TensorFlow's log, where Keras 2 has its warnings."""
        from tensorflow.python.platform import tf_logging

        tf_logging.warning(message)

    def to_python(self, logs: Mapping[str, Any] | None) -> Logs:
        """Scalars as Python numbers, the rest as NumPy arrays, in order."""
        return dict(self._tf_utils.sync_to_numpy_or_python_type(logs or {}))

    def lazy(self, logs: Mapping[str, Any] | None) -> LazyLogs:
        """Scalars as Python numbers, the rest as NumPy arrays, in order."""
        return LazyLogs(logs or {}, self.to_python)

    def scalar(self, value: Any) -> float:
        """A float out of a number, an array or a tensor."""
        if isinstance(value, (float, int)):
            return float(value)
        if hasattr(value, "assign"):
            # A variable of several replicas cannot become an array itself.
            value = value.numpy()
        return float(np.asarray(value).item())

    def unwrap(self, model: Any) -> Any:
        """The model itself: Keras 2 keeps its variables up to date."""
        return model

    def bare(self, model: Any) -> Any:
        """The model itself: Keras 2 wraps none."""
        return model

    def known_metrics(self, model: Any) -> KnownMetrics:
        """A metric given as a word has the name Keras 2 makes of it."""
        return self._metrics.known(model)

    def metric_direction(self, model: Any, monitor: str) -> Direction | None:
        """What the name or class of the compiled metric says."""
        return _metrics.direction_of(self._metrics.named(model), monitor)

    def learning_rates(self, optimizer: Any) -> list[LearningRate]:
        """One entry an optimizer; Keras 2 has only one."""
        return learning_rates(
            optimizer,
            key=self.learning_rate_key,
            to_scalar=self._keras.backend.get_value,
            hold=_held,
            assign=self._keras.backend.set_value,
        )

    def within_epoch(self, model: Any) -> AbstractContextManager[Any]:
        """Keras 2 keeps its variables up to date."""
        del model
        return contextlib.nullcontext()

    def ema_optimizers(self, optimizer: Any) -> list[Any]:
        """The optimizers compiled with `use_ema=True`."""
        return _averages.optimizers_with_averages(optimizer)

    def iterations(self, model: Any) -> int | None:
        """The optimizer's step counter."""
        return steps_made(model, self.scalar)

    def start_fit_at(self, model: Any, epoch: int, batch: int = 0) -> None:
        """Hands both over through the object that `fit` asks for them."""
        model._training_state = _StartAt(StartOfFit(model, epoch, batch))

    def forget_start(self, model: Any) -> None:
        """Leaves the attribute, which the next `fit` reads, at `None`."""
        model._training_state = None

    def watch_fit(
        self,
        model: Any,
        on_failure: Callable[[BaseException], None],
    ) -> Watch:
        """Needs nothing of Keras."""
        return fit_watch.watch_fit(model, on_failure)

    def data_position(self, model: Any) -> DataPosition:
        """Read off the `DataHandler` that Keras 2 makes."""
        return data_position2.data_position(model)

    def is_state_lost(self, model: Any) -> bool:
        """Never: variables keep their memory."""
        del model
        return False

    def require_backups(self, model: Any = None) -> None:
        """Backups are made of Python state, for which graphs have no place."""
        from kerascb.runtime import _stock_backup2

        _stock_backup2.require_eager()
        strategy = getattr(model, "_distribution_strategy", None)
        _stock_backup2.require_supported(strategy)

    def read_stock_backup(
        self,
        model: Any,
        directory: str,
        build: Callable[[], object],
        *,
        by_batch: bool,
        steps: int | None,
    ) -> Position | None:
        """A TensorFlow checkpoint in `chief`, which fills what comes later."""
        del build
        from kerascb.runtime import _stock_backup2

        return _stock_backup2.read_checkpoint(
            model, directory, by_batch=by_batch, steps=steps
        )

    def averages(self, model: Any) -> list[tuple[Any, Any]]:
        """Found by the model's variables, which the optimizers number."""
        return list(
            _averages.pairs_of_keras2(
                self.ema_optimizers(model.optimizer), model.trainable_variables
            )
        )

    def copy_of(self, variable: Any) -> Any:
        """A tensor, which TensorFlow copies when the variable is assigned."""
        import tensorflow as tf

        return tf.identity(variable)

    def require_dynamic_embeddings(self) -> None:
        """Keras 2 has such layers."""

    def update_embeddings(self, layer: Any, model: Any) -> None:
        """On every replica, as Keras 2 keeps a copy on each."""
        strategy = model.distribute_strategy
        strategy.run(lambda: layer.update_embeddings(strategy))
        for variable in model.optimizer.variables():
            if "dynamic_embedding" in variable.name:
                self._keras.backend.set_value(
                    variable, np.zeros(variable.shape)
                )

    def require_orbax(self) -> NoReturn:
        """Refuses: Keras 2 knows no Orbax checkpoints."""
        raise UnsupportedRuntime(
            "OrbaxCheckpoint needs Keras 3, which alone can load its "
            f"checkpoints; this model is of Keras {self.version}. Use "
            "ModelCheckpoint."
        )

    def orbax_items(self, model: Any, *, weights_only: bool) -> NoReturn:
        """Refuses."""
        self.require_orbax()

    def has_remote_steps(self) -> bool:
        """True under a `ParameterServerStrategy`."""
        import tensorflow as tf

        strategy = tf.distribute.get_strategy()
        return bool(strategy._should_use_with_coordinator)

    def is_chief(self, model: Any) -> bool:
        """Whether the strategy lets this worker write checkpoints."""
        strategy = getattr(model, "distribute_strategy", None)
        return strategy is None or bool(strategy.extended.should_checkpoint)

    def write_path(self, path: str, model: Any) -> str:
        """A scratch folder beside the path for workers but the chief."""
        strategy = getattr(model, "distribute_strategy", None)
        if strategy is None:
            return path
        return str(self._distributed_files.write_filepath(path, strategy))

    def discard_write_path(self, path: str, model: Any) -> None:
        """Removes the scratch folder again."""
        strategy = getattr(model, "distribute_strategy", None)
        if strategy is not None:
            self._distributed_files.remove_temp_dir_with_filepath(
                path, strategy
            )

    def weights(self, model: Any) -> list[Any] | None:
        """Of a model that leaves `get_weights` to Keras; without tables."""
        weights = frozen.weights_of(model, self._keras.Model)
        if weights is None or not all(
            hasattr(one, "read_value") for one in weights
        ):
            return None
        return weights

    def freeze(
        self, variables: Sequence[Any], device: str | None = None
    ) -> list[FrozenValue]:
        """What several replicas keep is put together."""
        from kerascb.runtime.frozen import on_tensorflow

        return on_tensorflow.freeze(variables, device)

    def thaw(
        self, variables: Sequence[Any], values: Sequence[FrozenValue]
    ) -> None:
        """Assigns them."""
        from kerascb.runtime.frozen import on_tensorflow

        on_tensorflow.thaw(variables, values)

    def plan(self, model: Any, form: Format, options: Any = None) -> Plan:
        """As Keras 2 would write each format itself."""
        if form is Format.TF_CHECKPOINT:
            from kerascb.runtime.plans import tensorflow_checkpoint, variables2

            seeds = variables2.seeds_of(model)
            return tensorflow_checkpoint.plan(model, options, seeds)
        if form is Format.SAVED_MODEL:
            from kerascb.runtime.plans import saved_model2

            return saved_model2.plan(self._keras, model, options)
        from kerascb.runtime.plans import one_file2

        return one_file2.plan(self._keras, model, form)

    def can_write(self, form: Format) -> bool:
        """Keras 2 writes every format itself."""
        del form
        return True

    def save(
        self, model: Any, path: str, form: Format, options: Any = None
    ) -> None:
        """Leaves it to the model's own methods."""
        _saving2.save(model, path, form, options)

    def load_model(
        self,
        path: str,
        form: Format,
        *,
        custom_objects: Mapping[str, Any] | None,
        compile: bool,
        safe_mode: bool,
    ) -> Any:
        """Restores the optimizer from a SavedModel as well."""
        return _saving2.load_model(
            self._keras,
            path,
            form,
            custom_objects=custom_objects,
            compile=compile,
            safe_mode=safe_mode,
        )

    def load_weights(self, model: Any, path: str, form: Format) -> None:
        """Makes the optimizer's variables first, so that they are read too."""
        _saving2.load_weights(self._keras, model, path, form)

    def show(self, text: str) -> None:
        """Prints to stdout, or to absl's log, as Keras is set."""
        self._io_utils.print_msg(text, line_break=False)

    def _is_printing(self) -> bool:
        return bool(self._io_utils.is_interactive_logging_enabled())


def _held(rate: Any) -> Any:
    if isinstance(rate, (float, int)):
        return rate
    import tensorflow as tf

    return tf.identity(rate)


class _StartAt:
    """Answers the one question that `fit` has for a training state."""

    def __init__(self, start: StartOfFit) -> None:
        self._start = start

    def maybe_load_initial_counters_from_ckpt(
        self,
        steps_per_epoch: int | None,
        initial_epoch: int,
        mode: Any = None,
    ) -> tuple[int, int]:
        """The epoch and the step to start at; arguments as Keras passes."""
        del steps_per_epoch, mode
        if self._start.is_meant():
            return self._start.epoch, self._start.batch
        return initial_epoch, 0
