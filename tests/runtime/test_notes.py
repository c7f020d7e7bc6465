"""Notes inside checkpoints, and the random states they bring back."""

import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import kerascb
from kerascb import runtime as runtimes
from kerascb.layouts import notes
from kerascb.layouts.tensor_bundle import bundle
from kerascb.runtime import Format
from kerascb.runtime._notes import restore_seeds

pytestmark = pytest.mark.filterwarnings(
    "ignore:You are saving your model as an HDF5 file:UserWarning",
    "ignore:The `native_serialization` parameter:DeprecationWarning",  # JAX's
)

NOTE = {"epoch": 2, "metrics": {"loss": 0.5}}
FORMS = {
    "m.keras": Format.KERAS,
    "m.h5": Format.HDF5,
    "m.weights.h5": Format.WEIGHTS,
    "old.h5": Format.HDF5_WEIGHTS,
}


def _put_note(path, note):
    """Puts a note into a file that has none."""
    content = notes.encode(note)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path, "a") as archive:
            archive.comment = content
    else:
        with h5py.File(path, "a") as file:
            file["kerascb"] = np.frombuffer(content.ljust(4000), np.uint8)


def _with_dropout(keras):
    model = keras.Sequential(
        [
            keras.layers.Input((4,)),
            keras.layers.Dropout(0.5, seed=1),
            keras.layers.Dense(2),
            keras.layers.GaussianNoise(1.0, seed=2),
        ]
    )
    model.compile("sgd", "mse")
    return model


def _seeds_of(model):
    from kerascb.runtime._saving3 import seeds_of

    return [np.asarray(variable) for variable in seeds_of(model)]


@pytest.mark.parametrize(("name", "form"), FORMS.items())
def test_is_read_from_a_file(tmp_path, make_model, runtime, name, form):
    """Keras opens the file as before."""
    path, model = str(tmp_path / name), make_model()
    runtime.save(model, path, form)
    assert runtimes.read_note(path) is None
    _put_note(path, NOTE)

    assert runtimes.read_note(path) == NOTE
    kerascb.load_weights(make_model(), path)


def _write_bundle(prefix, note):
    for name, layout in bundle([]).items():
        Path(f"{prefix}{name}").write_bytes(b"".join(layout.render([], note)))


@pytest.mark.usefixtures("tensorflow")
def test_is_read_from_a_directory(tmp_path):
    """It stands among the variables."""
    variables = tmp_path / "d" / "variables"
    variables.mkdir(parents=True)
    assert runtimes.read_note(str(tmp_path / "d")) is None
    _write_bundle(variables / "variables", notes.encode(NOTE))

    assert runtimes.read_note(str(tmp_path / "d")) == NOTE


def test_is_read_from_a_tensorflow_checkpoint(tmp_path, tensorflow):
    """It is a string among the tensors."""
    prefix = str(tmp_path / "c")
    tensorflow.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=["kerascb/note"],
        shape_and_slices=[""],
        tensors=[tensorflow.constant(notes.encode(NOTE))],
    )

    assert runtimes.read_note(prefix) == NOTE


@pytest.mark.parametrize("content", [b"", b"not an index"])
def test_a_damaged_checkpoint_has_none(tmp_path, content):
    """Nor is it an error, wherever TensorFlow is or is not."""
    (tmp_path / "c.index").write_bytes(content)

    assert runtimes.read_note(str(tmp_path / "c")) is None


def test_stocks_checkpoint_has_none(tmp_path, tensorflow):
    """It is one of TensorFlow's own."""
    prefix = str(tmp_path / "c")
    tensorflow.train.Checkpoint(x=tensorflow.Variable(1.0)).write(prefix)

    assert runtimes.read_note(prefix) is None


@pytest.mark.parametrize(("name", "form"), FORMS.items())
@pytest.mark.parametrize("whole", [True, False])
def test_random_states_come_back(
    tmp_path, keras, runtime, keras3_only, name, form, whole
):
    """Dropout goes on where it was, which no Keras file alone can tell."""
    if whole and form.is_weights:
        pytest.skip("weights only")
    path = str(tmp_path / name)
    runtime.save(_with_dropout(keras), path, form)
    _put_note(path, {**NOTE, "seeds": [[7, 2**31 - 1], [5, 6]]})

    if whole:
        model = kerascb.load_model(path)
    else:
        model = _with_dropout(keras)
        kerascb.load_weights(model, path)

    found = [seed.tolist() for seed in _seeds_of(model)]
    assert found == [[7, 2**31 - 1], [5, 6]]


def test_random_states_of_another_backend(
    tmp_path, keras, runtime, keras3_only
):
    """Their numbers may have a sign there, and are taken bit by bit."""
    path = str(tmp_path / "m.weights.h5")
    model = _with_dropout(keras)
    runtime.save(model, path, Format.WEIGHTS)
    _put_note(path, {**NOTE, "seeds": [[7, 2**32 - 1], [5, -1]]})

    kerascb.load_weights(model, path)

    first, second = (seed.astype("uint32") for seed in _seeds_of(model))
    assert [first.tolist(), second.tolist()] == [
        [7, 2**32 - 1],
        [5, 2**32 - 1],
    ]


@pytest.mark.parametrize("seeds", [None, [[1, 2]], [[1, 2, 3], [4, 5, 6]]])
def test_those_of_another_model_do_not(
    tmp_path, keras, runtime, keras3_only, seeds
):
    """More or fewer generators, or of another kind: all stay as they are."""
    model = _with_dropout(keras)
    path = str(tmp_path / "m.weights.h5")
    runtime.save(model, path, Format.WEIGHTS)
    _put_note(path, NOTE if seeds is None else {**NOTE, "seeds": seeds})
    before = [seed.tolist() for seed in _seeds_of(model)]

    kerascb.load_weights(model, path)

    assert [seed.tolist() for seed in _seeds_of(model)] == before


def test_keras_2_has_generators_too(tmp_path, keras2_only, tensorflow):
    """Where `rng_type="stateful"` makes them variables."""
    generator = tensorflow.random.Generator.from_seed(1)
    state = [2**62, -5, 3]
    _write_bundle(tmp_path / "c", notes.encode({"seeds": [state]}))

    restore_seeds([generator.state], str(tmp_path / "c"))

    assert generator.state.numpy().tolist() == state
