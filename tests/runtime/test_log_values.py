"""What a Keras logs, as Python's numbers."""

import importlib

import numpy as np
import pytest

from kerascb.runtime import LazyLogs


@pytest.fixture
def tensor(runtime, keras):
    """Makes a tensor of the backend."""
    if runtime.name == "keras2":
        return keras.backend.constant
    return keras.ops.convert_to_tensor


@pytest.fixture
def stock_floats(keras, runtime):
    """The conversion of Keras 3 itself."""
    if runtime.name != "keras3":
        pytest.skip("about Keras 3")
    from keras.src.utils.python_utils import pythonify_logs

    return pythonify_logs


def values(tensor):
    """All that may stand in logs."""
    return {
        "scalars": {"loss": tensor(0.1), "acc": tensor(2.5)},
        "integers": {"loss": tensor(0.1), "count": tensor(np.int32(7))},
        "python": {"loss": 0.1, "count": 7, "is_good": True},
        "numpy": {"loss": np.float32(0.1), "array": np.array([1.0, 2.0])},
        "not scalars": {"z": tensor([1.0, 2.0]), "a": tensor(1.0)},
        "nested": {"z": {"c": tensor(1.0), "b": tensor(2.0)}, "a": 3.0},
        "text": {"z": "word", "a": tensor(1.0), "n": None},
        "nothing": {},
    }


@pytest.mark.parametrize("kind", values(np.array))
def test_are_what_keras_3_makes_of_them(runtime, tensor, stock_floats, kind):
    """To the type, the order and the last bit."""
    logs = values(tensor)[kind]
    expected, got = stock_floats(logs), runtime.to_python(logs)

    assert list(got) == list(expected)
    assert list(map(type, got.values())) == list(map(type, expected.values()))
    np.testing.assert_equal(got, expected)


def test_lazy_ones_are_the_same(runtime, tensor):
    """Later, that is all."""
    logs = {"loss": tensor(0.1), "acc": tensor(2.5)}
    lazy = runtime.lazy(logs)

    assert isinstance(lazy, LazyLogs)
    assert lazy.raw("loss") is logs["loss"]
    assert list(lazy.items()) == list(runtime.to_python(logs).items())


def test_trees_are_those_of_a_dict(runtime, keras, tensor):
    """`keras.tree`, and the backend's own, go into lazy logs."""
    if runtime.name != "keras3":
        pytest.skip("about Keras 3")
    lazy = runtime.lazy({"loss": tensor(1.0), "acc": tensor(2.0)})
    maps = [keras.tree.map_structure]
    if runtime.backend == "jax":
        maps.append(importlib.import_module("jax").tree.map)
    elif runtime.backend == "torch":
        maps.append(importlib.import_module("torch.utils._pytree").tree_map)

    assert [one(lambda value: -value, lazy) for one in maps] == [
        {"acc": -2.0, "loss": -1.0}
    ] * len(maps)


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_an_accelerator_is_read_once(runtime, tensor, monkeypatch, backend):
    """All values come over in one transfer."""
    if runtime.name != "keras3" or runtime.backend != backend:
        pytest.skip(f"about Keras 3 on {backend}")
    from kerascb.runtime import _log_values3

    monkeypatch.setattr(
        _log_values3, "_shares_accelerator", lambda places, host: True
    )
    logs = {"loss": tensor(0.1), "acc": tensor(2.5)}
    transfers = _count_transfers(backend, monkeypatch)

    assert runtime.to_python(logs) == {
        "acc": 2.5, "loss": float(np.float32(0.1)),
    }  # fmt: skip
    assert transfers == ["all"]


def _count_transfers(backend, monkeypatch):
    """Notes each call that brings several values over."""
    found = []

    def noting(original):
        def read(*args, **kwargs):
            found.append("all")
            return original(*args, **kwargs)

        return read

    if backend == "jax":
        import jax

        monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
        monkeypatch.setattr(jax, "device_get", noting(jax.device_get))
    elif backend == "torch":
        import torch

        monkeypatch.setattr(torch, "stack", noting(torch.stack))
    else:
        import tensorflow as tf

        monkeypatch.setattr(tf, "stack", noting(tf.stack))
    return found
