"""SwapEMAWeights: the moving average in the place of the weights."""

import copy
import pickle

import numpy as np
import pytest

from kerascb import Callback, EarlyStopping, SwapEMAWeights
from kerascb.errors import InvalidArgument
from kerascb.testing import FakeModel
from tests import parity

# Keras's own `get_weights`, since NumPy 2.


class Look(Callback):
    """Notes the weights at some events."""

    def __init__(self, error_at=None):
        super().__init__()
        self.seen = {}
        self.error_at = error_at

    def note(self, event):
        """Keeps the weights as they are now."""
        self.seen[event] = self.model.get_weights()
        if event == self.error_at:
            raise RuntimeError("killed")

    def on_epoch_begin(self, epoch, logs=None):
        """Notes the weights."""
        self.note(f"begin {epoch}")

    def on_test_begin(self, logs=None):
        """Notes the weights."""
        self.note("test begin")

    def on_test_end(self, logs=None):
        """Notes the weights."""
        self.note("test end")

    def on_epoch_end(self, epoch, logs=None):
        """Notes the weights."""
        self.note(f"end {epoch}")


@pytest.fixture
def ema_model(keras, make_model):
    """Builds models whose optimizer keeps averages."""

    def make(wrap=None, seed=1, **arguments):
        optimizer = keras.optimizers.SGD(
            0.5, use_ema=True, ema_momentum=0.6, **arguments
        )
        return make_model(wrap(optimizer) if wrap else optimizer, seed=seed)

    return make


@pytest.fixture
def fit(data):
    """Fits, without shuffling and validating on the same data."""

    def fit(model, *callbacks, epochs=2, **arguments):
        return model.fit(
            *data,
            epochs=epochs,
            callbacks=list(callbacks),
            shuffle=False,
            verbose=0,
            **{"validation_data": data} | arguments,
        )

    return fit


def same(one, other):
    """Whether two lists of weights are equal to the bit."""
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.fit
def test_validation_sees_the_average(ema_model, fit):
    """The weights `fit` ends with, one epoch ahead of its end."""
    model, look = ema_model(), Look()
    fit(model, SwapEMAWeights(), look, epochs=1)

    assert same(look.seen["test begin"], model.get_weights())


@pytest.mark.fit
def test_weights_come_back_to_the_bit(ema_model, fit):
    """Stock adds and subtracts, which rounds."""
    plain, swapped = Look(), Look()
    fit(ema_model(), plain, validation_data=None, epochs=3)
    fit(ema_model(), SwapEMAWeights(), swapped, epochs=3)

    assert same(plain.seen["end 2"], swapped.seen["test end"])


@pytest.mark.fit
def test_between_epochs_the_average_is_shown_if_asked(ema_model, fit):
    """To the callbacks that come later, and no longer than that."""
    plain, look = Look(), Look()
    fit(ema_model(), plain, validation_data=None)
    model = ema_model()
    fit(model, SwapEMAWeights(swap_on_epoch=True), look)

    assert same(look.seen["end 1"], model.get_weights())
    assert same(look.seen["begin 1"], plain.seen["begin 1"])


@pytest.mark.fit
@pytest.mark.parametrize("order", [1, -1])
def test_early_stop_ends_with_the_average(ema_model, fit, order):
    """With stock it ended with the weights before the average."""
    legitimate, stopped = ema_model(), ema_model()
    fit(legitimate, SwapEMAWeights(swap_on_epoch=True), epochs=2)
    stop = EarlyStopping(monitor="loss", mode="max", patience=1)
    callbacks = [SwapEMAWeights(swap_on_epoch=True), stop]
    record = fit(stopped, *callbacks[::order], epochs=9)

    assert record.epoch == [0, 1]
    assert same(stopped.get_weights(), legitimate.get_weights())


@pytest.mark.fit
def test_predict_gives_the_weights_back(ema_model, fit, data):
    """Stock left the average in the model, for good."""
    model, swap = ema_model(), SwapEMAWeights()
    fit(model, validation_data=None)
    before = [weight + 1 for weight in model.get_weights()]
    model.set_weights(before)
    predicted = model.predict(data[0], verbose=0, callbacks=[swap])

    assert same(model.get_weights(), before)
    assert not swap._ema_weights_in_model
    assert not np.allclose(predicted, model.predict(data[0], verbose=0))


