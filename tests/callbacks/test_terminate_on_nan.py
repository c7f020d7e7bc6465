"""TerminateOnNaN: the end of a run that went bad."""

import pickle

import numpy as np
import pytest

import kerascb
from kerascb.errors import InvalidArgument
from kerascb.testing import drive
from tests.parity import assert_equal_runs, compare

NAN, INF = float("nan"), float("inf")


class Model:
    """What the callback needs of a model."""

    stop_training = False


def drive_batches(callback, losses, steps=100):
    """Yields the index of each batch after its end, stopped or not."""
    callback.model = Model()
    callback.set_params({"epochs": 1, "steps": steps})
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    for batch, loss in enumerate(losses):
        callback.on_batch_end(batch, {"loss": loss})
        yield batch


class Device:
    """A device whose values are ready when the test says so.

    Attributes:
        awaited: Which values the host has waited for.
    """

    def __init__(self):
        self.awaited = []
        self._values = []
        self._computed = 0

    def values(self, *numbers):
        """What the batches log: numbers of values on the device."""
        self._values = numbers
        return [np.array(index) for index in range(len(numbers))]

    def compute(self, count):
        """Has the first so many ready."""
        self._computed = count

    def begin_read(self, values):
        """Stands for the runtime's."""
        return _Read(self, [int(value) for value in values])

    def is_computed(self, index):
        return index < self._computed

    def read(self, index):
        if not self.is_computed(index):
            self.awaited.append(index)
        return self._values[index]


class _Read:
    def __init__(self, device, indices):
        self._device = device
        self._indices = indices

    def is_ready(self):
        return all(map(self._device.is_computed, self._indices))

    def result(self):
        return [*map(self._device.read, self._indices)]


@pytest.fixture
def device(runtime, monkeypatch):
    """A device that reads of the runtime go to."""
    device = Device()
    monkeypatch.setattr(runtime, "begin_read", device.begin_read)
    return device


@pytest.mark.parametrize(
    "bad", [NAN, INF, -INF, np.float32(NAN), np.array(INF)]
)
def test_stops_after_the_first_bad_batch(bad, capsys):
    """The loop ends on the batch that went bad, and says which it was."""
    run = drive([kerascb.TerminateOnNaN()], losses=[0.3, bad, 0.2])

    assert run.batches_seen == 2
    assert capsys.readouterr().out == (
        "Batch 1: Invalid loss, terminating training\n"
    )


def test_a_finite_loss_goes_on(capsys):
    """Nothing is said and nothing stopped."""
    run = drive([kerascb.TerminateOnNaN()], losses=[0.3, 1e30, 0.2])

    assert run.batches_seen == 3
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("logs", [None, {}, {"accuracy": NAN}])
def test_a_batch_without_a_loss_passes(logs):
    """Only `loss` is looked at."""
    callback = kerascb.TerminateOnNaN()

    assert callback.on_batch_end(0, logs) is None


def test_names_a_batch_that_was_there(capsys):
    """Keras 3 counts on to 11 with four steps an execution and ten batches."""
    callback = kerascb.TerminateOnNaN()
    callback.model = type("Model", (), {"stop_training": False})()
    callback.set_params({"verbose": 0, "epochs": 1, "steps": 10})
    callback.on_train_batch_end(11, {"loss": NAN})

    assert "Batch 9: Invalid loss" in capsys.readouterr().out


def test_raises_where_it_is_told_to():
    """`raise_error` leaves the fit at once, so that backups survive."""
    with pytest.raises(
        RuntimeError, match="NaN or Inf loss encountered at batch 0"
    ):
        drive([kerascb.TerminateOnNaN(raise_error=True)], losses=[NAN])


def test_sees_a_bad_epoch_of_a_loop_without_batches(capsys):
    """A loop that reports no batches is stopped as well (keras#6747)."""
    callback = kerascb.TerminateOnNaN()
    callback.model = type("Model", (), {"stop_training": False})()
    callback.on_epoch_end(4, {"loss": NAN})

    assert callback.model.stop_training is True
    assert capsys.readouterr().out == (
        "Epoch 5: Invalid loss, terminating training\n"
    )


# -- arguments ---------------------------------------------------------------


@pytest.mark.parametrize("bad", [0, -1, 1.5, True, "2", None])
def test_check_every_is_a_count(bad):
    """Told early."""
    with pytest.raises(InvalidArgument, match="check_every="):
        kerascb.TerminateOnNaN(check_every=bad)


