"""All that a run is at one step, and what tells two models apart."""

import pickle
from types import SimpleNamespace

import numpy as np
import pytest

from kerascb.checkpoint.backups import RunState, difference
from kerascb.checkpoint.snapshot import Arena
from kerascb.errors import BackupOfOtherModel
from kerascb.layouts import state_archive
from kerascb.runtime import FrozenArray, Position


class Shared(FrozenArray):
    """A value whose memory a variable has as well."""

    is_shared = True


def test_everything_comes_back():
    """Through one dict, and what becomes of that on a disk."""
    state = RunState(
        position=Position(3, 7),
        variables={"w": FrozenArray(np.arange(3.0))},
        callbacks={"EarlyStopping[0]": {"wait": 2, "best": np.float32(0.5)}},
        random={"python": (3, (1, 2), None)},
        data={"seed": 1 << 70},
        facts={"epochs": 5},
    )
    text, arrays = state_archive.encode(state.to_state())
    found = RunState.from_state(
        state_archive.decode(text, {k: v.array() for k, v in arrays.items()})
    )

    assert found.position == Position(3, 7)
    assert found.variables["w"].array().tolist() == [0, 1, 2]
    assert found.callbacks == state.callbacks
    assert found.random == state.random
    assert found.data == state.data
    assert found.facts == state.facts


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({}, "no backup of a run"),
        ({"kerascb": 2}, "layout 2, and this kerascb knows layout 1: install"),
    ],
)
def test_other_states(state, told):
    """What is none, and what a kerascb to come has written."""
    with pytest.raises(ValueError, match=told):
        RunState.from_state(state)


def test_settled_values_are_no_longer_the_variables():
    """What training does afterwards is not in them."""
    variable = np.arange(3.0)
    own = FrozenArray(np.ones(2))
    state = RunState(Position(0), {"w": Shared(variable), "own": own})

    state.settle(Arena())
    variable[:] = 7

    assert state.variables["w"].array().tolist() == [0, 1, 2]
    assert state.variables["own"] is own
    assert list(state.variables) == ["w", "own"]


def _model(**variables):
    return {name: np.zeros(*value) for name, value in variables.items()}


@pytest.mark.parametrize(
    ("backup", "model", "told"),
    [
        (
            _model(k=((2, 3),), b=((3,),)),
            _model(k=((2, 4),), b=((4,),)),
            "the variable 'k' has shape (2, 3) in the backup, (2, 4) in the "
            "model",
        ),
        (
            _model(k=((2,), "float32")),
            _model(k=((2,), "float16")),
            "the variable 'k' is of type float32 in the backup, float16 in the "
            "model",
        ),
        (
            _model(k=((2,),)),
            _model(k=((2,),), n=((),), m=((),)),
            "the model has the variable 'n' of shape (), the backup has none "
            "of that name",
        ),
        (
            _model(k=((2,),), n=((5,),)),
            _model(k=((2,),)),
            "the backup has the variable 'n' of shape (5,), the model has none "
            "of that name",
        ),
        (_model(a=((),), b=((),)), _model(b=((),), a=((),)), None),
    ],
)
def test_the_first_difference(backup, model, told):
    """In words; the order of the names is none."""
    assert difference(backup, model) == told


def test_variables_of_a_model(make_model):
    """Those of every Keras say what shape and type they have."""
    weights = make_model().weights
    model = {str(number): one for number, one in enumerate(weights)}
    values = {name: FrozenArray(one.numpy()) for name, one in model.items()}

    assert difference(values, model) is None


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((2, 4), None),
        ((2, 5), None),
        ((3, 4), "shape (3, 4) in the backup, (2, None) in the model"),
        ((2,), "shape (2,) in the backup, (2, None) in the model"),
    ],
)
def test_a_shape_that_is_open_takes_what_fits(shape, told):
    """As that of what lookups have learnt with Keras 2."""
    variable = SimpleNamespace(shape=(2, None), dtype=np.dtype("float64"))
    reason = difference({"k": np.zeros(shape)}, {"k": variable})

    assert reason == (told and f"the variable 'k' has {told}")


def test_strings(tensorflow):
    """TensorFlow calls the type of words otherwise than NumPy."""
    words = tensorflow.Variable([b"a"])
    value = FrozenArray(np.array([b"b"], object))

    assert difference({"s": value}, {"s": words}) is None


def test_the_error_that_tells_it():
    """It says that nothing is lost, and what to do; it can be pickled."""
    error = pickle.loads(pickle.dumps(BackupOfOtherModel("runs", "k differs")))

    assert str(error) == (
        "The backup in 'runs' is of another model: k differs. Nothing has been "
        "deleted. Pass another backup_dir, or remove the directory to train "
        "from the beginning."
    )
