"""A fit that goes on sees the data that the killed one would have seen."""

import contextlib
import pickle
import sys

import numpy as np
import pytest

from kerascb.runtime.fits import order_state
from tests.runtime.fits import data_sources
from tests.runtime.fits.data_sources import STEPS

EPOCHS = 3
LAST = -1

pytestmark = [
    pytest.mark.fit,
    pytest.mark.filterwarnings(
        "ignore:`shuffle=True` was passed:UserWarning",
        "ignore:Your input ran out of data:UserWarning",
        "ignore:'set_vital' is deprecated:UserWarning",
    ),
]


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def make_recording(keras):
    """Makes models that note the samples they are trained on."""

    class Recording(keras.Model):
        """A model that notes what its steps are given."""

        def train_step(self, *arguments):
            x = arguments[-1][0]
            x = x.detach() if hasattr(x, "detach") else x
            self.notes.append(np.asarray(x).ravel().tolist())
            return super().train_step(*arguments)

        def test_step(self, *arguments):
            x = arguments[-1][0]
            x = x.detach() if hasattr(x, "detach") else x
            self.validated.append(np.asarray(x).ravel().tolist())
            return super().test_step(*arguments)

    def make(**compile_args):
        inputs = keras.layers.Input((1,))
        model = Recording(inputs, keras.layers.Dense(1)(inputs))
        vars(model)["notes"], vars(model)["validated"] = [], []
        model.compile("sgd", "mse", run_eagerly=True, **compile_args)
        return model

    return make


@pytest.fixture
def make_backup(runtime):
    """Makes callbacks that do what a backup asks of the position."""

    class Backup(runtime.stock("Callback")):
        """Ends the fit where it is told, and goes on where it was."""

        def __init__(self, kill=None, backup=None):
            super().__init__()
            self.kill, self.backup, self.made = kill, backup, None
            self.answer, self.hooks, self.logs = None, [], {}
            self.validated = None

        def on_train_begin(self, logs=None):
            self.validated = self.model.validated
            self.position = runtime.data_position(self.model)
            if self.backup:
                runtime.start_fit_at(self.model, self.backup["epoch"])

        def on_epoch_begin(self, epoch, logs=None):
            self.epoch, backup, self.backup = epoch, self.backup, None
            if backup is None:
                self.position.begin_epoch()
                return
            runtime.forget_start(self.model)
            order_state.put_back(backup["random"])
            self.answer = self.position.resume(
                epoch, backup["batch"], backup["data"]
            )

        def on_train_batch_begin(self, batch, logs=None):
            self.hooks.append((self.epoch, batch))

        def on_train_batch_end(self, batch, logs=None):
            if (self.epoch, batch) == self.kill:
                self.save(self.epoch, batch + 1, logs)

        def on_epoch_end(self, epoch, logs=None):
            self.logs[epoch] = dict(logs)
            if (epoch, None) == self.kill:
                self.save(epoch + 1, 0)

        def save(self, epoch, batch, logs=None):
            made = {
                "epoch": epoch,
                "batch": batch,
                "data": self.position.state(batch, runtime.to_python(logs)),
                "random": order_state.shared(),
            }
            self.made = pickle.loads(pickle.dumps(made))
            raise Killed

    return Backup


@pytest.fixture
def run(keras, make_recording, make_backup):
    """Fits, uninterrupted or killed again and again; returns what was seen."""

    def fit(make, callback, others=(), **arguments):
        keras.utils.set_random_seed(11)
        if "torch" in sys.modules:
            sys.modules["torch"].manual_seed(11)
        given = {"epochs": EPOCHS, "verbose": 0, **make(), **arguments}
        compile_args = given.pop("compile", {})
        model = make_recording(**compile_args)
        with contextlib.suppress(Killed):
            model.fit(**given, callbacks=[*others, callback])
        return model.notes

    def run(make, *kills, forget=False, **arguments):
        seen, callbacks, backup = [], [], None
        for kill in [*kills, None]:
            callback = make_backup(kill, backup)
            # As a process of its own would: other random numbers than before.
            seen += fit(make, callback, **arguments)
            backup = callback.made
            if backup and forget:
                backup["data"] = None
            callbacks.append(callback)
        return seen, callbacks

    return run