@pytest.mark.parametrize("bad", [None, 3, [], [1], ["mae", None]])
def test_metrics_are_names(bad):
    """Told early."""
    with pytest.raises(InvalidArgument, match="metrics="):
        kerascb.TerminateOnNaN(metrics=bad)


def test_additions_are_keyword_only():
    """The only positional argument is Keras 3's."""
    with pytest.raises(TypeError):
        kerascb.TerminateOnNaN(False, 10)


# -- check_every -------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "steps", "named"),
    [(0, 10, 3), (3, 10, 3), (4, 10, 7), (8, 10, 9), (8, None, None)],
)
def test_looks_at_every_fourth_batch_and_the_last(bad, steps, named, capsys):
    """The loss is a mean, which stays NaN until the epoch ends."""
    callback = kerascb.TerminateOnNaN(check_every=4)
    losses = [0.5] * bad + [NAN] * (10 - bad)
    for batch in drive_batches(callback, losses, steps=steps):
        if callback.model.stop_training:
            assert batch == named
            break
    callback.on_epoch_end(0, {"loss": losses[-1]})

    label = "Epoch 1" if named is None else f"Batch {named}"
    assert capsys.readouterr().out == (
        f"{label}: Invalid loss, terminating training\n"
    )


def test_a_resumed_run_goes_on_counting(capsys):
    """It checks the batches that it would have checked."""
    killed = kerascb.TerminateOnNaN(check_every=4)
    for _ in drive_batches(killed, [0.5] * 6):
        pass
    resumed = kerascb.TerminateOnNaN(check_every=4)
    resumed.model = Model()
    resumed.on_train_begin()
    resumed.set_state(killed.get_state())
    resumed.on_batch_end(6, {"loss": NAN})
    assert not resumed.model.stop_training
    resumed.on_batch_end(7, {"loss": NAN})

    assert resumed.model.stop_training


# -- metrics -----------------------------------------------------------------


@pytest.mark.parametrize("metrics", [True, "mae", ["mae"], {"mae": 1}])
def test_metrics_are_looked_at_if_asked(metrics, capsys):
    """By their names, or all of them (pl#6848)."""
    callback = kerascb.TerminateOnNaN(metrics=metrics)
    drive([callback], epochs=[{"loss": 0.5, "mae": INF}], steps=2)

    assert callback.reason == "Invalid mae at batch 0"
    assert capsys.readouterr().out == (
        "Batch 0: Invalid mae, terminating training\n"
    )


@pytest.mark.parametrize("metrics", [False, ["loss"], "auc"])
def test_other_metrics_are_not_looked_at(metrics, warned):
    """Some may rightly be infinite."""
    callback = kerascb.TerminateOnNaN(metrics=metrics)
    drive([callback], epochs=[{"loss": 0.5, "auc": 1.0, "psnr": INF}])

    assert callback.reason is None
    assert not warned


def test_the_loss_comes_first(capsys):
    """The line is stock's where the loss is NaN."""
    drive(
        [kerascb.TerminateOnNaN(metrics=True)],
        epochs=[{"accuracy": NAN, "loss": NAN}],
    )

    assert "Batch 0: Invalid loss" in capsys.readouterr().out


@pytest.mark.parametrize("metrics", [True, "val_loss"])
def test_validation_is_looked_at_when_the_epoch_ends(metrics, capsys):
    """A model can be good in training and bad in inference."""
    drive(
        [kerascb.TerminateOnNaN(metrics=metrics)],
        epochs=[{"loss": 0.5, "val_loss": NAN}] * 2,
    )

    assert capsys.readouterr().out == (
        "Epoch 1: Invalid val_loss, terminating training\n"
    )


def test_arrays_are_looked_at_wholly():
    """One element is enough."""
    callback = kerascb.TerminateOnNaN(metrics=True)
    matrix = np.array([[0.5, NAN], [0.5, 0.5]])
    drive([callback], epochs=[{"loss": 0.5, "confusion": matrix}])

    assert callback.reason == "Invalid confusion at batch 0"


def test_raises_with_the_name_of_the_metric():
    """And with what it was."""
    callback = kerascb.TerminateOnNaN(True, metrics=True)

    with pytest.raises(
        RuntimeError,
        match=r"^NaN or Inf mae encountered at batch 0\. Mae value: inf\. "
        r"Terminating training immediately\.",
    ):
        drive([callback], epochs=[{"loss": 0.5, "mae": INF}])


def test_pain_a_step_without_a_loss_is_never_looked_at(warned):
    """Stock says nothing, and looks at nothing."""
    drive([kerascb.TerminateOnNaN()], epochs=[{"g_loss": 1.0}] * 2)

    assert warned == [
        "TerminateOnNaN looks at `loss`, which is not available. Available "
        "metrics are: g_loss. Say with metrics= what to look at."
    ]


