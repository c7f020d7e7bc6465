"""A value → the record that TensorBoard's plugin for it expects.

The formats are those of `tf.summary`, version 2: every value is a tensor, and
its metadata names the plugin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.histogram import metadata as histogram_metadata
from tensorboard.plugins.image import metadata as image_metadata
from tensorboard.plugins.scalar import metadata as scalar_metadata
from tensorboard.plugins.text import metadata as text_metadata
from tensorboard.util import tensor_util

from kerascb.events.histogram import buckets
from kerascb.events.images import encode_png

if TYPE_CHECKING:
    from kerascb.events.writer import Array, Pixels

SHOWN_IMAGES = 3
"""Of many pictures with one tag, as many as `tf.summary.image` keeps."""


def scalar(tag: str, value: float) -> Any:
    """A point of a curve."""
    return _value(
        tag,
        np.float32(value),
        scalar_metadata.create_summary_metadata(None, None),
    )


def histogram(tag: str, values: Array) -> Any:
    """A distribution."""
    return _value(
        tag,
        buckets(values),
        histogram_metadata.create_summary_metadata(None, None),
    )


def images(tag: str, pictures: Pixels) -> Any:
    """The first few of some pictures."""
    _, height, width, _ = pictures.shape
    encoded = [encode_png(one) for one in pictures[:SHOWN_IMAGES]]
    content = [str(width).encode(), str(height).encode(), *encoded]
    return _value(
        tag,
        np.array(content, dtype=object),
        image_metadata.create_summary_metadata(None, None),
    )


def text(tag: str, content: str) -> Any:
    """A text in Markdown."""
    return _value(
        tag,
        np.array(content.encode(), dtype=object),
        text_metadata.create_summary_metadata(None, None),
    )


def keras_graph(tag: str, model_json: str) -> Any:
    """A model's configuration; TensorBoard has no function for this one."""
    metadata = summary_pb2.SummaryMetadata()
    metadata.plugin_data.plugin_name = "graph_keras_model"
    metadata.plugin_data.content = b"1"  # the version of the format
    return _value(tag, np.array(model_json.encode(), dtype=object), metadata)


def _value(tag: str, tensor: Any, metadata: Any) -> Any:
    return summary_pb2.Summary.Value(
        tag=tag,
        tensor=tensor_util.make_tensor_proto(tensor),
        metadata=metadata,
    )
