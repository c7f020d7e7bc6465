"""What is read of a running fit."""

import pytest

import kerascb
from kerascb.runtime import has_validation
from kerascb.runtime.fits.running_fit import StartOfFit


class Asking(kerascb.Callback):
    """Asks in every epoch whether the fit has validation data."""

    def on_train_begin(self, logs=None):
        """Begins a new list."""
        self.answers = []

    def on_epoch_end(self, epoch, logs=None):
        """Asks."""
        self.answers.append(has_validation(self.model))


@pytest.mark.fit
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"validation_freq": 2}, True),
        ({"validation_data": None}, False),
        ({"validation_data": None, "validation_split": 0.5}, True),
    ],
)
def test_knows_whether_fit_validates(make_model, data, arguments, expected):
    """However the data are given, and also in epochs without validation."""
    asking = Asking()
    arguments = {"validation_data": data, **arguments}
    make_model().fit(
        *data, epochs=2, verbose=0, callbacks=[asking], **arguments
    )

    assert asking.answers == [expected, expected]


def test_without_a_fit_there_is_no_validation():
    """A loop of the user's own is not guessed at."""
    assert has_validation(object()) is False


def test_the_fit_of_another_model_is_not_asked():
    """Only the model's own fit tells about it."""

    class Model:
        def fit(self, other, validation_data=None, validation_freq=1):
            return has_validation(other), has_validation(self)

    assert Model().fit(Model(), validation_data=1) == (False, True)


class Trains:
    """Asks in its `fit` whether a start is meant, as Keras does."""

    def fit(self, callbacks, start=None, validation_freq=1):
        """Makes a start, or asks one that was made before."""
        start = start or StartOfFit(self, 3)
        return start, start.is_meant()


class Callbacks:
    """Stands in for the list that a fit makes."""


def test_a_start_is_meant_for_the_fit_that_made_it():
    """It is read in the same `fit`."""
    assert Trains().fit(Callbacks())[1]


def test_a_start_is_not_meant_for_the_next_fit():
    """Whether or not the first one's callbacks are still there."""
    model, callbacks = Trains(), Callbacks()
    start, _ = model.fit(callbacks)

    assert not model.fit(Callbacks(), start)[1]
    del callbacks
    assert not model.fit(Callbacks(), start)[1]


def test_a_start_made_by_hand_is_meant_by_hand_only():
    """Hooks may be driven without any `fit`."""
    model = Trains()
    start = StartOfFit(model, 3)

    assert start.is_meant()
    assert not model.fit(Callbacks(), start)[1]