def _source(name):
    return data_sources.sources()[name]


KILLS = {
    "by epoch": [(0, None), (1, None)],
    "by step": [(0, 1), (0, 2), (1, 1)],
    "after the last step": [(0, STEPS - 1), (1, STEPS - 1)],
}
EXPECTED = {}


@pytest.fixture
def expected(run):
    """What a run that nobody kills sees of a source."""

    def find(name):
        if name not in EXPECTED:
            EXPECTED[name] = run(_source(name))[0]
        return EXPECTED[name]

    return find


@pytest.mark.parametrize("kills", KILLS.values(), ids=KILLS)
@pytest.mark.parametrize("name", data_sources.sources())
def test_sees_what_it_would_have_seen(run, expected, name, kills):
    """Every batch once, in the order of a run that nobody killed."""
    seen, callbacks = run(_source(name), *kills)

    assert seen == expected(name)
    assert {one.answer for one in callbacks[1:]} == {"exact"}


@pytest.mark.parametrize("name", data_sources.sources_without_a_known_order())
def test_says_why_an_order_cannot_be_had_again(run, name):
    """The data go on, though in another order, and as many of them."""
    make = data_sources.sources_without_a_known_order()[name]
    seen, callbacks = run(make, (1, 1))

    assert len(seen) == EPOCHS * STEPS
    assert callbacks[-1].answer not in {None, "exact"}


def test_says_that_arrays_are_shuffled_without_a_seed(
    run, tensorflow, monkeypatch
):
    """TensorFlow draws a seed that nobody can read, unless there is one."""
    context = pytest.importorskip("tensorflow.python.eager.context")
    monkeypatch.setattr(context, "global_seed", lambda: None)
    _, callbacks = run(data_sources.arrays_shuffled, (1, 1))

    assert "set_random_seed" in callbacks[-1].answer


@pytest.mark.parametrize(
    ("kill", "expected"),
    [
        ((1, 1), [(1, 2), (1, 3), (2, 0), (2, 1), (2, 2), (2, 3)]),
        ((1, 3), [(2, 0), (2, 1), (2, 2), (2, 3)]),
        ((1, None), [(2, 0), (2, 1), (2, 2), (2, 3)]),
    ],
)
def test_hooks_are_called_for_the_rest_with_true_indices(run, kill, expected):
    """A batch that was trained before gets no hook."""
    _, callbacks = run(data_sources.py_plain, kill)

    assert callbacks[-1].hooks == expected


@pytest.mark.parametrize("kill", [(0, 1), (0, STEPS - 1), (1, STEPS - 1)])
@pytest.mark.parametrize(
    "name",
    sorted(
        data_sources.sources().keys()
        & {"py_plain", "tf_unknown_length", "grain_shuffled"}
    ),
)
def test_epochs_have_logs_and_validation(run, data_val, name, kill):
    """Also one that is resumed when its last batch has been trained."""
    _, callbacks = run(_source(name), kill, validation_data=data_val)

    assert {epoch: set(logs) for epoch, logs in callbacks[-1].logs.items()} == {
        epoch: {"loss", "val_loss"} for epoch in range(kill[0], EPOCHS)
    }


@pytest.fixture
def data_val():
    """Samples to validate with."""
    return np.ones((4, 1), "float32"), np.ones((4, 1), "float32")


def test_steps_at_once_are_passed_over_together(run, runtime):
    """Batches are counted, not executions."""
    if runtime.backend == "torch":
        pytest.skip("torch trains one step at once")
    make = data_sources.py_plain
    arguments = {"compile": {"steps_per_execution": 2}}
    expected, _ = run(make, **arguments)
    seen, callbacks = run(make, (0, 1), (1, 3), **arguments)

    assert seen == expected
    assert callbacks[1].hooks[0] == (0, 2)