def test_a_name_that_never_comes_is_told_of_once(warned):
    """With what it may have meant."""
    callback = kerascb.TerminateOnNaN(metrics="grad_nrm")
    drive([callback], epochs=[{"loss": 1.0, "grad_norm": 1.0}] * 2)

    (text,) = warned
    assert "looks at `grad_nrm`, which is not available" in text
    assert "Did you mean `grad_norm`?" in text


# -- a device that is still computing ----------------------------------------


def test_the_training_thread_does_not_wait(device):
    """Values stay on the device while they are not ready."""
    callback = kerascb.TerminateOnNaN()
    for _ in drive_batches(callback, device.values(0.5, NAN, NAN)):
        pass

    assert not device.awaited
    assert not callback.model.stop_training


def test_the_batch_named_is_that_of_the_value(device, capsys):
    """Not the one in which it was noticed."""
    callback = kerascb.TerminateOnNaN()
    for batch in drive_batches(callback, device.values(0.5, NAN, NAN, NAN)):
        if batch == 2:
            device.compute(2)

    assert callback.model.stop_training
    assert not device.awaited
    assert capsys.readouterr().out == (
        "Batch 1: Invalid loss, terminating training\n"
    )


def test_the_error_names_the_batch_too(device):
    """`raise_error` raises when it is noticed."""
    callback = kerascb.TerminateOnNaN(raise_error=True)
    batches = drive_batches(callback, device.values(NAN, NAN, NAN))
    next(batches)
    next(batches)
    device.compute(1)

    with pytest.raises(RuntimeError, match=r"at batch 0\. Loss value: nan\. "):
        next(batches)


def test_the_last_batch_of_an_epoch_waits(device):
    """Whoever hears of the epoch's end then knows."""
    callback = kerascb.TerminateOnNaN()
    for _ in drive_batches(callback, device.values(0.5, NAN), steps=2):
        pass

    assert callback.reason == "Invalid loss at batch 1"


@pytest.mark.parametrize("hook", ["on_epoch_end", "on_train_end"])
def test_an_epoch_of_unknown_length_loses_nothing(hook, device, capsys):
    """Its end waits."""
    callback = kerascb.TerminateOnNaN()
    for _ in drive_batches(callback, device.values(0.5, NAN), steps=None):
        pass
    assert callback.reason is None
    if hook == "on_epoch_end":
        callback.on_epoch_end(0, {"loss": NAN})
    else:
        callback.on_train_end()

    assert capsys.readouterr().out == (
        "Batch 1: Invalid loss, terminating training\n"
    )


def test_at_most_eight_values_are_outstanding(device):
    """The ninth waits for the first."""
    callback = kerascb.TerminateOnNaN()
    for _ in drive_batches(callback, device.values(*[0.5] * 10)):
        pass

    assert device.awaited == [0, 1]


def test_who_saves_waits_for_what_is_outstanding(device):
    """It is about to wait for the weights anyway."""
    callback = kerascb.TerminateOnNaN()
    for _ in drive_batches(callback, device.values(0.5, NAN)):
        pass

    assert callback.fault() == "Invalid loss at batch 1"


def test_values_under_way_are_not_pickled(device):
    """A copy begins with nothing."""
    callback = kerascb.TerminateOnNaN()
    for _ in drive_batches(callback, device.values(NAN)):
        pass
    twin = pickle.loads(pickle.dumps(callback))

    assert twin.fault() is None
    assert callback.fault() is not None


# -- fits --------------------------------------------------------------------


@pytest.mark.fit
def test_ends_a_fit_as_stock_does(runtime, keras, make_model, data, tmp_path):
    """Same epochs, same printed line."""
    stock, ours = compare(
        runtime,
        lambda classes: [classes.TerminateOnNaN()],
        lambda: make_model(keras.optimizers.SGD(1e38)),
        data,
        tmp_path,
        batch_size=4,
        shuffle=False,
    )

    assert ours.printed == stock.printed != ""
    assert ours.epochs == stock.epochs
    np.testing.assert_array_equal(ours.history["loss"], stock.history["loss"])
    assert ours.warned == stock.warned


@pytest.mark.fit
def test_adds_nothing_to_a_good_fit(runtime, make_model, data, tmp_path):
    """History and output are stock's."""
    assert_equal_runs(
        *compare(
            runtime,
            lambda classes: [classes.TerminateOnNaN()],
            make_model,
            data,
            tmp_path,
        )
    )


