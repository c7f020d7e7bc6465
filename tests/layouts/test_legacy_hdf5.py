"""Tests of `kerascb.layouts.legacy_hdf5`; no Keras is asked."""

import io

import h5py
import numpy as np
import pytest

from kerascb.layouts.legacy_hdf5 import Model, Tensor, Weights, lay_out

FLOAT = np.dtype("float32")


def _opened(content, values=(), note=b"a note"):
    layout = lay_out(content, note_size=16)
    flat = [memoryview(value).cast("B") for value in values]
    return h5py.File(io.BytesIO(b"".join(layout.render(flat, note))))


def test_a_weight_lies_under_its_own_name_in_its_layers_group():
    """Slashes in a weight's name are groups, as everywhere in HDF5."""
    tensor = Tensor("dense/kernel:0", (2,), FLOAT, 0)
    value = np.array([1, 2], "float32")

    with _opened(Weights((), (("dense", (tensor,)),), ()), [value]) as file:
        assert file["dense/dense/kernel:0"][()].tolist() == [1, 2]
        assert list(file["dense"].attrs["weight_names"]) == ["dense/kernel:0"]


def test_layers_keep_their_order_and_may_continue_each_others_names():
    """A layer `a/b` may come before `a`."""
    with _opened(Weights((), (("a/b", ()), ("a", ())), ())) as file:
        assert list(file.attrs["layer_names"]) == ["a/b", "a"]
        assert "b" in file["a"]


@pytest.mark.parametrize("count", [0, 1])
def test_an_optimizer_without_state_has_no_group(count):
    """Loaders take the group for a state to restore."""
    tensors = tuple(Tensor(f"m{i}", (), FLOAT, i) for i in range(count))
    model = Model((), Weights((), (), ()), tensors)
    values = [np.array(1, "float32")] * count

    with _opened(model, values) as file:
        assert ("optimizer_weights" in file) == bool(count)


def test_names_larger_than_an_attribute_are_spread_over_several():
    """HDF5 has no place for more than 64 KB in an object's header."""
    names = [f"{number:0100d}" for number in range(1500)]

    with _opened(Weights((), tuple((name, ()) for name in names), ())) as file:
        parts = [file.attrs[f"layer_names{number}"] for number in range(3)]
    assert b"".join(np.concatenate(parts)).decode() == "".join(names)


def test_a_name_that_fits_nowhere_is_refused():
    """It cannot be cut in two."""
    weights = Weights((), (("n" * 70_000, ()),), ())

    with pytest.raises(RuntimeError, match="larger than 64512 bytes"):
        lay_out(weights, note_size=16)


def test_the_note_is_at_the_root():
    """There kerascb finds it without reading the rest."""
    with _opened(Weights((), (), ())) as file:
        assert bytes(file["kerascb"][()]).rstrip() == b"a note"
