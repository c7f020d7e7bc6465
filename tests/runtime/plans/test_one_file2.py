"""The files planned from a model of Keras 2 are those that Keras writes."""

import io
import json
import zipfile

import numpy as np
import pytest

from kerascb.runtime import Format
from tests.hdf5_trees import tree_of
from tests.runtime.plans.models2 import KINDS, another, trained

pytestmark = [
    pytest.mark.fit,
    pytest.mark.usefixtures("keras2_only"),
    pytest.mark.filterwarnings(
        "ignore:You are saving your model as an HDF5 file:UserWarning",
    ),
]

NAMES = {
    Format.KERAS: "m.keras",
    Format.WEIGHTS: "m.weights.h5",
    Format.HDF5: "m.h5",
    Format.HDF5_WEIGHTS: "w.h5",
}
WITH_TABLES = {"lookup", "text"}
"""Models with a vocabulary, which older files have no place for."""

NOTE = b'{"kerascb": 1}'


def _is_written(name, form):
    """Whether Keras does not refuse; how it does is tested elsewhere."""
    if form is Format.HDF5:
        return name not in {"subclassed", *WITH_TABLES}
    return form is not Format.HDF5_WEIGHTS or name not in WITH_TABLES


def _each(*forms, without=()):
    """Every model in these formats, as Keras can write it."""
    return pytest.mark.parametrize(
        ("form", "name"),
        [
            pytest.param(form, name, id=f"{form.name}-{name}")
            for form in forms
            for name in KINDS
            if name not in without and _is_written(name, form)
        ],
    )


@pytest.fixture
def content(runtime):
    """Plans a model, freezes it and renders the one file."""

    def render(model, form):
        plan = runtime.plan(model, form)
        values = [value.raw() for value in runtime.freeze(plan.variables)]
        return b"".join(plan.files[""].render(values, NOTE))

    return render


@pytest.fixture
def stock_content(tmp_path):
    """What Keras writes itself."""

    def write(model, form):
        path = tmp_path / "stock" / NAMES[form]
        path.parent.mkdir(exist_ok=True)
        save = model.save_weights if form.is_weights else model.save
        save(str(path))
        return path.read_bytes()

    return write


@pytest.fixture
def saved(content, tmp_path):
    """Writes a planned file; returns its path."""

    def write(model, form):
        path = tmp_path / NAMES[form]
        path.write_bytes(content(model, form))
        return str(path)

    return write


def _archive(content):
    """All that is in an archive but for the time it was made."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    found["model.weights.h5"] = tree_of(io.BytesIO(found["model.weights.h5"]))
    found["metadata.json"] = json.loads(found["metadata.json"])
    del found["metadata.json"]["date_saved"]
    return found


def _parts(content, form):
    return (
        _archive(content)
        if form is Format.KERAS
        else tree_of(io.BytesIO(content))
    )


@_each(*NAMES)
def test_the_file_is_stocks(keras, content, stock_content, form, name):
    """Groups, attributes, types, values, assets and configuration."""
    model = trained(keras, name).model

    ours = _parts(content(model, form), form)

    assert ours == _parts(stock_content(model, form), form)


@_each(Format.KERAS, Format.HDF5, without=["subclassed"])
def test_stock_loads_the_model(keras, saved, form, name):
    """It predicts the same, and its optimizer goes on from the same state."""
    one = trained(keras, name)
    path = saved(one.model, form)

    loaded = keras.models.load_model(path, custom_objects=one.custom_objects)

    _assert_equal(one, loaded, with_optimizer=_has_state(name, form))


@_each(Format.WEIGHTS, Format.HDF5_WEIGHTS, without=WITH_TABLES)
def test_stock_loads_the_weights(keras, saved, form, name):
    """Into a model that had others, and with them the optimizer's state."""
    one, other = trained(keras, name), another(keras, name)
    with_optimizer = form is Format.WEIGHTS and _has_state(name, form)
    _change(other.model.weights)
    if with_optimizer:
        _change(other.model.optimizer.variables)

    other.model.load_weights(saved(one.model, form))

    _assert_equal(one, other.model, with_optimizer=with_optimizer)


def _has_state(name, form):
    if name in {"legacy", "legacy_loss_scaled"}:
        return False
    if name == "loss_scaled":
        return form is not Format.HDF5  # which Keras cannot read
    return name not in {"uncompiled", "untrained"}


def _change(variables):
    for variable in variables:
        variable.assign(variable + 1)


def _assert_equal(one, loaded, *, with_optimizer):
    # Eagerly, which is less work than a `predict` for each.
    np.testing.assert_allclose(
        loaded(one.x).numpy(), one.model(one.x).numpy(), rtol=1e-5, atol=1e-6
    )
    _assert_same_values(loaded.weights, one.model.weights)
    if with_optimizer:
        _assert_same_values(
            loaded.optimizer.variables, one.model.optimizer.variables
        )


def _assert_same_values(loaded, variables):
    for one, other in zip(loaded, variables, strict=True):
        if hasattr(one, "read_value"):  # else it is a vocabulary
            np.testing.assert_array_equal(one.numpy(), other.numpy())
