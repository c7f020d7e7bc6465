"""The newest and the best checkpoint, loaded if whole."""

import os

import numpy as np
import pytest

import kerascb
from kerascb.checkpoint.catalog import restoring
from kerascb.errors import InvalidArgument, NoWholeCheckpoint
from kerascb.runtime import Format
from tests.checkpoint.catalog.listed import put_bytes, put_on_list

pytestmark = pytest.mark.filterwarnings(
    "ignore:You are saving your model as an HDF5 file:UserWarning",
    "ignore:The `native_serialization` parameter:DeprecationWarning",  # JAX's
)


@pytest.fixture
def loaded(monkeypatch):
    """The names of what would have been loaded."""
    paths = []

    def load_model(path, **how):
        paths.append(os.path.basename(path))
        return how

    monkeypatch.setattr(restoring, "load_model", load_model)
    return paths


def _damage(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _metrics(**metrics):
    return {"metrics": metrics}


def test_the_newest(tmp_path, loaded):
    """Which is what was written last."""
    put_bytes(tmp_path, "a.keras", epoch=2)
    put_bytes(tmp_path, "b.keras", epoch=1)

    kerascb.load_latest(tmp_path)

    assert loaded == ["b.keras"]


def test_the_best(tmp_path, loaded):
    """By the metric its callback watched, in the direction it found."""
    put_bytes(tmp_path, "a.keras", epoch=1)
    put_bytes(tmp_path, "b.keras", epoch=3)
    put_bytes(tmp_path, "c.keras", epoch=2)

    kerascb.load_best(tmp_path)

    assert loaded == ["b.keras"]


def test_arguments_of_loading_are_passed_on(tmp_path, loaded):
    """As `load_model` takes them."""
    put_bytes(tmp_path, "a.keras")
    how = {"custom_objects": {"x": int}, "compile": False, "safe_mode": False}

    assert kerascb.load_latest(tmp_path, **how) == how
    assert kerascb.load_best(tmp_path, **how) == how


def test_a_damaged_one_is_passed_over_with_one_warning(tmp_path, loaded):
    """The one before is loaded, and it is said what was wrong."""
    for epoch, name in enumerate(["a.keras", "b.keras", "c.keras"], start=1):
        put_bytes(tmp_path, name, epoch=epoch)
    _damage(tmp_path / "c.keras")
    (tmp_path / "b.keras").write_bytes(b"cut")

    with pytest.warns(UserWarning, match="is loaded in place of") as caught:
        kerascb.load_latest(tmp_path)

    assert loaded == ["a.keras"]
    [warning] = caught
    assert "a.keras' is loaded in place of" in str(warning.message)
    assert "c.keras is not what was written: its CRC-32C" in str(
        warning.message
    )
    assert "b.keras has 3 bytes, not the 10 written" in str(warning.message)
    assert warning.filename == __file__


def test_the_best_falls_back_on_the_next_best(tmp_path, loaded):
    """Not on the newest."""
    put_bytes(tmp_path, "best.keras", epoch=9)
    put_bytes(tmp_path, "second.keras", epoch=8)
    put_bytes(tmp_path, "newest.keras", epoch=1)
    _damage(tmp_path / "best.keras")

    with pytest.warns(UserWarning, match="best.keras is not what was written"):
        kerascb.load_best(tmp_path)

    assert loaded == ["second.keras"]


def test_a_newest_that_is_gone_is_told(tmp_path, loaded):
    """Deleted by hand or lost: an older one is not loaded in silence."""
    put_bytes(tmp_path, "a.keras")
    put_bytes(tmp_path, "b.keras")
    (tmp_path / "b.keras").unlink()

    with pytest.warns(UserWarning, match="b.keras is missing"):
        kerascb.load_latest(tmp_path)

    assert loaded == ["a.keras"]


def test_what_is_older_than_the_loaded_one_is_not_read(tmp_path, loaded):
    """Damage to it is of no concern."""
    put_bytes(tmp_path, "a.keras")
    put_bytes(tmp_path, "b.keras")
    _damage(tmp_path / "a.keras")

    kerascb.load_latest(tmp_path)

    assert loaded == ["b.keras"]


def test_none_is_whole(tmp_path, loaded):
    """Each is named, with what is wrong with it."""
    put_bytes(tmp_path, "a.keras")
    put_bytes(tmp_path, "b.keras")
    _damage(tmp_path / "a.keras")
    _damage(tmp_path / "b.keras")

    with pytest.raises(NoWholeCheckpoint, match="is whole") as caught:
        kerascb.load_latest(tmp_path)

    assert loaded == []
    assert isinstance(caught.value, OSError)
    assert len(caught.value.damage) == 2
    assert "a.keras is not what was written" in str(caught.value)


@pytest.mark.parametrize("load", [kerascb.load_latest, kerascb.load_best])
def test_there_is_none(tmp_path, load):
    """An empty directory, and one that does not exist."""
    with pytest.raises(FileNotFoundError, match="no checkpoint in"):
        load(tmp_path)
    with pytest.raises(FileNotFoundError, match="no directory"):
        load(tmp_path / "nowhere")


def test_weights_without_a_model(tmp_path):
    """It is said what is needed."""
    put_bytes(tmp_path, "w.weights.h5")
    (tmp_path / "kerascb-checkpoints.jsonl").unlink()

    with pytest.raises(InvalidArgument, match="pass it as model="):
        kerascb.load_latest(tmp_path)


@pytest.mark.parametrize(
    ("monitor", "mode", "expected"),
    [
        (None, "auto", "b"),
        ("val_accuracy", "auto", "a"),
        ("val_accuracy", "min", "c"),
        ("loss", "max", "c"),
        ("width", "max", "b"),
    ],
)
def test_by_which_metric(tmp_path, loaded, monitor, mode, expected):
    """By any in the logs; the direction is found as everywhere."""
    values = {
        "a": _metrics(loss=0.2, val_accuracy=0.9, width=1),
        "b": _metrics(loss=0.1, val_accuracy=0.8, width=2),
        "c": _metrics(loss=0.3, val_accuracy=0.7),
    }
    for name, more in values.items():
        put_bytes(tmp_path, f"{name}.keras", **more)

    kerascb.load_best(tmp_path, monitor=monitor, mode=mode)

    assert loaded == [f"{expected}.keras"]


def test_the_callback_knows_the_direction_best(tmp_path, loaded):
    """A name that tells nothing, or the wrong thing, does not matter then."""
    for name, value in {"a": 1.0, "b": 2.0}.items():
        put_bytes(
            tmp_path,
            f"{name}.keras",
            monitor="my_loss",
            mode="max",
            **_metrics(my_loss=value),
        )

    kerascb.load_best(tmp_path)

    assert loaded == ["b.keras"]


def test_nan_is_never_the_best(tmp_path, loaded):
    """Nor is a checkpoint without a value."""
    put_bytes(tmp_path, "a.keras", **_metrics(loss=float("nan")))
    put_bytes(tmp_path, "b.keras", **_metrics(loss=5.0))
    put_bytes(tmp_path, "c.keras", **_metrics())

    kerascb.load_best(tmp_path)

    assert loaded == ["b.keras"]


def test_of_equal_ones_the_older(tmp_path, loaded):
    """As `save_best_only` keeps it."""
    put_bytes(tmp_path, "a.keras", **_metrics(loss=1.0))
    put_bytes(tmp_path, "b.keras", **_metrics(loss=1.0))

    kerascb.load_best(tmp_path)

    assert loaded == ["a.keras"]


def test_a_monitor_without_values_gives_way_to_a_usual_one(tmp_path, loaded):
    """`val_loss` is watched by default, also without validation data."""
    put_bytes(tmp_path, "a.keras", monitor="val_loss", **_metrics(loss=1.0))
    put_bytes(tmp_path, "b.keras", monitor="val_loss", **_metrics(loss=2.0))

    kerascb.load_best(tmp_path)

    assert loaded == ["a.keras"]


def test_a_misspelt_monitor(tmp_path):
    """The nearest name is suggested."""
    put_bytes(tmp_path, "a.keras", **_metrics(val_accuracy=1.0))

    with pytest.raises(InvalidArgument, match="Did you mean 'val_accuracy'"):
        kerascb.load_best(tmp_path, monitor="val_acuracy")


def test_no_metrics_at_all(tmp_path):
    """As in a folder that stock wrote."""
    (tmp_path / "a.keras").write_bytes(b"x")

    with pytest.raises(InvalidArgument, match="no metrics at all"):
        kerascb.load_best(tmp_path)


def test_a_direction_that_nothing_tells(tmp_path):
    """It has to be given."""
    put_bytes(tmp_path, "a.keras", monitor=None, **_metrics(width=1.0))

    with pytest.raises(InvalidArgument, match="Pass mode='min' or mode='max'"):
        kerascb.load_best(tmp_path, monitor="width")


def test_a_mode_that_is_none(tmp_path):
    """Told before anything is read."""
    with pytest.raises(InvalidArgument, match="got mode='biggest'"):
        kerascb.load_best(tmp_path, mode="biggest")


@pytest.mark.parametrize(
    ("name", "form"),
    {
        "m.keras": Format.KERAS,
        "m.h5": Format.HDF5,
        "d": Format.SAVED_MODEL,
    }.items(),
)
def test_a_whole_model(tmp_path, runtime, make_model, data, name, form):
    """It comes back as it was saved."""
    if not runtime.can_write(form):
        pytest.skip(f"cannot write {form.value}")
    model = make_model()
    runtime.save(model, str(tmp_path / name), form)
    put_on_list(tmp_path, name, form)

    found = kerascb.load_best(tmp_path)

    np.testing.assert_array_equal(
        found.predict(data[0], verbose=0), model.predict(data[0], verbose=0)
    )


@pytest.mark.parametrize(
    ("name", "form"),
    {
        "m.keras": Format.KERAS,
        "w.weights.h5": Format.WEIGHTS,
        "w.h5": Format.HDF5_WEIGHTS,
        "c": Format.TF_CHECKPOINT,
    }.items(),
)
def test_into_a_model(tmp_path, runtime, make_model, name, form):
    """Any checkpoint's weights go into a model that is given."""
    if not runtime.can_write(form):
        pytest.skip(f"cannot write {form.value}")
    saved, model = make_model(seed=1), make_model(seed=2)
    runtime.save(saved, str(tmp_path / name), form)
    put_on_list(tmp_path, name, form)

    found = kerascb.load_latest(tmp_path, model)

    assert found is model
    for ours, theirs in zip(
        model.get_weights(), saved.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_without_a_model_weights_are_not_looked_at(tmp_path, loaded):
    """The folder of two callbacks: `best.keras` and `last.weights.h5`."""
    put_bytes(tmp_path, "best.keras", epoch=1)
    (tmp_path / "last.weights.h5").write_bytes(b"x")
    put_on_list(tmp_path, "last.weights.h5", Format.WEIGHTS, epoch=2)

    kerascb.load_latest(tmp_path)
    kerascb.load_best(tmp_path)

    assert loaded == ["best.keras", "best.keras"]
