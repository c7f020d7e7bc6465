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
    return _tensorflow().io.gfile


def remote_error() -> type[Exception]:
    """What those calls raise; most of these are no `OSError`.

    Returns:
        `tf.errors.OpError`.

    Raises:
        MissingDependency: If TensorFlow is not installed.
    """
    return _tensorflow().errors.OpError  # type: ignore[no-any-return]


def _tensorflow() -> Any:
    try:
        import tensorflow as tf
    except ImportError as error:
        raise MissingDependency("A remote path", "tensorflow") from error
    return tf