def test_batches_seen_are_not_loaded_again(run):
    """A source of kerascb is told which they are: one stands for all."""
    loaded = []

    def load(indices):
        loaded.append(len(indices))
        return np.ones((len(indices), 1)), np.ones((len(indices), 1))

    def make():
        import kerascb

        loaded.clear()
        batches = kerascb.data.IndexedBatches(load, 100, 2)
        loaded.clear()
        return {"x": batches, "shuffle": False, "epochs": 1}

    run(make, (0, 39))

    # Some for the signature of the data, and one for those passed over.
    assert 10 <= len(loaded) <= 15


def test_data_are_left_alone_without_a_resume(run, keras, make_recording):
    """A fit that asks for its position sees what one does that does not."""
    make = data_sources.py_own_generator
    watched, _ = run(make)
    keras.utils.set_random_seed(11)
    model = make_recording()
    model.fit(**make(), epochs=EPOCHS, verbose=0)

    assert watched == model.notes


def test_a_backup_that_knows_nothing_of_the_data_is_taken(runtime, run):
    """As stock's: the epoch and the batch are enough for most sources."""
    make = data_sources.py_plain
    expected, _ = run(make)
    seen, callbacks = run(make, (1, 1), forget=True)

    assert seen == expected
    assert callbacks[-1].answer == "exact"


def test_without_a_fit_there_is_no_position(runtime):
    """A loop of the user's own says so."""
    position = runtime.data_position(object())
    position.begin_epoch()

    assert position.state(1) == {}
    assert position.resume(0, 1, {}) != "exact"


@pytest.mark.parametrize("name", ["tf_shuffled", "tf_endless"])
def test_validation_goes_on_too(run, tensorflow, name):
    """With the pass that would have come next."""

    def make():
        given = _source(name)()
        steps = given.pop("steps_per_epoch", None)
        return {
            **data_sources.py_plain(),
            "validation_data": given["x"],
            "validation_steps": steps,
        }

    _, whole = run(make)
    _, resumed = run(make, (0, 1), (1, STEPS - 1))

    assert resumed[0].validated == []
    assert resumed[1].validated + resumed[2].validated == whole[0].validated


def test_a_source_that_knows_where_it_is_is_asked(run, runtime):
    """Instead of having the hooks of earlier epochs called."""

    class Source(runtime.py_dataset):
        """Gives the number of its pass, which only it knows."""

        def __init__(self):
            super().__init__()
            self.number = 0

        def __len__(self):
            return STEPS

        def __getitem__(self, index):
            x = np.full((2, 1), 10 * self.number + index, "float32")
            return x, x

        def on_epoch_end(self):
            self.number += 1 + int(np.random.randint(3))

        def get_state(self):
            return {"number": self.number}

        def set_state(self, state):
            self.number = state["number"]

    def make():
        return {"x": Source()}

    expected, _ = run(make)
    seen, callbacks = run(make, (1, 1), (2, 1))

    assert seen == expected
    assert callbacks[-1].answer == "exact"


def test_a_hook_that_shares_its_generator_is_told_of(run, keras):
    """What other code draws in between cannot be drawn again."""

    class Draws(keras.callbacks.Callback):
        """Draws from NumPy's generator in every epoch."""

        def on_epoch_begin(self, epoch, logs=None):
            np.random.rand()

    _, callbacks = run(data_sources.py_numpy_state, (1, 1), others=[Draws()])

    assert "generator of its own" in callbacks[-1].answer


def test_arrays_may_be_cut_into_epochs_of_any_length(run):
    """The part that an epoch sees begins where the one before ended."""
    make = data_sources.arrays_over_epochs
    expected, _ = run(make)
    seen, _ = run(make, (0, None), (1, 0))

    assert seen == expected


def test_an_order_that_races_is_told_of(run, keras2_only):
    """Keras 2's workers shuffle ahead, from the state that all code shares."""
    make = lambda: {**data_sources.py_workers(), "shuffle": True}  # noqa: E731
    _, callbacks = run(make, (1, 1))

    assert "workers=1" in callbacks[-1].answer