@pytest.mark.fit
def test_before_the_first_step_nothing_is_swapped(ema_model, data):
    """There is no average; stock of Keras 3 evaluated zeros or raised."""
    model = ema_model()
    plain = model.evaluate(*data, verbose=0)
    shown = model.evaluate(*data, verbose=0, callbacks=[SwapEMAWeights()])

    assert shown == plain


@pytest.mark.fit
def test_weights_are_put_back_after_an_error(ema_model, fit):
    """An error within the validation; then training goes on."""
    model, swap, look = ema_model(), SwapEMAWeights(), Look("test begin")
    with pytest.raises(RuntimeError, match="killed"):
        fit(model, swap, look, epochs=1)
    plain, after = Look(), Look()
    fit(ema_model(), plain, epochs=1, validation_data=None)
    fit(model, swap, after, epochs=1)

    assert same(after.seen["begin 0"], plain.seen["end 0"])


@pytest.mark.fit
def test_weights_given_after_an_error_stay(ema_model, fit):
    """What the user has loaded meanwhile is not overwritten."""
    model, swap = ema_model(), SwapEMAWeights()
    with pytest.raises(RuntimeError, match="killed"):
        fit(model, swap, Look("test begin"), epochs=1)
    given = [weight + 1 for weight in model.get_weights()]
    model.set_weights(given)
    look = Look()
    fit(model, swap, look, epochs=1)

    assert same(look.seen["begin 0"], given)


@pytest.mark.fit
def test_loss_scaling_does_not_hide_the_average(keras, ema_model, fit):
    """The optimizer within is looked for."""
    wrapper = (
        getattr(keras.optimizers, "LossScaleOptimizer", None)
        or keras.mixed_precision.LossScaleOptimizer
    )
    model, look = ema_model(wrapper), Look()
    fit(model, SwapEMAWeights(), look)

    assert not same(look.seen["test begin"], look.seen["test end"])


@pytest.mark.fit
def test_optimizer_without_average_is_told_before_an_epoch_is_wasted(
    make_model, fit
):
    """In stock's words, which come with the first validation."""
    look = Look()
    with pytest.raises(
        InvalidArgument,
        match="SwapEMAWeights must be used when `use_ema=True` is set",
    ):
        fit(make_model("sgd"), SwapEMAWeights(), look)

    assert look.seen == {}


def test_several_optimizers_without_average_are_refused():
    """In stock's words."""
    model = FakeModel()
    model.optimizer.optimizers = [FakeModel().optimizer]
    swap = SwapEMAWeights()
    swap.set_model(model)

    with pytest.raises(ValueError, match="at least one inner optimizer"):
        swap.on_train_begin()


def test_hooks_without_anything_to_put_back_do_nothing():
    """Driven by hand, in any order."""
    swap = SwapEMAWeights()
    swap.set_model(FakeModel())
    swap.on_test_end()
    swap.on_predict_end()
    swap.on_epoch_begin(0)
    swap.on_epoch_end(0)
    swap.on_train_end()

    assert not swap._ema_weights_in_model


@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_it_can_be_copied_and_pickled(again):
    """The weights that are kept stay behind."""
    swap = SwapEMAWeights(swap_on_epoch=True)
    swap._kept = ((object(), object(), lambda: None),)
    twin = again(swap)

    assert (twin.swap_on_epoch, twin._kept) == (True, ())


@pytest.mark.fit
def test_history_equals_stocks(runtime, ema_model, data, tmp_path, keras3_only):
    """Stock's rounding apart."""
    stock, ours = parity.compare(
        runtime,
        lambda classes: [classes.SwapEMAWeights()],
        ema_model,
        data,
        tmp_path,
    )

    assert list(ours.history) == list(stock.history)
    np.testing.assert_allclose(
        ours.history["val_loss"], stock.history["val_loss"], rtol=1e-5
    )
    assert (ours.warned, ours.printed) == (stock.warned, stock.printed)
