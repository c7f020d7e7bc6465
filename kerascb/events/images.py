"""Weights as pictures, and pictures as PNG.

PNG is written here, in a few lines over `zlib`: the `tensorboard` package
brings an imaging library only since 2.17, and TensorFlow's encoder is not
there on JAX and torch.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

_COLOUR_TYPE_OF_CHANNELS = {1: 0, 3: 2, 4: 6}
_VECTOR, _MATRIX, _KERNEL = 1, 2, 3
_PICTURES = 4


def weight_as_images(
    weight: npt.NDArray[Any], *, channels_last: bool
) -> npt.NDArray[np.uint8] | None:
    """Lays a weight out as grey or coloured pictures, as Keras does.

    A vector becomes a line; a matrix is shown lying; of a kernel with one
    axis more, each slice is a picture. Values from 0 to 1 go from black to
    white, what is outside is clipped.

    Args:
        weight: A weight, of any shape.
        channels_last: Where the model has the channels of its images.

    Returns:
        Shape `(N, H, W, C)`, C being 1, 3 or 4; `None` if the weight has a
        shape that is no picture.
    """
    pixels = np.squeeze(weight)
    if pixels.ndim == _VECTOR:
        pixels = pixels[np.newaxis, :, np.newaxis, np.newaxis]
    elif pixels.ndim == _MATRIX:
        if pixels.shape[0] > pixels.shape[1]:
            pixels = pixels.T
        pixels = pixels[np.newaxis, :, :, np.newaxis]
    elif pixels.ndim == _KERNEL:
        if channels_last:
            pixels = pixels.transpose(2, 0, 1)
        pixels = pixels[..., np.newaxis]
    if (
        pixels.ndim != _PICTURES
        or pixels.shape[-1] not in _COLOUR_TYPE_OF_CHANNELS
    ):
        return None
    # The half makes equal shares of the 256 steps, as TensorFlow has it.
    scaled = np.nan_to_num(pixels.astype(np.float32) * 255.5)
    clipped: npt.NDArray[np.uint8] = np.clip(scaled, 0, 255).astype(np.uint8)
    return clipped


def encode_png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """One picture as a PNG file.

    Args:
        pixels: Shape `(H, W, C)`; 1 channel is grey, 3 are red, green and
            blue, a fourth is opacity.
    """
    height, width, channels = pixels.shape
    header = struct.pack(
        ">IIBBBBB",
        width,
        height,
        8,  # bits a channel
        _COLOUR_TYPE_OF_CHANNELS[channels],
        0,  # deflate
        0,  # the standard set of filters …
        0,  # … and no interlacing
    )
    no_filter = np.zeros((height, 1), np.uint8)
    lines = np.hstack([no_filter, pixels.reshape(height, width * channels)])
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(lines.tobytes())),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(kind + content)
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", checksum)
    )
