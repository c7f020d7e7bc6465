"""What a plan of a Keras 2 model keeps, asks again, leaves out and refuses."""

import functools
import gc
import importlib
import io
import json
import warnings
import weakref
import zipfile

import h5py
import numpy as np
import pytest

from kerascb.layouts import legacy_hdf5
from kerascb.layouts.hdf5 import NOTE_NAME
from kerascb.layouts.plan import NotPlannable
from kerascb.runtime import Format
from tests.runtime.plans.models2 import fresh, trained

pytestmark = [
    pytest.mark.usefixtures("keras2_only"),
    pytest.mark.filterwarnings(
        "ignore:You are saving your model as an HDF5 file:UserWarning",
    ),
]

ONE_FILE = [form for form in Format if form.is_one_file]

each_format = pytest.mark.parametrize(
    "form", ONE_FILE, ids=lambda form: form.name
)


def _render(runtime, plan, note=b""):
    values = [value.raw() for value in runtime.freeze(plan.variables)]
    return b"".join(plan.files[""].render(values, note))


def _save(model, form):
    """Saves as Keras does, in the current folder."""
    if form.is_weights:
        model.save_weights("m.weights.h5" if form is Format.WEIGHTS else "w.h5")
    else:
        model.save("m.keras" if form is Format.KERAS else "m.h5")


def _config(runtime, model):
    content = _render(runtime, runtime.plan(model, Format.KERAS))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return json.loads(archive.read("config.json"))


# -- what is kept ------------------------------------------------------------


@each_format
def test_a_second_plan_has_the_same_variables(runtime, make_model, form):
    """Variables and seeds do not change from one plan to the next."""
    model = make_model("adam")

    first, second = runtime.plan(model, form), runtime.plan(model, form)

    assert [id(v) for v in first.variables] == [id(v) for v in second.variables]


@pytest.mark.parametrize(
    "form", [Format.WEIGHTS, Format.HDF5, Format.HDF5_WEIGHTS]
)
def test_a_layout_is_made_once(runtime, make_model, form):
    """Nothing that needs time is done twice while the model is the same."""
    model = make_model("adam")

    first, second = runtime.plan(model, form), runtime.plan(model, form)

    assert first.files[""] is second.files[""]


def test_the_configuration_is_never_old(runtime, keras, make_model):
    """A learning rate that was changed between two saves is in the second."""
    model = make_model(keras.optimizers.Adam())
    _config(runtime, model)
    model.optimizer.learning_rate = 0.25

    config = _config(runtime, model)

    assert config["compile_config"]["optimizer"]["config"][
        "learning_rate"
    ] == pytest.approx(0.25)


def test_the_configuration_in_hdf5_is_never_old(runtime, make_model):
    """A learning rate that was changed between two saves is in the second."""
    model = make_model("adam")
    runtime.plan(model, Format.HDF5)
    model.optimizer.learning_rate = 0.25

    content = _render(runtime, runtime.plan(model, Format.HDF5))

    with h5py.File(io.BytesIO(content)) as file:
        said = json.loads(file.attrs["training_config"])
    assert said["optimizer_config"]["config"]["learning_rate"] == 0.25


@pytest.mark.parametrize("form", [Format.KERAS, Format.WEIGHTS, Format.HDF5])
def test_state_made_by_the_first_step_is_planned(runtime, make_model, form):
    """An optimizer that began after the first plan is in the second."""
    model = make_model("adam")
    before = runtime.plan(model, form)
    model.optimizer.build(model.trainable_variables)

    after = runtime.plan(model, form)

    planned = {id(variable) for variable in after.variables}
    assert planned.issuperset(map(id, model.optimizer.variables))
    assert len(after.variables) > len(before.variables)


def test_a_model_compiled_anew_is_planned_anew(runtime, make_model):
    """The variables of the optimizer that was replaced are gone."""
    model = make_model("adam")
    model.optimizer.build(model.trainable_variables)
    old = model.optimizer.variables[-1]
    runtime.plan(model, Format.WEIGHTS)
    model.compile("sgd", "sparse_categorical_crossentropy")

    plan = runtime.plan(model, Format.WEIGHTS)

    assert not any(variable is old for variable in plan.variables)


def test_what_is_kept_goes_with_the_model(runtime, keras, make_model):
    """Also where a variable knows the model, by its constraint."""
    model = make_model()
    model.layers[0].kernel._constraint = model.call
    assert all(runtime.plan(model, form).variables for form in ONE_FILE)
    known = weakref.ref(model)

    del model
    keras.backend.clear_session()
    gc.collect()

    assert known() is None


