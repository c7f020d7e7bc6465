"""What is planned for one file, against the files that stock writes."""

from __future__ import annotations

import copy
import gc
import io
import json
import pickle
import weakref
import zipfile

import h5py
import numpy as np
import pytest

from kerascb import runtime as runtimes
from kerascb.layouts.plan import NotPlannable
from kerascb.runtime import Format
from tests.hdf5_trees import tree_of

if runtimes.in_force().name != "keras3":
    pytest.skip("about Keras 3", allow_module_level=True)

import keras

from tests.runtime.plans import models3
from tests.runtime.plans.layers3 import KnowsItsModel, ManySeeds, Subclassed

pytestmark = [
    pytest.mark.filterwarnings(
        "ignore:Layer InputLayer does not have",
        "ignore:Skipping variable loading",  # of an optimizer not yet built
    ),
]

WEIGHTS = "model.weights.h5"
NAMES = {
    Format.KERAS: "m.keras",
    Format.WEIGHTS: "m.weights.h5",
    Format.HDF5: "m.h5",
    Format.HDF5_WEIGHTS: "w.h5",
}


@pytest.fixture
def rendered(runtime):
    """Renders what is planned for a model, as it is now."""

    def render(model, form, note=b"{}"):
        plan = runtime.plan(model, form)
        values = [value.raw() for value in runtime.freeze(plan.variables)]
        return b"".join(plan.files[""].render(values, note))

    return render


@pytest.fixture
def by_stock(runtime, tmp_path):
    """Has stock save a model; returns the content of the file."""

    def save(model, form):
        path = tmp_path / NAMES[form]
        runtime.save(model, str(path), form)
        return path.read_bytes()

    return save


def parts_of(content, form):
    """What a file consists of, but for the time it was saved at."""
    if form is not Format.KERAS:
        return tree_of(io.BytesIO(content))
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    metadata = json.loads(parts["metadata.json"])
    assert metadata.pop("date_saved")
    return {
        **parts,
        "metadata.json": metadata,
        WEIGHTS: tree_of(io.BytesIO(parts[WEIGHTS])),
    }


def values_of(variables):
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def parts_of_all(written_by, model):
    """What the files of all formats consist of."""
    return {form: parts_of(written_by(model, form), form) for form in NAMES}


def predicted(model, x):
    """Without tracing a graph, which is more work than all the rest."""
    return keras.ops.convert_to_numpy(model(x, training=False))


@pytest.mark.parametrize("form", NAMES)
@pytest.mark.parametrize("name", models3.MODELS)
def test_holds_what_stock_writes(name, form, rendered, by_stock):
    """Groups, attributes, types and bytes are those of stock's file."""
    model, _ = models3.shared(name)
    expected = parts_of(by_stock(model, form), form)

    assert parts_of(rendered(model, form), form) == expected
    # What was kept of the first plan makes the same file.
    assert parts_of(rendered(model, form), form) == expected


@pytest.mark.parametrize("name", models3.MODELS)
def test_stock_loads_the_archive(name, rendered, tmp_path):
    """It predicts the same, and its optimizer goes on where it was."""
    model, x = models3.shared(name)
    path = tmp_path / "m.keras"
    path.write_bytes(rendered(model, Format.KERAS))

    loaded = keras.models.load_model(path, safe_mode=False)

    np.testing.assert_array_equal(predicted(model, x), predicted(loaded, x))
    if getattr(model, "optimizer", None) and model.optimizer.built:
        np.testing.assert_equal(
            values_of(loaded.optimizer.variables),
            values_of(model.optimizer.variables),
        )


@pytest.mark.parametrize("form", [Format.WEIGHTS, Format.HDF5_WEIGHTS])
def test_stock_loads_the_weights(form, rendered, tmp_path):
    """Another model of the same kind predicts what this one did."""
    model, x = models3.shared("normalising_and_random")
    path = tmp_path / NAMES[form]
    path.write_bytes(rendered(model, form))
    other, _ = models3.made("normalising_and_random")
    for variable in other.weights:
        variable.assign(variable * 0)

    other.load_weights(path)

    np.testing.assert_array_equal(predicted(model, x), predicted(other, x))


