"""CallbackList: what it hands on, to whom, and in which order."""

import numpy as np
import pytest

import kerascb
from kerascb.errors import InvalidArgument
from kerascb.testing import FakeModel
from tests.parity import untimed


class Noting(kerascb.Callback):
    """Notes every event of training it is told of."""

    def __init__(self, name="", notes=None):
        super().__init__()
        self.name = name
        self.notes = [] if notes is None else notes

    def on_epoch_begin(self, epoch, logs=None):
        self.notes.append((self.name, "epoch_begin", epoch, logs))

    def on_epoch_end(self, epoch, logs=None):
        self.notes.append((self.name, "epoch_end", epoch, dict(logs)))

    def on_train_batch_end(self, batch, logs=None):
        self.notes.append((self.name, "batch_end", batch, dict(logs)))


class Stranger:
    """No Callback at all: Keras asks for methods, not for a class."""

    def __init__(self):
        self.heard = []

    def __getattr__(self, name):
        if name.startswith("on_"):
            return lambda *args, **kwargs: self.heard.append(name)
        raise AttributeError(name)

    def set_model(self, model):
        self.heard.append("set_model")

    def set_params(self, params):
        self.heard.append("set_params")


def test_is_a_list_of_the_keras_in_force(stock):
    """`fit` takes it as it is."""
    assert issubclass(kerascb.CallbackList, stock("CallbackList"))


def test_is_a_callback():
    """It can stand in another list."""
    assert issubclass(kerascb.CallbackList, kerascb.Callback)


def test_takes_nested_lists_apart():
    """Also where Keras 3 fails on them: with JAX and torch."""
    one, two = kerascb.Callback(), kerascb.Callback()

    assert list(kerascb.CallbackList([one, [two, [one]]])) == [one, two, one]


def test_one_callback_needs_no_list():
    """As in Keras."""
    one = kerascb.Callback()

    assert list(kerascb.CallbackList(one)) == [one]


def test_appended_callbacks_get_what_the_others_have():
    """`append`, which Keras 3 documents and lacks, hands on the model."""
    model, late = FakeModel(), kerascb.Callback()
    callbacks = kerascb.CallbackList([], model=model, epochs=3)
    callbacks.append(late)

    assert late.model is model
    assert late.params == {"epochs": 3}


def test_defaults_come_last():
    """The user's, then History, then the progress bar."""
    mine = kerascb.Callback()
    callbacks = kerascb.CallbackList(
        [mine], add_history=True, add_progbar=True, verbose=1, epochs=1, steps=1
    )

    assert [type(one) for one in callbacks] == [
        kerascb.Callback,
        kerascb.History,
        kerascb.ProgbarLogger,
    ]


def test_adds_no_default_twice():
    """A History and a bar that are there are used, ours or stock's."""
    callbacks = kerascb.CallbackList(
        [kerascb.History(), kerascb.ProgbarLogger()],
        add_history=True,
        add_progbar=True,
    )

    assert len(callbacks.callbacks) == 2


def test_no_model_is_no_error():
    """In Keras 3, `.model` of a list without one raises."""
    assert kerascb.CallbackList([]).model is None


def test_each_event_goes_to_all_in_order():
    """One after the other, the same event."""
    notes = []
    callbacks = kerascb.CallbackList([Noting("a", notes), Noting("b", notes)])
    callbacks.on_epoch_begin(2)

    assert notes == [("a", "epoch_begin", 2, {}), ("b", "epoch_begin", 2, {})]


def test_what_one_adds_the_next_ones_see():
    """The callbacks share one dict an event (tf#45895)."""

    class Adding(kerascb.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["extra"] = 7

    noting = Noting()
    callbacks = kerascb.CallbackList([Adding(), noting])
    callbacks.on_epoch_end(0, {"loss": 1.0})

    assert noting.notes == [("", "epoch_end", 0, {"loss": 1.0, "extra": 7})]


def test_the_callers_logs_stay_as_they_are():
    """Additions are for the callbacks, not for the trainer."""
    given = {"loss": np.float32(0.5)}
    callbacks = kerascb.CallbackList(
        [kerascb.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.clear())]
    )
    callbacks.on_epoch_end(0, given)

    assert given == {"loss": np.float32(0.5)}


def test_tensors_arrive_as_python_floats(keras):
    """They are converted for those who listen."""
    noting = Noting()
    convert = getattr(keras, "ops", keras.backend)
    one = getattr(convert, "convert_to_tensor", None) or convert.constant
    callbacks = kerascb.CallbackList([noting])
    callbacks.on_train_begin()
    callbacks.on_train_batch_end(0, {"loss": one(1.0)})
    [(_, _, _, logs)] = noting.notes

    assert logs == {"loss": 1.0}
    assert type(logs["loss"]) is float


def test_nothing_is_converted_where_nobody_listens(runtime, monkeypatch):
    """A batch without listeners costs no look at its values."""

    def fail(logs):
        raise AssertionError

    callbacks = kerascb.CallbackList([kerascb.Callback()])
    monkeypatch.setattr(
        type(runtime), "to_python", lambda self, logs: fail(logs)
    )
    callbacks.on_train_batch_end(0, {"loss": object()})


