"""`tf.keras.callbacks`, done again: a drop-in for every Keras.

The names of `tf.keras.callbacks` are here, so that changing the import is
the whole migration:

    from kerascb import EarlyStopping, ModelCheckpoint

A Keras is imported with the first class that is asked for, not before.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from kerascb._names import CALLBACK_MODULES

if TYPE_CHECKING:
    from kerascb import errors, experimental
    from kerascb._install import install, uninstall
    from kerascb.callbacks.backup_and_restore import BackupAndRestore
    from kerascb.callbacks.base_logger import BaseLogger
    from kerascb.callbacks.callback import Callback
    from kerascb.callbacks.callback_list import CallbackList
    from kerascb.callbacks.csv_logger import CSVLogger
    from kerascb.callbacks.early_stopping import EarlyStopping
    from kerascb.callbacks.history import History
    from kerascb.callbacks.lambda_callback import LambdaCallback
    from kerascb.callbacks.learning_rate_scheduler import (
        LearningRateScheduler,
    )
    from kerascb.callbacks.model_checkpoint import ModelCheckpoint
    from kerascb.callbacks.orbax_checkpoint import OrbaxCheckpoint
    from kerascb.callbacks.progbar_logger import ProgbarLogger
    from kerascb.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
    from kerascb.callbacks.remote_monitor import RemoteMonitor
    from kerascb.callbacks.sidecar_evaluator_model_export import (
        SidecarEvaluatorModelExport,
    )
    from kerascb.callbacks.swap_ema_weights import SwapEMAWeights
    from kerascb.callbacks.tensorboard import TensorBoard
    from kerascb.callbacks.terminate_on_nan import TerminateOnNaN
    from kerascb.checkpoint import (
        checkpoints,
        load_best,
        load_latest,
        load_model,
        load_weights,
    )

__version__ = "0.1.0"

__all__ = [
    "BackupAndRestore",
    "BaseLogger",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "OrbaxCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SidecarEvaluatorModelExport",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
    "checkpoints",
    "errors",
    "experimental",
    "install",
    "load_best",
    "load_latest",
    "load_model",
    "load_weights",
    "uninstall",
]

_HOMES = {
    **{name: f"callbacks.{home}" for name, home in CALLBACK_MODULES.items()},
    "install": "_install",
    "uninstall": "_install",
    "checkpoints": "checkpoint",
    "load_best": "checkpoint",
    "load_latest": "checkpoint",
    "load_model": "checkpoint",
    "load_weights": "checkpoint",
}
_MODULES = ("data", "errors", "experimental", "testing")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"kerascb.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'kerascb' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"kerascb.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