@pytest.mark.parametrize("form", [Format.KERAS, Format.WEIGHTS])
def test_layers_that_decide_themselves_are_asked_every_time(
    runtime, keras, form
):
    """What such a layer has at each save is what is saved."""

    class Counting(keras.layers.Layer):
        asked = 0

        def save_own_variables(self, store):
            type(self).asked += 1
            store["asked"] = np.int64(self.asked)

    model = keras.Sequential([keras.layers.Input((2,)), Counting()])

    runtime.plan(model, form)
    runtime.plan(model, form)

    assert Counting.asked == 2


# -- what is warned of -------------------------------------------------------


def test_the_older_format_is_warned_of_as_by_stock(runtime, make_model):
    """The sentence is the one of the Keras in force."""
    model = make_model()
    with warnings.catch_warnings(record=True) as stocks:
        warnings.simplefilter("always", UserWarning)
        _save(model, Format.HDF5)

    with warnings.catch_warnings(record=True) as ours:
        warnings.simplefilter("always", UserWarning)
        runtime.plan(model, Format.HDF5)

    assert [str(one.message) for one in ours] == [
        str(one.message) for one in stocks
    ]


def test_shared_variables_are_warned_of_as_by_stock(
    runtime, keras, monkeypatch
):
    """The sentence is the one of the Keras in force."""
    said = []
    log = importlib.import_module("tensorflow.python.platform.tf_logging")
    monkeypatch.setattr(log, "warning", lambda text, *_: said.append(text))
    inner = keras.layers.Dense(2)
    shared = keras.Sequential([keras.layers.Input((2,)), inner])
    model = keras.Sequential([shared, keras.Sequential([inner])])
    model.build((None, 2))
    _save(model, Format.HDF5)
    stocks, said[:] = list(said), []

    runtime.plan(model, Format.HDF5)

    assert said == stocks
    assert any("Found duplicated" in text for text in said)


# -- what is refused ---------------------------------------------------------


@pytest.mark.fit
@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("subclassed", Format.HDF5),
        ("lookup", Format.HDF5),
        ("text", Format.HDF5_WEIGHTS),
    ],
)
def test_what_keras_refuses_is_refused_in_its_words(runtime, keras, name, form):
    """Users search the web for these sentences."""
    model = trained(keras, name).model
    with pytest.raises(NotImplementedError) as stocks:
        _save(model, form)

    with pytest.raises(NotImplementedError) as ours:
        runtime.plan(model, form)

    assert str(ours.value) == str(stocks.value)


