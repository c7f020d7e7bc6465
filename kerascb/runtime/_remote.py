"""Files that are no local ones: `gs://…`, `hdfs://…`."""

from __future__ import annotations

from typing import Any

from kerascb.errors import MissingDependency


def gfile() -> Any:
    """TensorFlow's file system calls, which every Keras uses for such paths.

    Returns:
        `tf.io.gfile`: `GFile`, `exists`, …

    Raises:
        MissingDependency: If TensorFlow is not installed.
    """
    try:
        import tensorflow as tf
    except ImportError as error:
        raise MissingDependency("A remote path", "tensorflow") from error
    return tf.io.gfile
