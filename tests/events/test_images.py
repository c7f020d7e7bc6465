"""Weights as pictures."""

import io

import numpy as np
import pytest
from PIL import Image

from kerascb.events.images import encode_png, weight_as_images


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((5,), (1, 5, 1, 1)),
        ((2, 5), (1, 2, 5, 1)),
        ((5, 2), (1, 2, 5, 1)),
        ((3, 4, 6), (6, 3, 4, 1)),
        ((3, 4, 1, 6), (6, 3, 4, 1)),
        ((2, 3, 4, 3), (2, 3, 4, 3)),
    ],
)
def test_layout_of_each_shape(shape, expected):
    """Vectors lie, matrices lie, kernels are a picture a channel."""
    images = weight_as_images(np.zeros(shape), channels_last=True)

    assert images.shape == expected


def test_channels_first_kernels_are_not_turned():
    """The first axis counts the pictures already."""
    images = weight_as_images(np.zeros((6, 3, 4)), channels_last=False)

    assert images.shape == (6, 3, 4, 1)


@pytest.mark.parametrize("shape", [(), (1,), (2, 3, 4, 5), (2, 2, 2, 2, 2)])
def test_other_shapes_are_no_picture(shape):
    """Scalars, wide kernels and kernels of volumes are left out."""
    assert weight_as_images(np.zeros(shape), channels_last=True) is None


def test_values_are_scaled_and_clipped():
    """Black is 0 or less, white is 1 or more, as in TensorFlow."""
    images = weight_as_images(
        np.array([-1.0, 0.0, 0.5, 1.0, 7.0, np.nan]), channels_last=True
    )

    assert images.ravel().tolist() == [0, 0, 127, 255, 255, 0]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_png_can_be_read_by_others(channels):
    """Pillow reads back every pixel."""
    pixels = np.random.default_rng(0).integers(
        0, 256, (5, 3, channels), dtype=np.uint8
    )

    image = Image.open(io.BytesIO(encode_png(pixels)))

    np.testing.assert_array_equal(
        np.asarray(image).reshape(pixels.shape), pixels
    )
