"""Which format a path means."""

import os
from types import SimpleNamespace

import pytest

from kerascb.checkpoint.formats import target_of
from kerascb.errors import InvalidArgument
from kerascb.runtime import Format

KERAS2 = SimpleNamespace(
    name="keras2", backend="tensorflow", can_write=lambda form: True
)
KERAS3 = SimpleNamespace(
    name="keras3", backend="tensorflow", can_write=lambda form: True
)
WITHOUT_TENSORFLOW = SimpleNamespace(
    name="keras3",
    backend="jax",
    can_write=lambda form: (
        form not in {Format.SAVED_MODEL, Format.TF_CHECKPOINT}
    ),
)


@pytest.mark.parametrize(
    ("path", "weights_only", "form"),
    [
        ("m.keras", False, Format.KERAS),
        ("m.h5", False, Format.HDF5),
        ("m.hdf5", False, Format.HDF5),
        ("m.weights.h5", False, Format.HDF5),
        ("m", False, Format.SAVED_MODEL),
        ("runs/{epoch:02d}", False, Format.SAVED_MODEL),
        ("m.tf", False, Format.SAVED_MODEL),
        ("w.weights.h5", True, Format.WEIGHTS),
        ("w.h5", True, Format.HDF5_WEIGHTS),
        ("w.hdf5", True, Format.HDF5_WEIGHTS),
        ("weights.{epoch:02d}", True, Format.TF_CHECKPOINT),
        ("ckpt/cp.ckpt", True, Format.TF_CHECKPOINT),
    ],
)
@pytest.mark.parametrize("keras", [KERAS2, KERAS3], ids=["keras2", "keras3"])
def test_a_path_means_the_same_to_every_keras(keras, path, weights_only, form):
    """What one Keras writes to a path another one writes too."""
    target = target_of(path, weights_only, keras)

    assert (target.path, target.form) == (path, form)


@pytest.mark.parametrize(
    ("keras", "form"),
    [(KERAS2, Format.HDF5_WEIGHTS), (KERAS3, Format.KERAS)],
    ids=["keras2", "keras3"],
)
def test_weights_in_a_keras_file(keras, form):
    """Each Keras writes there what its own `load_weights` can read."""
    assert target_of("w.keras", True, keras).form is form


@pytest.mark.parametrize(
    ("path", "weights_only"),
    [("m", False), ("w.h5", True), ("w.keras", True), ("cp", True)],
)
def test_what_keras3_would_refuse_carries_a_note(path, weights_only):
    """The user is told what becomes of the path, by its name."""
    assert repr(path) in target_of(path, weights_only, KERAS3).note


@pytest.mark.parametrize(
    ("path", "weights_only"),
    [("m.keras", False), ("m.h5", False), ("w.weights.h5", True)],
)
def test_what_keras3_takes_carries_no_note(path, weights_only):
    """A path that stock takes as well is nothing to tell of."""
    assert target_of(path, weights_only, KERAS3).note == ""


@pytest.mark.parametrize("weights_only", [False, True])
def test_keras2_never_has_a_note(weights_only):
    """Keras 2 writes every format itself."""
    assert target_of("any/path", weights_only, KERAS2).note == ""


def test_a_directory_without_tensorflow_is_refused():
    """The error says what Keras takes, what is missing, and where."""
    with pytest.raises(
        InvalidArgument, match=r"must end in `\.keras`"
    ) as error:
        target_of("runs/m", False, WITHOUT_TENSORFLOW)

    assert "needs TensorFlow" in str(error.value)
    assert "the jax backend" in str(error.value)


def test_a_checkpoint_without_tensorflow_becomes_weights():
    """A prefix gets the suffix of the one file that can be written."""
    target = target_of("cp-{epoch}", True, WITHOUT_TENSORFLOW)

    assert target.path == "cp-{epoch}.weights.h5"
    assert target.form is Format.WEIGHTS
    assert "'cp-{epoch}.weights.h5'" in target.note


@pytest.mark.parametrize("weights_only", [True, False])
@pytest.mark.parametrize("path", ["M.H5", "m.Keras", "m.weights.H5"])
def test_capital_letters_are_told_of(runtime, needs_format, path, weights_only):
    """Keras tells no format by a suffix in capital letters; few know that."""
    target = needs_format(path, weights_only)

    end = os.path.splitext(path)[1]
    assert f"not by {end!r}" in target.note


def test_small_letters_are_not_told_of(keras2_only, runtime):
    """A path that means what it says needs no note."""
    assert not target_of("M.h5", False, runtime).note


@pytest.mark.parametrize(
    ("form", "takers"),
    [
        (Format.TF_CHECKPOINT, ["keras2", "keras3"]),
        (Format.SAVED_MODEL, ["keras2"]),
        (Format.WEIGHTS, []),
        (Format.HDF5, []),
    ],
)
def test_where_options_have_an_effect(form, takers):
    """Only what TensorFlow itself writes takes its options."""
    assert [k for k in ("keras2", "keras3") if form.takes_options(k)] == takers
