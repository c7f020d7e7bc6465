"""The base class, on its own and in a list of stock's."""

import copy
import pickle

import pytest

import kerascb
from kerascb.callbacks.callback import batch_hook, is_default
from kerascb.testing import drive

HOOKS = [
    f"on_{scope}_{end}"
    for scope in (
        "train", "test", "predict", "epoch", "batch",
        "train_batch", "test_batch", "predict_batch",
    )
    for end in ("begin", "end")
]  # fmt: skip
BATCH_HOOKS = [hook for hook in HOOKS if "batch" in hook]


class Uninitialised(kerascb.Callback):
    """A user's class that forgets `super().__init__()`."""

    def __init__(self):
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(epoch)


class OnlyEvery(kerascb.Callback):
    """Has a batch hook only while `every` is set."""

    def __init__(self, every):
        super().__init__()
        self.every = every
        self.seen = []

    @batch_hook(lambda self: self.every is not None)
    def on_train_batch_end(self, batch, logs=None):
        """Notes the batch."""
        self.seen.append(batch)


def test_is_a_callback_of_the_keras_in_force(stock):
    """`isinstance` against stock's base class holds."""
    assert issubclass(kerascb.Callback, stock("Callback"))


@pytest.mark.parametrize("hook", HOOKS)
def test_has_every_hook(hook):
    """Each hook of `fit`, `evaluate` and `predict` is there and idle."""
    callback = kerascb.Callback()
    args = (0,) if ("epoch" in hook or "batch" in hook) else ()

    assert getattr(callback, hook)(*args, logs=None) is None


@pytest.mark.parametrize("hook", BATCH_HOOKS)
def test_empty_batch_hooks_are_marked_as_such(hook):
    """Stock's lists pass over hooks that carry the mark."""
    assert is_default(getattr(kerascb.Callback(), hook))


def test_knows_nothing_before_it_is_in_a_list():
    """`model`, `params` and `validation_data` can be read at once."""
    callback = kerascb.Callback()

    assert callback.model is None
    assert callback.params is None
    assert callback.validation_data is None


def test_the_model_can_be_assigned():
    """Code for Keras 2 writes `callback.model = model`; Keras 3 refuses."""
    callback, model = kerascb.Callback(), object()
    callback.model = model

    assert callback.model is model


def test_needs_no_super_init():
    """A subclass that does not initialise its base works."""
    callback = Uninitialised()
    drive([callback], epochs=[{"loss": 1.0}, {"loss": 0.5}])

    assert callback.seen == [0, 1]


@pytest.mark.parametrize(("every", "expected"), [(None, []), (1, [0, 1, 2])])
def test_a_batch_hook_is_there_while_it_is_needed(every, expected):
    """What the decorator is asked of the instance decides."""
    callback = OnlyEvery(every)
    drive([callback], losses=[1.0, 0.5, 0.25])

    assert callback.seen == expected
    assert is_default(callback.on_train_batch_end) == (every is None)


@pytest.mark.parametrize(("every", "implements"), [(None, False), (1, True)])
def test_tells_keras_2_whether_it_has_batch_hooks(every, implements):
    """The question that the list of Keras 2 asks is answered per instance."""
    callback = OnlyEvery(every)

    assert callback._implements_train_batch_hooks() is implements
    assert callback._implements_test_batch_hooks() is False
    assert callback._implements_predict_batch_hooks() is False


def test_an_older_hook_counts_as_a_batch_hook():
    """`on_batch_end` is a training batch's hook by its older name."""
    callback = kerascb.LambdaCallback(on_batch_end=lambda batch, logs: None)

    assert callback._implements_train_batch_hooks()


@pytest.mark.parametrize(
    "copier", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_a_copy_leaves_the_model_behind(copier, make_model):
    """Pickling a callback does not pickle the model (keras#9462)."""
    callback = Uninitialised()
    callback.set_model(make_model())
    callback.seen.append(3)
    twin = copier(callback)

    assert twin.model is None
    assert twin.seen == [3]


@pytest.mark.fit
def test_works_in_a_fit_of_the_other_keras(is_keras3, data):
    """One class serves a tf_keras model in a process of Keras 3."""
    if not is_keras3:
        pytest.skip("needs both in one process")
    other = pytest.importorskip("tf_keras")
    callback = Uninitialised()
    model = other.Sequential([other.layers.Dense(3, input_shape=(4,))])
    model.compile("sgd", "mse")
    x, y = data
    model.fit(
        x,
        other.utils.to_categorical(y, 3),
        epochs=2,
        verbose=0,
        callbacks=[callback],
    )

    assert callback.seen == [0, 1]
