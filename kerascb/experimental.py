"""What `tf.keras.callbacks.experimental` holds."""

from __future__ import annotations

from typing import Any

from kerascb.callbacks import backup_and_restore
from kerascb.callbacks.update_embedding_callback import (
    UpdateEmbeddingCallback,
)

__all__ = ["BackupAndRestore", "UpdateEmbeddingCallback"]


class BackupAndRestore(backup_and_restore.BackupAndRestore):
    """`kerascb.BackupAndRestore` under the name it had until TF 2.8.

    Args:
        *args: Passed on.
        **kwargs: Passed on.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._warn(
            "`tf.keras.callbacks.experimental.BackupAndRestore` endpoint is "
            "deprecated and will be removed in a future release. Please use "
            "`tf.keras.callbacks.BackupAndRestore`."
        )
        super().__init__(*args, **kwargs)
