"""The public names, and the module each one lives in.

Kept apart from the classes so that `install`, `swap` and `kerascb` itself can
name them without importing a Keras.
"""

from __future__ import annotations

CALLBACK_MODULES: dict[str, str] = {
    "Callback": "callback",
    "CallbackList": "callback_list",
    "History": "history",
    "BaseLogger": "base_logger",
    "ProgbarLogger": "progbar_logger",
    "ModelCheckpoint": "model_checkpoint",
    "TensorBoard": "tensorboard",
    "EarlyStopping": "early_stopping",
    "LearningRateScheduler": "learning_rate_scheduler",
    "ReduceLROnPlateau": "reduce_lr_on_plateau",
    "RemoteMonitor": "remote_monitor",
    "LambdaCallback": "lambda_callback",
    "TerminateOnNaN": "terminate_on_nan",
    "CSVLogger": "csv_logger",
    "BackupAndRestore": "backup_and_restore",
    "SwapEMAWeights": "swap_ema_weights",
    "OrbaxCheckpoint": "orbax_checkpoint",
    "SidecarEvaluatorModelExport": "sidecar_evaluator_model_export",
}
"""Class name → module in `kerascb.callbacks`."""

CALLBACKS: tuple[str, ...] = tuple(CALLBACK_MODULES)
"""What `kerascb` puts in the place of `tf.keras.callbacks`."""

EXPERIMENTAL: tuple[str, ...] = ("BackupAndRestore", "UpdateEmbeddingCallback")
"""What `kerascb.experimental` holds."""

KERAS_PACKAGES: tuple[str, ...] = (
    "keras",
    "keras._tf_keras.keras",
    "keras.api",
    "keras.api._tf_keras.keras",
    "keras.api._v1.keras",
    "keras.api._v2.keras",
    "tensorflow.keras",
    "tf_keras",
    "tf_keras.api._v1.keras",
    "tf_keras.api._v2.keras",
)
"""The packages that users import a Keras as; many are the same one again."""

KERAS_INTERNALS: tuple[str, ...] = ("keras.src", "tf_keras.src")
"""The packages that a Keras looks its own things up in."""

PUBLIC_MODULES: tuple[str, ...] = tuple(
    f"{package}.callbacks" for package in KERAS_PACKAGES
)
"""The modules that users take callbacks from."""

EXPERIMENTAL_MODULES: tuple[str, ...] = tuple(
    f"{module}.experimental" for module in PUBLIC_MODULES
)
"""The modules below them, where there are any."""

INTERNAL_MODULES: tuple[str, ...] = tuple(
    f"{package}.callbacks" for package in KERAS_INTERNALS
)
"""The modules that `fit` takes callbacks from."""
