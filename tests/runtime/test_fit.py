"""What is read of a running fit."""

import pytest

import kerascb
from kerascb.runtime import has_validation


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