def poison(samples, batch, size=4):
    """Weights of samples with which a batch is the first with a NaN loss."""
    weights = np.ones(samples, "float32")
    weights[batch * size : (batch + 1) * size] = NAN
    return weights


@pytest.fixture
def fit_poisoned(make_model, data):
    """Fits on data whose fourth batch is bad; returns model and record."""

    def fit(*callbacks, listed="ours", **fit_args):
        model = make_model()
        hooks = [*callbacks]
        if listed == "ours":
            hooks = kerascb.CallbackList(
                hooks, add_history=True, model=model, epochs=3, steps=6
            )
        record = model.fit(
            *data,
            sample_weight=poison(24, 3),
            batch_size=4,
            epochs=3,
            shuffle=False,
            verbose=0,
            callbacks=hooks,
            **fit_args,
        )
        return model, record

    return fit


@pytest.mark.fit
@pytest.mark.parametrize("listed", ["stock's", "ours"])
def test_names_the_batch_that_went_bad_in_a_fit(fit_poisoned, listed, capsys):
    """In both lists, whenever the value has come."""
    callback = kerascb.TerminateOnNaN()
    _, record = fit_poisoned(callback, listed=listed)

    assert record.epoch == [0]
    assert callback.reason == "Invalid loss at batch 3"
    assert capsys.readouterr().out == (
        "Batch 3: Invalid loss, terminating training\n"
    )


@pytest.mark.fit
@pytest.mark.parametrize("listed", ["stock's", "ours"])
def test_an_error_leaves_the_fit(fit_poisoned, listed):
    """In the training thread, and with the batch's number."""
    callback = kerascb.TerminateOnNaN(raise_error=True)

    with pytest.raises(RuntimeError, match=r"loss encountered at batch 3\. "):
        fit_poisoned(callback, listed=listed)


@pytest.mark.fit
@pytest.mark.parametrize("listed", ["stock's", "ours"])
@pytest.mark.parametrize("check_every", [1, 4])
def test_bad_weights_are_found_and_named_in_a_fit(
    fit_poisoned, data, listed, check_every, capsys
):
    """On the device, at a batch whose loss is still finite (pl#9190)."""

    class Overflow(kerascb.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                weights = self.model.get_weights()
                weights[2][0, 0] = INF
                self.model.set_weights(weights)

    callback = kerascb.TerminateOnNaN(weights=True, check_every=check_every)
    fit_poisoned(Overflow(), callback, listed=listed)
    (line,) = capsys.readouterr().out.splitlines()

    if check_every == 1:
        assert line.startswith("Batch 1: Invalid weights of ")
        assert line.endswith("classes/kernel, terminating training")
    else:
        assert line == "Batch 3: Invalid loss, terminating training"


@pytest.mark.fit
@pytest.mark.parametrize("listed", ["stock's", "ours"])
def test_good_weights_go_on(make_model, data, listed, capsys):
    """Nothing is said, and every epoch is trained."""
    model = make_model("adam")
    hooks = [kerascb.TerminateOnNaN(weights=True, metrics=True)]
    if listed == "ours":
        hooks = kerascb.CallbackList(hooks, add_history=True, model=model)
    record = model.fit(
        *data,
        epochs=2,
        verbose=0,
        callbacks=hooks,
        validation_data=data,
    )

    assert record.epoch == [0, 1]
    assert capsys.readouterr().out == ""


@pytest.mark.fit
def test_a_train_step_without_a_loss_is_told_what_to_look_at(
    keras, data, capsys, warned
):
    """A custom step logs what it likes; `metrics` says what counts."""
    ones = keras.layers.Dense(1)

    class Duel(keras.Model):
        def __init__(self):
            super().__init__()
            self.layer = ones

        def call(self, x):
            return self.layer(x)

        def train_step(self, *arguments):
            logs = super().train_step(*arguments)
            if isinstance(logs, tuple):  # JAX hands its state through
                return {"g_loss": logs[0]["loss"]}, logs[1]
            return {"g_loss": logs["loss"]}

    model = Duel()
    model.compile("sgd", "mse")
    x, y = data
    model.fit(
        x,
        y.astype("float32"),
        sample_weight=poison(24, 1),
        batch_size=4,
        shuffle=False,
        verbose=0,
        callbacks=[kerascb.TerminateOnNaN(metrics="g_loss")],
    )

    assert capsys.readouterr().out == (
        "Batch 1: Invalid g_loss, terminating training\n"
    )
    assert not warned
