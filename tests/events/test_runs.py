"""Writers of a log directory."""

import copy
import pickle

import pytest

from kerascb.errors import MissingDependency
from kerascb.events import Runs, require_tensorboard
from tests.events.reading import read
from tests.events.reading import runs as runs_in


def test_a_directory_appears_with_its_first_event(tmp_path):
    """Naming a run makes nothing."""
    runs = Runs(str(tmp_path))
    runs.directory("validation")
    runs["train"].scalars(1, {"loss": 0.5})
    runs.close()

    assert runs_in(tmp_path) == {"train"}


def test_a_run_has_one_writer(tmp_path):
    """Asking twice opens once."""
    runs = Runs(str(tmp_path))

    assert runs["train"] is runs["train"]
    runs.close()


def test_writing_after_closing_goes_on(tmp_path):
    """A second fit adds a file to the first one's."""
    runs = Runs(str(tmp_path))
    runs["train"].scalars(1, {"loss": 0.5})
    runs.close()
    runs["train"].scalars(2, {"loss": 0.25})
    runs.close()

    assert read(tmp_path / "train").curve("loss") == {1: 0.5, 2: 0.25}


def test_flush_makes_events_visible(tmp_path):
    """What was written can be read while the writer is open."""
    runs = Runs(str(tmp_path))
    runs["train"].scalars(1, {"loss": 0.5})
    runs.flush()

    assert read(tmp_path / "train").curve("loss") == {1: 0.5}
    runs.close()


@pytest.mark.parametrize(
    "clone",
    [copy.deepcopy, lambda runs: pickle.loads(pickle.dumps(runs))],
    ids=["deepcopy", "pickle"],
)
def test_a_copy_shares_no_open_file(tmp_path, clone):
    """The copy opens its own when it needs one."""
    runs = Runs(str(tmp_path))
    runs["train"].scalars(1, {"loss": 0.5})

    twin = clone(runs)

    assert twin["train"] is not runs["train"]
    twin.close()
    runs.close()


def test_a_missing_package_is_named(monkeypatch):
    """The error says who needs what, and how to get it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(MissingDependency, match=r"TensorBoard .*tensorboard"):
        require_tensorboard("TensorBoard")


@pytest.mark.parametrize("method", ["flush", "close"])
def test_one_that_fails_stops_no_other(method):
    """Every writer is flushed and closed; the error comes then."""
    called = []

    class Writer:
        def __init__(self, directory):
            self.directory = directory

        def __getattr__(self, name):
            def call():
                called.append(self.directory)
                if self.directory.endswith("b"):
                    raise OSError(28, "No space left on device")

            return call

    runs = Runs("logs", open_writer=Writer)
    for name in "abc":
        _ = runs[name]

    with pytest.raises(OSError, match="No space left"):
        getattr(runs, method)()
    assert len(called) == 3