def test_kerascb_loads_a_whole_model_in_hdf5(runtime, rendered, tmp_path):
    """The model predicts the same, and its optimizer goes on."""
    model, x = models3.shared("sequential")
    path = tmp_path / "m.h5"
    path.write_bytes(rendered(model, Format.HDF5))

    loaded = runtime.load_model(
        str(path),
        Format.HDF5,
        custom_objects=None,
        compile=True,
        safe_mode=True,
    )

    np.testing.assert_array_equal(predicted(model, x), predicted(loaded, x))
    np.testing.assert_equal(
        values_of(loaded.optimizer.variables),
        values_of(model.optimizer.variables),
    )


def test_a_later_plan_has_later_values(rendered, by_stock):
    """What is kept of a plan holds no value."""
    model, _ = models3.made("sequential")
    parts_of_all(rendered, model)
    for variable in (*model.weights, *model.optimizer.variables):
        variable.assign(variable + 1)

    assert parts_of_all(rendered, model) == parts_of_all(by_stock, model)


def _learns_slower(model):
    model.optimizer.learning_rate = 0.001


def _gets_another_optimizer(model):
    model.compile(keras.optimizers.SGD(momentum=0.5), "mae")
    model.optimizer.build(model.trainable_variables)


def _gets_a_layer(model):
    model.add(keras.layers.Dense(3))
    model.optimizer = keras.optimizers.Adam()
    model.optimizer.build(model.trainable_variables)


def _freezes_a_layer(model):
    model.layers[0].trainable = False


def _takes_low_ranks(model):
    model.layers[0].enable_lora(2)


@pytest.mark.parametrize(
    "change",
    [
        _learns_slower,
        _gets_another_optimizer,
        _gets_a_layer,
        _freezes_a_layer,
        _takes_low_ranks,
    ],
)
def test_a_model_that_changed_is_planned_anew(change, rendered, by_stock):
    """The second plan is of the model as it is then."""
    model, _ = models3.made("sequential")
    parts_of_all(rendered, model)
    change(model)

    assert parts_of_all(rendered, model) == parts_of_all(by_stock, model)


@pytest.mark.parametrize("form", [Format.KERAS, Format.WEIGHTS])
def test_a_layers_own_state_is_asked_for_at_every_plan(
    form, rendered, by_stock
):
    """What a user's `save_own_variables` and `save_assets` say now counts."""
    model, _ = models3.made("own_state")
    rendered(model, form)
    model.layers[0].seen = 2
    model.layers[0].word = "two"

    assert parts_of(rendered(model, form), form) == parts_of(
        by_stock(model, form), form
    )


def test_keras_finds_its_optimizer_as_it_was(rendered):
    """What the plan lends an optimizer for the walk is taken back."""
    model, _ = models3.shared("loss_scale")
    optimizers = (model.optimizer, model.optimizer.inner_optimizer)
    rendered(model, Format.KERAS)

    assert all(
        "save_own_variables" not in vars(optimizer) for optimizer in optimizers
    )


def test_hdf5_leaves_the_optimizer_in_what_was_compiled(rendered, by_stock):
    """An archive written after an HDF5 file still has the optimizer."""
    model, _ = models3.shared("sequential")
    expected = parts_of(by_stock(model, Format.KERAS), Format.KERAS)
    rendered(model, Format.HDF5)

    assert parts_of(rendered(model, Format.KERAS), Format.KERAS) == expected


@pytest.mark.parametrize("form", NAMES)
def test_states_of_random_generators_go_into_the_note(form, runtime):
    """No Keras 3 file has a place for them, so the plan names them."""
    model, _ = models3.shared("normalising_and_random")
    plan = runtime.plan(model, form)

    states = [plan.variables[index].path for index in plan.seeds]
    assert len(states) == 2
    assert all(path.endswith("seed_generator_state") for path in states)


