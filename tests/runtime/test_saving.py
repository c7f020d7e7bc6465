"""What saving is to every Keras."""

import importlib.util
from types import SimpleNamespace

import pytest

from kerascb import runtime as runtimes
from kerascb.runtime import Format, _saving
from kerascb.testing import FakeModel


@pytest.fixture
def no_tensorflow(monkeypatch):
    """Hides TensorFlow from those who look whether it is there."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: (
            None if name == "tensorflow" else found(name, *rest)
        ),
    )


@pytest.mark.usefixtures("no_tensorflow")
@pytest.mark.parametrize("weights_only", [True, False])
def test_without_tensorflow_there_are_no_options(weights_only):
    """Nothing can be an instance of a class that is not there."""
    assert runtimes.options_type(weights_only) is None


@pytest.mark.usefixtures("no_tensorflow")
def test_without_tensorflow_no_checkpoint_is_noted():
    """A folder is looked through by names and times then."""
    assert runtimes.latest_checkpoint(".") is None


@pytest.mark.usefixtures("no_tensorflow", "keras3_only")
def test_without_tensorflow_there_is_no_saved_model(runtime):
    """It is known before training that a directory cannot be written."""
    assert not runtime.can_write(Format.SAVED_MODEL)
    assert runtime.can_write(Format.KERAS)


@pytest.mark.parametrize("weights_only", [True, False])
def test_a_model_of_keras_saves_as_keras_does(make_model, weights_only):
    """What Keras brings is no saver of the model's own."""
    assert not runtimes.has_own_saver(make_model(), weights_only)


@pytest.mark.parametrize("weights_only", [True, False])
def test_a_stand_in_saves_itself(weights_only):
    """What is no Keras model decides what a path means."""
    assert runtimes.has_own_saver(FakeModel(), weights_only)


def test_keywords_that_are_not_taken_stay_behind():
    """A signature is read, not tried out."""
    taken = _saving.call_with_accepted(
        lambda path, overwrite=False: (path, overwrite),
        "p",
        overwrite=True,
        options=1,
    )

    assert taken == ("p", True)


def test_every_keyword_is_passed_where_all_are_taken():
    """`**kwargs` takes everything."""
    taken = _saving.call_with_accepted(lambda **all_: all_, a=1, b=2)

    assert taken == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("path", "made"),
    [
        ("m.keras", []),
        ("a/b/m.keras", []),
        ("hdfs://h/a/m.keras", ["hdfs://h/a"]),
        ("gs://bucket/a/m.keras", []),
    ],
)
def test_folders(tmp_path, monkeypatch, path, made):
    """Local ones are made; remote ones by TensorFlow where there are any."""
    asked = []
    monkeypatch.setattr(
        _saving, "gfile", lambda: SimpleNamespace(makedirs=asked.append)
    )

    _saving.make_parents(path)

    assert asked == made
    assert (tmp_path / "a" / "b").is_dir() == (path == "a/b/m.keras")
