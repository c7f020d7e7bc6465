"""History: what a fit returns."""

import copy
import pickle

import numpy as np
import pytest

import kerascb
from kerascb.callbacks.history import fill_history, state_of_history
from kerascb.testing import FakeModel, drive
from tests.parity import assert_equal_runs, compare


def test_fit_returns_the_instance_it_was_given(make_model, data):
    """Keras adds none of its own where ours is in the list."""
    history = kerascb.History()
    model = make_model()
    returned = model.fit(*data, epochs=2, verbose=0, callbacks=[history])

    assert returned is history
    assert model.history is history
    assert history.epoch == [0, 1]


def test_a_second_fit_is_appended():
    """`history` grows, `epoch` is of the latest fit, as in Keras."""
    history = kerascb.History()
    drive([history], epochs=[{"loss": 3.0}])
    drive([history], epochs=[{"loss": 2.0}, {"loss": 1.0}], initial_epoch=5)

    assert history.history == {"loss": [3.0, 2.0, 1.0]}
    assert history.epoch == [5, 6]


@pytest.mark.parametrize("logs", [None, {}])
def test_an_epoch_without_logs_counts(logs):
    """Nothing to record is no error."""
    history = kerascb.History()
    history.on_train_begin()
    history.on_epoch_end(0, logs)

    assert history.epoch == [0]
    assert history.history == {}


def test_params_show_what_fit_was_told(make_model, data):
    """`verbose`, `epochs` and `steps` can be read afterwards."""
    history = make_model().fit(
        *data, epochs=2, verbose=0, batch_size=8, callbacks=[kerascb.History()]
    )

    assert history.params == {"verbose": 0, "epochs": 2, "steps": 3}


@pytest.mark.parametrize(
    "copier", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_a_record_can_be_kept(copier, make_model, data):
    """History can be pickled and copied after a fit (keras#9462)."""
    history = make_model().fit(
        *data, epochs=1, verbose=0, callbacks=[kerascb.History()]
    )
    twin = copier(history)

    assert twin.history == history.history
    assert twin.epoch == history.epoch


@pytest.mark.fit
def test_records_what_stock_records(runtime, make_model, data, tmp_path):
    """The same keys in the same order with the same values."""
    stock, ours = compare(
        runtime, lambda classes: [classes.History()], make_model, data, tmp_path
    )

    assert_equal_runs(stock, ours, "history", "epoch", "params")


VALUES = [
    [0.5, float("nan"), 1e-300],
    [np.float32(0.1), np.float32(0.2)],
    [np.float64(0.1)],
    [1, 2],
    [0.5, np.float32(0.25), None, "text", True],
    [np.arange(3), [1, 2.5]],
    [],
]


class TestState:
    @pytest.fixture(params=["ours", "stock"])
    def make(self, request, stock):
        """Makes a History, ours or stock's."""
        return kerascb.History if request.param == "ours" else stock("History")

    @pytest.mark.parametrize("values", VALUES)
    def test_values_come_back_as_they_are(self, make, values):
        """Of the same types, to the last bit."""
        history, restored = make(), make()
        history.epoch, history.history = [3, 4], {"loss": values}
        restored.on_train_begin()

        fill_history(restored, state_of_history(history))

        assert restored.epoch == [3, 4]
        assert repr(restored.history) == repr(history.history)
        assert [*map(type, restored.history["loss"])] == [*map(type, values)]

    def test_recording_goes_on_below(self, make):
        """As if the run had not been interrupted."""
        history, restored = make(), make()
        for one in (history, restored):
            one.set_model(FakeModel())
            one.on_train_begin()
        history.on_epoch_end(0, {"loss": 1.0})
        fill_history(restored, state_of_history(history))

        for one in (history, restored):
            one.on_epoch_end(1, {"loss": 0.5})

        assert restored.epoch == history.epoch == [0, 1]
        assert restored.history == history.history == {"loss": [1.0, 0.5]}

    def test_what_the_interrupted_fit_left_is_replaced(self, make):
        """The instance may be the one of the fit that failed."""
        history = make()
        history.set_model(FakeModel())
        history.on_train_begin()
        history.on_epoch_end(0, {"loss": 1.0})
        state = state_of_history(history)
        history.on_epoch_end(1, {"loss": 0.5, "lr": 0.1})
        kept = history.history

        fill_history(history, state)

        assert history.history is kept
        assert (history.epoch, history.history) == ([0], {"loss": [1.0]})

    def test_state_does_not_change_with_the_history(self, make):
        """It is written while training goes on."""
        history = make()
        array = np.zeros(2)
        history.epoch, history.history = [0], {"a": [1.0], "b": [array]}
        state = state_of_history(history)

        history.epoch.append(1)
        history.history["a"].append(2.0)
        array += 1

        restored = make()
        fill_history(restored, state)
        assert restored.epoch == [0]
        assert restored.history["a"] == [1.0]
        np.testing.assert_array_equal(restored.history["b"][0], [0, 0])

    def test_what_cannot_be_stored_is_kept_as_its_text(self, make):
        """Something odd in the logs does not cost the backup."""
        history, restored = make(), make()
        history.epoch, history.history = [0], {"a": [(1, 2j)]}

        fill_history(restored, state_of_history(history))

        assert restored.history == {"a": [[1, "2j"]]}

    def test_before_any_fit(self, make):
        """There is nothing to remember, and nothing fails."""
        restored = make()
        fill_history(restored, state_of_history(make()))
        fill_history(restored, {})

        assert (restored.epoch, restored.history) == ([], {})

    def test_tensors_come_back_as_numbers(self, make, tensorflow):
        """Of the precision that they had."""
        history, restored = make(), make()
        history.epoch = [0]
        history.history = {"a": [tensorflow.constant(0.1)]}

        fill_history(restored, state_of_history(history))

        assert restored.history == {"a": [pytest.approx(0.1)]}

    def test_our_class_takes_part(self):
        """By the two methods every callback may have."""
        history, restored = kerascb.History(), kerascb.History()
        drive([history], epochs=[{"loss": 1.0}])

        restored.set_state(history.get_state())

        assert restored.history == {"loss": [1.0]}