@pytest.mark.parametrize("form", NAMES)
def test_each_variable_is_frozen_once(form, runtime):
    """A layer that is shared has one value, however often it is visited."""
    model, _ = models3.shared("shared_layer")
    variables = runtime.plan(model, form).variables

    assert len({id(variable) for variable in variables}) == len(variables)


def test_the_note_of_an_archive_is_its_comment(rendered):
    """Reading it needs no look at the weights."""
    model, _ = models3.shared("sequential")
    content = rendered(model, Format.KERAS, b'{"epoch": 3}')

    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.comment == b'{"epoch": 3}'


@pytest.mark.parametrize(
    "form", [Format.WEIGHTS, Format.HDF5, Format.HDF5_WEIGHTS]
)
def test_the_note_of_an_hdf5_file_is_a_dataset(form, rendered):
    """It lies beside what stock reads."""
    model, _ = models3.shared("sequential")
    content = rendered(model, form, b'{"epoch": 3}')

    with h5py.File(io.BytesIO(content)) as file:
        assert json.loads(file["kerascb"][:].tobytes()) == {"epoch": 3}


@pytest.mark.parametrize("form", [Format.WEIGHTS, Format.HDF5])
def test_the_note_has_room_for_every_seed(form, runtime, rendered):
    """A model of many dropouts remembers no fewer metrics than others."""
    model = keras.Sequential([keras.Input((4,)), ManySeeds()])
    count = len(runtime.plan(model, form).seeds)
    seeds = [[2**32 - 1, 2**32 - 1]] * count
    note = {"metrics": "m" * 16_000, "seeds": seeds}

    content = rendered(model, form, json.dumps(note).encode())

    assert count == 50
    with h5py.File(io.BytesIO(content)) as file:
        assert json.loads(file["kerascb"][:].tobytes()) == note


def test_a_model_dies_with_what_is_kept_of_it(rendered):
    """Also where a variable knows the model, by its constraint."""
    model, _ = models3.made("sequential")
    model.layers[0].kernel.constraint = KnowsItsModel(model)
    parts_of_all(rendered, model)
    alive = weakref.ref(model)

    del model
    keras.backend.clear_session()
    gc.collect()

    assert alive() is None


def test_a_planned_model_can_be_copied_and_pickled(runtime):
    """Nothing is left on the model that would go with it."""
    model, x = models3.shared("sequential")
    runtime.plan(model, Format.KERAS)

    twins = copy.deepcopy(model), pickle.loads(pickle.dumps(model))

    for twin in twins:
        np.testing.assert_array_equal(predicted(model, x), predicted(twin, x))


@pytest.mark.parametrize("form", NAMES)
def test_an_unbuilt_model_is_not_planned(form, runtime):
    """It has no variables yet; stock says what it says to that."""
    with pytest.raises(NotPlannable, match="has not been built"):
        runtime.plan(keras.Sequential([keras.layers.Dense(1)]), form)


@pytest.mark.parametrize("form", NAMES)
def test_what_is_no_model_is_not_planned(form, runtime):
    """A stand-in from a test saves itself, if it can."""
    with pytest.raises(NotPlannable, match="no model of Keras"):
        runtime.plan(object(), form)


@pytest.mark.parametrize(
    "form", [Format.WEIGHTS, Format.HDF5, Format.HDF5_WEIGHTS]
)
def test_a_layer_where_the_note_goes_is_not_planned(form, runtime):
    """Stock's content has the name first."""
    model = Subclassed()
    model.kerascb = keras.layers.Dense(2, name="kerascb")
    model.kerascb.build((None, 2))
    model(np.ones((1, 4), "float32"))
    if form is Format.HDF5:
        runtime.plan(model, form)  # layers are one level deeper there
        return
    with pytest.raises(NotPlannable, match="'kerascb'"):
        runtime.plan(model, form)


def test_an_error_of_a_users_layer_is_the_users(runtime):
    """What `save_own_variables` raises comes out, and nothing stays lent."""
    model, _ = models3.made("own_state")
    model.layers[0].seen = object()

    with pytest.raises(ValueError, match="Invalid dtype"):
        runtime.plan(model, Format.WEIGHTS)
    assert "save_own_variables" not in vars(model.optimizer)
