"""Compatibility as the peers judge it: their tests, our classes."""

import pytest

from tests.peers import harness

pytestmark = [pytest.mark.peers, pytest.mark.timeout(1200)]


def test_keras_finds_nothing_missing(keras3_only, tensorflow):
    """Keras 3's tests of callbacks, which need TensorFlow, pass."""
    _assert_passes(harness.keras_tests)


def test_tf_keras_finds_nothing_missing(runtime, tmp_path):
    """tf_keras's tests of callbacks pass, but for those listed."""
    if runtime.package != "tf_keras":
        pytest.skip("about tf_keras")
    _assert_passes(lambda: harness.tf_keras_tests(tmp_path))


def _assert_passes(find):
    try:
        files = find()
    except harness.Unavailable as reason:
        pytest.skip(str(reason))

    done = harness.run(files, capture=True)

    assert done.returncode == 0, done.stdout
