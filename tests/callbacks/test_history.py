"""History: what a fit returns."""

import copy
import pickle

import pytest

import kerascb
from kerascb.testing import drive
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
