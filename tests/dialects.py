"""The constructors of `tf.keras.callbacks`, as each dialect has them.

K3 was read off Keras 3.15.1, K2 off tf_keras 2.21 and TensorFlow 2.15 (which
agree), E off the calls and parameter lists of an article of November 2020
about TensorFlow 2.3. Parameter → default, in order.
"""

from __future__ import annotations

REQUIRED = object()
"""Stands for a parameter without a default."""

_STOPPING = {
    "monitor": "val_loss",
    "min_delta": 0,
    "patience": 0,
    "verbose": 0,
    "mode": "auto",
    "baseline": None,
    "restore_best_weights": False,
}
_PLATEAU = {
    "monitor": "val_loss",
    "factor": 0.1,
    "patience": 10,
    "verbose": 0,
    "mode": "auto",
    "min_delta": 1e-4,
    "cooldown": 0,
    "min_lr": 0,
}
_CHECKPOINT = {
    "filepath": REQUIRED,
    "monitor": "val_loss",
    "verbose": 0,
    "save_best_only": False,
    "save_weights_only": False,
    "mode": "auto",
    "save_freq": "epoch",
}
_TENSORBOARD = {
    "log_dir": "logs",
    "histogram_freq": 0,
    "write_graph": True,
    "write_images": False,
    "write_steps_per_second": False,
    "update_freq": "epoch",
    "profile_batch": 0,
    "embeddings_freq": 0,
    "embeddings_metadata": None,
}
_LIST = {
    "callbacks": None,
    "add_history": False,
    "add_progbar": False,
    "model": None,
}
_LAMBDA_K2 = {
    "on_epoch_begin": None,
    "on_epoch_end": None,
    "on_batch_begin": None,
    "on_batch_end": None,
    "on_train_begin": None,
    "on_train_end": None,
}
_COMMON = {
    "Callback": {},
    "History": {},
    "CSVLogger": {"filename": REQUIRED, "separator": ",", "append": False},
    "LearningRateScheduler": {"schedule": REQUIRED, "verbose": 0},
    "RemoteMonitor": {
        "root": "http://localhost:9000",
        "path": "/publish/epoch/end/",
        "field": "data",
        "headers": None,
        "send_as_json": False,
    },
    "ReduceLROnPlateau": _PLATEAU,
}

DIALECTS: dict[str, dict[str, dict[str, object]]] = {
    "E": {
        **_COMMON,
        "BaseLogger": {"stateful_metrics": None},
        "EarlyStopping": _STOPPING,
        "LambdaCallback": _LAMBDA_K2,
        "ModelCheckpoint": {**_CHECKPOINT, "options": None},
        "ProgbarLogger": {"count_mode": "samples", "stateful_metrics": None},
        "TensorBoard": {
            "log_dir": "logs",
            "histogram_freq": 0,
            "write_graph": True,
            "write_images": False,
            "update_freq": "epoch",
            "profile_batch": 2,
            "embeddings_freq": 0,
            "embeddings_metadata": None,
        },
        "TerminateOnNaN": {},
    },
    "K2": {
        **_COMMON,
        "BackupAndRestore": {
            "backup_dir": REQUIRED,
            "save_freq": "epoch",
            "delete_checkpoint": True,
            "save_before_preemption": False,
        },
        "BaseLogger": {"stateful_metrics": None},
        "CallbackList": _LIST,
        "EarlyStopping": {**_STOPPING, "start_from_epoch": 0},
        "LambdaCallback": _LAMBDA_K2,
        "ModelCheckpoint": {
            **_CHECKPOINT,
            "options": None,
            "initial_value_threshold": None,
        },
        "ProgbarLogger": {"count_mode": "samples", "stateful_metrics": None},
        "SidecarEvaluatorModelExport": {
            "export_filepath": REQUIRED,
            "checkpoint_filepath": REQUIRED,
        },
        "TensorBoard": _TENSORBOARD,
        "TerminateOnNaN": {},
    },
    "K3": {
        **_COMMON,
        "BackupAndRestore": {
            "backup_dir": REQUIRED,
            "save_freq": "epoch",
            "double_checkpoint": False,
            "delete_checkpoint": True,
        },
        "CallbackList": _LIST,
        "EarlyStopping": {**_STOPPING, "start_from_epoch": 0},
        "LambdaCallback": {
            "on_epoch_begin": None,
            "on_epoch_end": None,
            "on_train_begin": None,
            "on_train_end": None,
            "on_train_batch_begin": None,
            "on_train_batch_end": None,
        },
        "ModelCheckpoint": {**_CHECKPOINT, "initial_value_threshold": None},
        "OrbaxCheckpoint": {
            "directory": REQUIRED,
            "monitor": "val_loss",
            "verbose": 0,
            "save_best_only": False,
            "mode": "auto",
            "save_freq": "epoch",
            "initial_value_threshold": None,
            "max_to_keep": 1,
            "save_on_background": True,
            "save_weights_only": False,
        },
        "ProgbarLogger": {},
        "SwapEMAWeights": {"swap_on_epoch": False},
        "TensorBoard": _TENSORBOARD,
        "TerminateOnNaN": {"raise_error": False},
    },
}

OTHER_DEFAULTS = {
    ("E", "TensorBoard", "profile_batch"): "2 profiles the second batch of "
    "every run, which nobody asked for; later dialects have 0",
}
"""Where a default of ours is not that of a dialect, and why."""

OTHER_POSITIONS = {
    ("E", "TensorBoard"): "update_freq stood fifth; told apart by its type",
    ("E", "LambdaCallback"): "told apart by what the functions take",
    ("K2", "LambdaCallback"): "told apart by what the functions take",
    ("K3", "LambdaCallback"): "told apart by what the functions take",
    ("K3", "ModelCheckpoint"): "a number in eighth place is the threshold",
    ("K2", "BackupAndRestore"): "the third position follows the runtime",
    ("K3", "BackupAndRestore"): "the third position follows the runtime",
}
"""Where one order cannot serve all dialects, and how a call is read."""
