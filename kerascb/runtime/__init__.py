"""The one place that knows a Keras.

A callback asks `of(model)` for the runtime of its model, and `in_force()`
before it has one. Which Keras `tf.keras` means is decided as TensorFlow
decides it, but without importing TensorFlow: `TF_USE_LEGACY_KERAS` asks for
tf_keras; otherwise it is the installed `keras`, of version 2 or 3.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import os
import sys
import weakref
from typing import TYPE_CHECKING, Any

from kerascb.errors import UnsupportedRuntime
from kerascb.runtime._files import Files, files_of
from kerascb.runtime._formats import Format
from kerascb.runtime._inspection import (
    CustomSummaries,
    Embedding,
    Inspection,
    Profiler,
)
from kerascb.runtime._metrics import is_name_of
from kerascb.runtime._model_inside import owner_of
from kerascb.runtime._notes import read_note
from kerascb.runtime._protocol import (
    Comparison,
    LearningRate,
    Logs,
    Runtime,
)
from kerascb.runtime._remote import gfile, remote_error
from kerascb.runtime._saving import (
    has_own_saver,
    options_type,
)
from kerascb.runtime._stock_backup import Position
from kerascb.runtime._tensorflow_checkpoints import (
    damage_in,
    latest_checkpoint,
)
from kerascb.runtime.fits.data_position import DataPosition
from kerascb.runtime.fits.fit_watch import Watch
from kerascb.runtime.fits.running_fit import (
    callbacks_of_fit,
    has_validation,
    is_over,
    siblings_of,
)
from kerascb.runtime.fits.told import told_by_caller
from kerascb.runtime.frozen import FrozenArray, FrozenValue
from kerascb.runtime.index_dataset import index_dataset
from kerascb.runtime.lazy_logs import LazyLogs

__all__ = [
    "Comparison",
    "CustomSummaries",
    "DataPosition",
    "Embedding",
    "Files",
    "Format",
    "FrozenArray",
    "FrozenValue",
    "Inspection",
    "LazyLogs",
    "LearningRate",
    "Logs",
    "Position",
    "Profiler",
    "Runtime",
    "StockCallback",
    "StockCallbackList",
    "StockHistory",
    "StockProgbarLogger",
    "StockPyDataset",
    "Watch",
    "callbacks_of_fit",
    "damage_in",
    "files_of",
    "gfile",
    "has_own_saver",
    "has_validation",
    "in_force",
    "index_dataset",
    "installed",
    "is_name_of",
    "is_over",
    "latest_checkpoint",
    "loaded",
    "of",
    "of_package",
    "options_type",
    "owner_of",
    "read_note",
    "remote_error",
    "siblings_of",
    "told_by_caller",
]

_KERAS3_MINIMUM = (3, 12)
_PACKAGES = ("tf_keras", "keras")


@functools.cache
def in_force() -> Runtime:
    """The runtime of the Keras that `tf.keras` stands for here.

    Raises:
        UnsupportedRuntime: If no Keras is installed, or one too old.
    """
    wants_legacy = os.environ.get("TF_USE_LEGACY_KERAS", "").lower()
    if wants_legacy in {"1", "true"} and importlib.util.find_spec("tf_keras"):
        return _keras2("tf_keras")
    if importlib.util.find_spec("keras"):
        return _of_keras_package()
    if importlib.util.find_spec("tf_keras"):
        return _keras2("tf_keras")
    raise UnsupportedRuntime(
        "kerascb needs a Keras and found none; pip install tensorflow, or "
        "keras with JAX or torch."
    )


def of(model: Any) -> Runtime:
    """The runtime a model belongs to.

    Args:
        model: A Keras model, a wrapper of one, or a stand-in from a test. What
            belongs to no Keras gets the runtime in force.
    """
    if model is None:
        return in_force()
    kind = type(model)
    known = _runtime_of_type.get(kind)
    if known is None:
        known = _runtime_of_type[kind] = _of_type(kind)
    return known


def loaded() -> list[Runtime]:
    """The runtimes this process has imported so far, the one in force first."""
    packages = [name for name in _PACKAGES if name in sys.modules]
    return list(dict.fromkeys([in_force(), *map(of_package, packages)]))


def installed() -> list[Runtime]:
    """The runtimes there are, imported if need be, the one in force first."""
    packages = [name for name in _PACKAGES if importlib.util.find_spec(name)]
    return list(dict.fromkeys([in_force(), *map(of_package, packages)]))


def of_package(package: str) -> Runtime:
    """The runtime that is in a top-level package.

    Args:
        package: `"keras"` or `"tf_keras"`; what is neither, as `"tensorflow"`,
            gets the runtime in force.
    """
    if package == "tf_keras":
        return _keras2("tf_keras")
    return _of_keras_package() if package == "keras" else in_force()


_runtime_of_type: weakref.WeakKeyDictionary[type, Runtime] = (
    weakref.WeakKeyDictionary()
)


def _of_type(kind: type) -> Runtime:
    for ancestor in kind.__mro__:
        package = ancestor.__module__.partition(".")[0]
        if package in _PACKAGES:
            return of_package(package)
    return in_force()


@functools.cache
def _of_keras_package() -> Runtime:
    version = importlib.metadata.version("keras")
    major, minor = (int(part) for part in version.split(".")[:2])
    if (major, minor) < (3, 0):
        return _keras2("keras")
    if (major, minor) < _KERAS3_MINIMUM:
        raise UnsupportedRuntime(
            f"kerascb needs Keras 3.12 or newer, or Keras 2; got keras="
            f"{version}. pip install -U keras."
        )
    from kerascb.runtime.keras3 import Keras3

    return Keras3()


@functools.cache
def _keras2(package: str) -> Runtime:
    from kerascb.runtime.keras2 import Keras2

    return Keras2(package)


if TYPE_CHECKING:

    class StockCallback:
        """The Callback of the Keras in force, as far as types matter."""

        params: dict[str, Any] | None

        def set_model(self, model: Any) -> None: ...
        def set_params(self, params: dict[str, Any]) -> None: ...

        def on_batch_begin(
            self, batch: int, logs: Logs | None = None
        ) -> None: ...
        def on_batch_end(
            self, batch: int, logs: Logs | None = None
        ) -> None: ...
        def on_epoch_begin(
            self, epoch: int, logs: Logs | None = None
        ) -> None: ...
        def on_epoch_end(
            self, epoch: int, logs: Logs | None = None
        ) -> None: ...
        def on_train_begin(self, logs: Logs | None = None) -> None: ...
        def on_train_end(self, logs: Logs | None = None) -> None: ...
        def on_test_begin(self, logs: Logs | None = None) -> None: ...
        def on_test_end(self, logs: Logs | None = None) -> None: ...
        def on_predict_begin(self, logs: Logs | None = None) -> None: ...
        def on_predict_end(self, logs: Logs | None = None) -> None: ...
        def on_train_batch_begin(
            self, batch: int, logs: Logs | None = None
        ) -> None: ...
        def on_train_batch_end(
            self, batch: int, logs: Logs | None = None
        ) -> None: ...
        def on_test_batch_begin(
            self, batch: int, logs: Logs | None = None
        ) -> None: ...
        def on_test_batch_end(
            self, batch: int, logs: Logs | None = None
        ) -> None: ...
        def on_predict_batch_begin(
            self, batch: int, logs: Logs | None = None
        ) -> None: ...
        def on_predict_batch_end(
            self, batch: int, logs: Logs | None = None
        ) -> None: ...

    class StockHistory(StockCallback):
        """The History of the Keras in force."""

    class StockProgbarLogger(StockCallback):
        """The ProgbarLogger of the Keras in force."""

    class StockCallbackList(StockCallback):
        """The CallbackList of the Keras in force."""

    class StockPyDataset:
        """The PyDataset of the Keras in force, which is Keras 2's Sequence."""

        def on_epoch_end(self) -> None: ...

else:

    def __getattr__(name: str) -> Any:
        # Not at import: `install` must be able to stand by until the program
        # imports the Keras of its choice.
        if name not in __all__ or not name.startswith("Stock"):
            raise AttributeError(
                f"module {__name__!r} has no attribute {name!r}"
            )
        if name == "StockPyDataset":
            stock = in_force().py_dataset
        else:
            stock = in_force().stock(name.removeprefix("Stock"))
        globals()[name] = stock
        return stock