@pytest.mark.parametrize("form", [Format.HDF5, Format.HDF5_WEIGHTS])
def test_weights_not_made_yet_are_refused_in_keras_words(runtime, keras, form):
    """A model that was never built has nothing to save."""
    model = keras.Sequential([keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="not") as stocks:
        _save(model, form)

    with pytest.raises(ValueError, match="not") as ours:
        runtime.plan(model, form)

    assert str(ours.value) == str(stocks.value)


@pytest.mark.parametrize("form", [Format.KERAS, Format.WEIGHTS])
def test_a_model_that_is_not_built_is_left_to_keras(runtime, keras, form):
    """Keras warns, or writes a file without weights."""
    model = keras.Sequential([keras.layers.Dense(2)])

    with pytest.raises(NotPlannable, match="not been built"):
        runtime.plan(model, form)


@each_format
def test_what_is_no_model_is_left_to_itself(runtime, form):
    """It may have a `save` of its own."""
    with pytest.raises(NotPlannable, match="no model"):
        runtime.plan(object(), form)


@each_format
def test_graphs_without_eager_execution_are_left_to_keras(
    runtime, make_model, tensorflow, form
):
    """There the values are in a session."""
    model = make_model()

    with (
        tensorflow.Graph().as_default(),
        pytest.raises(NotPlannable, match="eager"),
    ):
        runtime.plan(model, form)


@pytest.mark.parametrize("form", [Format.WEIGHTS, Format.HDF5_WEIGHTS])
def test_a_layer_with_kerascbs_name_is_left_to_keras(runtime, keras, form):
    """Its weights lie where kerascb's note would."""

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.layer = keras.layers.Dense(1, name=NOTE_NAME)

        def call(self, inputs):
            return self.layer(inputs)

    model = Model()
    # Past Keras, which would save it under `layers` all the same.
    object.__setattr__(model, NOTE_NAME, keras.layers.Dense(1))
    model(np.ones((1, 2), "float32"))

    with pytest.raises(NotPlannable, match=NOTE_NAME):
        runtime.plan(model, form)


@each_format
@pytest.mark.parametrize("value", [["a word"], [1.0]], ids=["words", "numbers"])
def test_variables_without_a_fixed_size_are_left_to_keras(
    runtime, keras, tensorflow, form, value
):
    """A place in a file cannot grow."""

    class Growing(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.kept = tensorflow.Variable(
                value, shape=tensorflow.TensorShape(None), trainable=False
            )

        def call(self, inputs):
            return inputs

    inputs = keras.layers.Input((2,))
    model = keras.Model(inputs, Growing()(inputs))

    with pytest.raises(NotPlannable, match="no fixed size"):
        runtime.plan(model, form)


@pytest.mark.parametrize("form", [Format.SAVED_MODEL, Format.OWN])
def test_other_formats_are_planned_elsewhere(keras, make_model, form):
    """This module knows formats of one file."""
    from kerascb.runtime.plans import one_file2

    with pytest.raises(NotPlannable, match="no plan"):
        one_file2.plan(keras, make_model(), form)


# -- random generators -------------------------------------------------------


@pytest.mark.fit
@each_format
def test_generators_are_remembered_though_no_file_has_them(
    runtime, keras, form
):
    """Their states are frozen with the rest, in the order of the layers."""
    model = trained(keras, "random").model

    plan = runtime.plan(model, form)

    states = [
        layer._random_generator._generator.state
        for layer in model.layers
        if getattr(layer, "_random_generator", None)
        and layer._random_generator._generator
    ]
    assert len(states) == 2
    assert [plan.variables[i] for i in plan.seeds] == states


def test_a_generator_of_the_users_own_is_remembered(runtime, keras, tensorflow):
    """A layer may have one from TensorFlow."""

    class Noise(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.source = tensorflow.random.Generator.from_seed(1)

    layer = Noise()
    model = keras.Sequential([keras.layers.Input((2,)), layer])

    plan = runtime.plan(model, Format.WEIGHTS)

    assert [plan.variables[i] for i in plan.seeds] == [layer.source.state]


# -- strategies --------------------------------------------------------------


@functools.cache
def _mirrored(keras, tensorflow):
    """A model in a strategy, always the same one: nobody may change it."""
    with tensorflow.distribute.MirroredStrategy(["CPU:0"]).scope():
        return fresh(keras, "convolutional").model


@pytest.mark.fit
@each_format
def test_variables_of_a_strategy_are_planned_as_they_are(
    runtime, keras, tensorflow, form, tmp_path
):
    """What several replicas keep goes into the file once."""
    model = _mirrored(keras, tensorflow)

    content = _render(runtime, runtime.plan(model, form))

    values = _values(content, form)
    _save(model, form)
    stocks = next(iter(tmp_path.iterdir())).read_bytes()
    assert values == _values(stocks, form)


def _values(content, form):
    """Name → bytes of the arrays of a file, without kerascb's note."""
    if form is Format.KERAS:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            content = archive.read("model.weights.h5")
    found = {}
    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(
            lambda name, item: found.update(
                {name: item[()].tobytes()}
                if isinstance(item, h5py.Dataset)
                else {}
            )
        )
    found.pop(NOTE_NAME, None)
    return found


# -- long names --------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 645, 646, 1291, 3000])
def test_many_names_are_cut_as_by_stock(keras, count):
    """Attributes larger than HDF5 allows are several ones."""
    stock = importlib.import_module(
        f"{keras.__name__}.src.saving.legacy.hdf5_format"
    )
    names = [f"{number:0100d}" for number in range(count)]
    with h5py.File(io.BytesIO(), "w") as file:
        encoded = [name.encode() for name in names]
        stock.save_attributes_to_hdf5_group(file, "layer_names", encoded)
        expected = _attributes(file)

    weights = legacy_hdf5.Weights((), tuple((name, ()) for name in names), ())
    layout = legacy_hdf5.lay_out(weights, note_size=1)

    with h5py.File(io.BytesIO(b"".join(layout.render([], b"")))) as file:
        assert _attributes(file) == expected


def _attributes(file):
    return {
        name: (file.attrs[name].dtype, file.attrs[name].tolist())
        for name in file.attrs
    }