def test_keras_2_hands_tensors_to_those_who_take_them(keras2_only):
    """Where all listeners take tensors, none is read."""
    tensor, seen = object(), []

    class Taking(kerascb.Callback):
        _supports_tf_logs = True

        def on_train_batch_end(self, batch, logs=None):
            seen.append(logs["loss"])

    kerascb.CallbackList([Taking()]).on_train_batch_end(0, {"loss": tensor})

    assert seen == [tensor]


def test_a_hook_that_appears_in_mid_fit_is_called():
    """From the next epoch on."""
    seen, callback = [], kerascb.Callback()
    callbacks = kerascb.CallbackList([callback])
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    callbacks.on_train_batch_end(0)
    callback.on_train_batch_end = lambda batch, logs=None: seen.append(batch)
    callbacks.on_epoch_begin(1)
    callbacks.on_train_batch_end(5)

    assert seen == [5]


@pytest.mark.parametrize("mode", ["train", "test", "predict"])
def test_tells_which_batch_hooks_it_would_call(mode):
    """As Keras 2's own list does, in the same attributes."""
    callback = kerascb.Callback()
    setattr(callback, f"on_{mode}_batch_end", lambda batch, logs=None: None)
    callbacks = kerascb.CallbackList([callback])

    called = {
        name
        for name in ("train", "test", "predict")
        if getattr(callbacks, f"_should_call_{name}_batch_hooks")
    }

    assert called == {mode}


def test_an_end_without_a_beginning_is_told(keras3_only):
    """Keras 3's check of its own trainers."""
    with pytest.raises(ValueError, match="without corresponding"):
        kerascb.CallbackList([]).on_train_end()


def test_an_end_alone_is_allowed_by_hand(keras2_only):
    """Loops written for Keras 2 need no begin hook."""
    kerascb.CallbackList([Noting()]).on_train_end()


def test_the_record_of_a_fit_survives_an_evaluation():
    """A list made for `evaluate` does not take `model.history` away."""
    model = FakeModel()
    fit = kerascb.CallbackList([], add_history=True, model=model)
    fit.on_train_begin()
    record = model.history
    kerascb.CallbackList([], add_history=True, model=model).on_test_begin()

    assert model.history is record


def test_takes_what_is_no_callback():
    """Objects with the right methods are enough."""
    stranger = Stranger()
    callbacks = kerascb.CallbackList([stranger], model=FakeModel(), epochs=1)
    callbacks.on_train_begin()
    callbacks.on_train_batch_end(0, {"loss": 1.0})

    assert stranger.heard == [
        "set_model", "set_params", "on_train_begin", "on_train_batch_end",
    ]  # fmt: skip


@pytest.mark.fit
def test_a_fit_takes_it_as_it_is(make_model, data, capsys):
    """A list with History and bar gives the History of a plain fit."""
    plain = make_model().fit(*data, epochs=2, verbose=2)
    printed_by_plain = capsys.readouterr().out
    model = make_model()
    callbacks = kerascb.CallbackList(
        [], add_history=True, add_progbar=True, model=model,
        verbose=2, epochs=2, steps=1,
    )  # fmt: skip
    listed = model.fit(*data, epochs=2, callbacks=callbacks)

    assert listed.history == plain.history
    assert untimed(capsys.readouterr().out) == untimed(printed_by_plain)


@pytest.mark.fit
def test_stops_in_the_middle_of_an_epoch(make_model, data):
    """`stop_training` set at a batch ends the loop there (tf#41174)."""

    class Stopping(kerascb.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.seen = batch
            self.model.stop_training = batch == 1

    stopping = Stopping()
    make_model().fit(
        *data, epochs=3, batch_size=4, verbose=0, callbacks=[stopping]
    )

    assert stopping.seen == 1


def test_text_is_no_callback():
    """A string is a sequence of strings for ever."""
    with pytest.raises(InvalidArgument, match="'abc'"):
        kerascb.CallbackList("abc")


def test_a_wrapper_of_data_parallel_torch_is_looked_through(
    runtime, monkeypatch
):
    """`stop_training` reaches the model that `fit` looks at."""

    class DistributedDataParallel:
        def __init__(self, module):
            self.module = module

    if runtime.name != "keras3":
        pytest.skip("about Keras 3")

    class Stopping(kerascb.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self._bare_model.stop_training = True

    monkeypatch.setattr(runtime, "backend", "torch")
    model = FakeModel()
    callbacks = kerascb.CallbackList(
        [Stopping()],
        add_history=True,
        model=DistributedDataParallel(model),
    )
    callbacks.on_train_begin()
    callbacks.on_train_batch_end(0, {"loss": 1.0})
    callbacks.on_epoch_end(0, {})

    assert model.stop_training is True
    assert model.history is callbacks.callbacks[-1]
