"""EarlyStopping: the end of training that brings nothing more."""

import copy
import pickle

import numpy as np
import pytest

import kerascb
from kerascb.errors import InvalidArgument
from kerascb.testing import FakeModel, drive
from tests.parity import assert_equal_runs, compare

# Keras's own `get_weights` on JAX, since NumPy 2.

NAN, INF = float("nan"), float("inf")
STATE = (
    "wait",
    "stopped_epoch",
    "best",
    "best_epoch",
    "min_delta",
    "monitor_op",
    "patience",
    "baseline",
)


class Learning(kerascb.Callback):
    """Gives the model the number of the epoch as its weights."""

    def on_epoch_begin(self, epoch, logs=None):
        """Makes the weights tell the epoch."""
        self.model.set_weights([np.array([float(epoch)])])


def train(stop, values, name="loss", **arguments):
    """Drives a loop whose weights are the number of the epoch."""
    return drive(
        [Learning(), stop],
        epochs=[{name: value} for value in values],
        **arguments,
    )


@pytest.mark.parametrize(
    ("patience", "seen"), [(0, 4), (1, 4), (2, 5), (3, 6), (100, 9)]
)
def test_stops_when_patience_runs_out(patience, seen):
    """Patience 0 and 1 both end at the first epoch that is no better."""
    stop = kerascb.EarlyStopping("loss", patience=patience)
    run = train(stop, [10.0, 9.0, 8.0, 9.0, 8.9, 8.8, 8.7, 8.6, 8.5])

    assert run.epochs_seen == seen
    assert stop.stopped_epoch == (seen - 1 if seen < 9 else 0)
    assert (stop.best, stop.best_epoch) == (8.0, 2)


@pytest.mark.parametrize(
    ("arguments", "values", "seen"),
    [
        pytest.param({"mode": "max"}, [1, 2, 3, 2], 4, id="rising"),
        pytest.param({"min_delta": 1}, [5, 4.5, 4.1], 2, id="min_delta"),
        pytest.param({"min_delta": -1}, [5, 4.5, 4.1], 2, id="its sign"),
        pytest.param({"patience": 2}, [5, 5, 4, 4, 4], 5, id="wait restarts"),
        pytest.param({}, [NAN, NAN, 1.0], 2, id="NaN is no improvement"),
        pytest.param({}, [1.0, NAN, 0.5], 2, id="NaN after a number"),
        pytest.param(
            {"patience": 2}, [NAN, 1.0, 0.5, 0.4], 4, id="NaN is never best"
        ),
        pytest.param({"start_from_epoch": 2}, [1, 2, 3, 2, 2], 5, id="warm-up"),
        pytest.param(
            {"baseline": 0.5, "patience": 3},
            [0.9, 0.8, 0.7, 0.75, 0.6],
            4,
            id="behind the baseline improvements do not count",
        ),
        pytest.param(
            {"baseline": 0.5, "patience": 3},
            [0.9, 0.8, 0.4, 0.45, 0.45, 0.45, 0.45],
            6,
            id="past the baseline they do",
        ),
        pytest.param({"patience": INF}, [1, 2, 3, 4], 4, id="never"),
    ],
)
def test_when_it_stops(arguments, values, seen):
    """The rule, case by case."""
    stop = kerascb.EarlyStopping(
        **{"monitor": "loss", "mode": "min", **arguments}
    )

    assert train(stop, values).epochs_seen == seen


def test_never_stops_at_the_first_epoch():
    """Even if nothing there counts as an improvement."""
    run = train(kerascb.EarlyStopping("loss", baseline=0.1), [NAN, 1.0])

    assert run.epochs_seen == 2


def test_epochs_without_the_value_do_not_count():
    """Validation every second epoch leaves patience alone (tf#41632)."""
    stop = kerascb.EarlyStopping(patience=2)
    run = drive(
        [stop],
        epochs=[{"val_loss": 1.0}, {}, {"val_loss": 2.0}, {}, {}, {}],
    )

    assert run.epochs_seen == 6
    assert stop.wait == 1


@pytest.mark.parametrize(
    ("values", "restored"),
    [
        pytest.param([0.2, 0.15, 0.1, 0.11, 0.12], 2, id="stopped"),
        pytest.param([0.2, 0.3, 0.1], 2, id="last epoch is best"),
        pytest.param([0.2, 0.1, 0.15], 1, id="ran to its end (keras#12511)"),
        pytest.param([NAN, NAN, NAN], 0, id="no best: the first"),
        pytest.param([NAN, 0.5, 0.6], 1, id="NaN is not the best"),
    ],
)
def test_restores_the_best_weights(values, restored):
    """At the end of training, whatever ended it."""
    stop = kerascb.EarlyStopping("loss", patience=2, restore_best_weights=True)
    run = train(stop, values)

    assert run.model.get_weights()[0] == restored
    assert stop.best_epoch == restored
    assert [weight.tolist() for weight in stop.best_weights] == [[restored]]


def test_restores_the_best_that_did_not_beat_the_baseline():
    """Some epoch's weights are restored in any case."""
    stop = kerascb.EarlyStopping(
        "loss", patience=5, baseline=0.5, restore_best_weights=True
    )
    run = train(stop, [0.9, 0.8, 0.7, 0.71, 0.72, 0.73])

    assert run.epochs_seen == 5
    assert run.model.get_weights()[0] == 2


def test_restores_when_another_callback_stopped():
    """The order of the callbacks does not matter for it."""

    class Stopper(kerascb.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 2

    stop = kerascb.EarlyStopping("loss", 9, 9, restore_best_weights=True)
    run = drive(
        [Learning(), stop, Stopper()],
        epochs=[{"loss": loss} for loss in (1.0, 2.0, 3.0, 4.0)],
    )

    assert run.epochs_seen == 3
    assert run.model.get_weights()[0] == 0


def test_leaves_the_last_weights_unless_asked():
    """Nothing is kept in memory either."""
    stop = kerascb.EarlyStopping("loss")
    run = train(stop, [1.0, 2.0, 3.0])

    assert run.model.get_weights()[0] == 1
    assert stop.best_weights is None


def test_reads_the_weights_once_an_epoch():
    """A copy of the weights is dear; stock makes two in the first epoch."""
    reads = []

    class Model(FakeModel):
        def get_weights(self):
            reads.append(1)
            return super().get_weights()

    stop = kerascb.EarlyStopping("loss", patience=9, restore_best_weights=True)
    drive([stop], epochs=[{"loss": x} for x in (3, 2, 4)], model=Model())

    assert len(reads) == 2


class Epoch(kerascb.Callback):
    """Gives every weight of a model the number of the epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        """Makes the weights tell the epoch."""
        model = self.model
        model.set_weights(
            [np.full_like(one, epoch) for one in model.get_weights()]
        )


def stop_at(model, losses=(1.0, 0.5, 0.7), **arguments):
    """Drives a model of Keras; its weights are the number of the epoch."""
    stop = kerascb.EarlyStopping("loss", restore_best_weights=True, **arguments)
    drive(
        [Epoch(), stop],
        epochs=[{"loss": loss} for loss in losses],
        model=model,
    )
    return stop


@pytest.mark.parametrize("device", ["cpu", "device"])
def test_keeps_weights_without_reading_them(make_model, device):
    """Copying a large model at each improvement holds up training."""
    model = make_model()
    stop = stop_at(model, best_weights_device=device)

    assert stop._arrays is None
    assert len(stop._frozen) == len(model.weights)
    assert {one.flat[0] for one in model.get_weights()} == {1}


def test_best_weights_are_arrays_in_the_order_of_the_model(make_model):
    """As if they came from `get_weights`; users average them in place."""
    model = make_model()
    stop = stop_at(model)
    weights = stop.best_weights

    assert weights is stop.best_weights
    for best, own in zip(weights, model.get_weights(), strict=True):
        assert (best.shape, best.dtype) == (own.shape, own.dtype)
        np.testing.assert_array_equal(best, own)
        best[...] = 7


@pytest.mark.parametrize("reads", [False, True])
def test_weights_that_users_change_are_restored(make_model, reads):
    """Set as a list, or changed in place after they have been read."""

    class Averaging(kerascb.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if not reads:
                stop.best_weights = [
                    np.full_like(one, 7) for one in self.model.get_weights()
                ]
                return
            for one in stop.best_weights:
                one[...] = 7

    model = make_model()
    stop = kerascb.EarlyStopping("loss", restore_best_weights=True)
    drive([stop, Averaging()], epochs=[{"loss": 1.0}] * 2, model=model)

    assert {one.flat[0] for one in model.get_weights()} == {7}


def test_weights_set_to_none_are_not_restored(make_model):
    """A callback after it may say so."""
    model = make_model()
    stop = kerascb.EarlyStopping("loss", restore_best_weights=True)
    stop.model = model
    stop.on_epoch_end(0, {"loss": 1.0})
    stop.best_weights = None
    model.set_weights([np.ones_like(one) for one in model.get_weights()])
    stop.on_train_end()

    assert {one.flat[0] for one in model.get_weights()} == {1}


def test_a_model_that_reads_its_weights_itself_is_asked(keras):
    """It may have more, or others, than its variables."""

    class Model(keras.Model):
        def get_weights(self):
            return [np.ones(1)]

        def set_weights(self, weights):
            was_set.append(weights)

    was_set = []
    model = Model()
    stop = kerascb.EarlyStopping("loss", restore_best_weights=True)
    stop.model = model
    stop.on_epoch_end(0, {"loss": 1.0})
    stop.on_train_end()

    assert was_set == [stop.best_weights] == [[np.ones(1)]]


def test_a_model_that_has_grown_is_told_in_words_of_keras(make_model, keras):
    """Weights of another shape are not put in."""
    model = make_model()
    stop = kerascb.EarlyStopping("loss", restore_best_weights=True)
    stop.model = model
    stop.on_epoch_end(0, {"loss": 1.0})
    model.add(keras.layers.Dense(2))

    with pytest.raises(ValueError, match="set_weights"):
        stop.on_train_end()


@pytest.mark.parametrize("bad", ["gpu", "CPU", None, 0])
def test_a_device_nobody_knows_is_refused(bad):
    """In the constructor."""
    with pytest.raises(InvalidArgument, match="`best_weights_device` must be"):
        kerascb.EarlyStopping(best_weights_device=bad)


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_a_copy_has_the_best_weights_too(make_model, duplicate):
    """Though no tensor can be pickled on some engines."""
    model = make_model()
    twin = duplicate(stop_at(model))
    model.set_weights([np.zeros_like(one) for one in model.get_weights()])

    assert {one.flat[0] for one in twin.best_weights} == {1}
    twin.model = model
    twin.on_train_end()
    assert {one.flat[0] for one in model.get_weights()} == {1}


@pytest.mark.parametrize(
    ("verbose", "restore", "printed"),
    [
        (0, True, ""),
        (1, False, "Epoch 3: early stopping\n"),
        (
            1,
            True,
            "Epoch 3: early stopping\nRestoring model weights from the end of "
            "the best epoch: 2.\n",
        ),
    ],
)
def test_what_it_prints(capsys, verbose, restore, printed):
    """The lines of Keras, epochs counted from 1."""
    stop = kerascb.EarlyStopping(
        "loss", verbose=verbose, restore_best_weights=restore
    )
    train(stop, [1.0, 0.5, 0.7])

    assert capsys.readouterr().out == printed


def test_a_second_fit_begins_anew():
    """Nothing of the first fit is left to compare with (keras#20521)."""
    stop = kerascb.EarlyStopping("loss", restore_best_weights=True)
    train(stop, [0.1, 0.2])
    run = train(stop, [5.0, 4.0, 3.0])

    assert run.epochs_seen == 3
    assert (stop.best, stop.best_epoch, stop.wait) == (3.0, 2, 0)
    assert stop.stopped_epoch == 0


def test_a_missing_monitor_is_told_once(is_keras3, warned):
    """Stock repeats it at every epoch, and never stops (keras#13689)."""
    train(kerascb.EarlyStopping(), [1.0, 2.0, 3.0])

    assert warned == [
        "Early stopping conditioned on metric `val_loss` which is not "
        "available. Available metrics are: loss"
    ]


def test_a_misspelt_monitor_is_told_with_the_nearest_name(warned):
    """`val_acc` is meant for `val_accuracy` (tf#38648)."""
    stop = kerascb.EarlyStopping("val_acc")
    drive([stop], epochs=[{"loss": 1.0, "val_accuracy": 0.5}] * 2)

    assert warned == [
        "Early stopping conditioned on metric `val_acc` which is not "
        "available. Available metrics are: loss,val_accuracy. Did you mean "
        "`val_accuracy`?"
    ]


@pytest.mark.fit
def test_validation_every_second_epoch_is_silent(make_model, data, warned):
    """The first epoch has no `val_loss`, but one will come (tf#41632)."""
    stop = kerascb.EarlyStopping(patience=9)
    make_model().fit(
        *data,
        epochs=4,
        verbose=0,
        validation_data=data,
        validation_freq=2,
        callbacks=[stop],
    )

    assert warned == []
    assert stop.best_epoch in {1, 3}


def test_users_may_override_what_is_watched():
    """`get_monitor_value` is public in Keras."""

    class Sum(kerascb.EarlyStopping):
        def get_monitor_value(self, logs):
            return logs["a"] + logs["b"]

    stop = Sum("a", mode="min")
    drive([stop], epochs=[{"a": 1, "b": 1}, {"a": 0, "b": 3}])

    assert (stop.best, stop.stopped_epoch) == (2, 1)


def test_works_by_hand_without_on_train_begin():
    """A model that can be stopped is all it needs."""

    class Model:
        stop_training = False

    stop = kerascb.EarlyStopping("loss")
    stop.model = Model()
    stop.on_epoch_end(0, {"loss": 1.0})
    stop.on_epoch_end(1, {"loss": 2.0})
    stop.on_train_end()

    assert stop.model.stop_training is True


@pytest.mark.parametrize("logs", [None, {}])
def test_takes_empty_logs(logs, warned):
    """They are an epoch without the value."""
    stop = kerascb.EarlyStopping()
    stop.on_train_begin(logs)
    stop.on_epoch_end(0, logs)
    stop.on_train_end(logs)

    assert stop.wait == 0
    assert len(warned) == 1


def test_takes_its_arguments_in_the_order_of_keras():
    """Eight positional ones."""
    stop = kerascb.EarlyStopping("loss", 0.5, 3, 1, "max", 0.2, True, 4)

    assert (stop.monitor, stop.min_delta, stop.patience) == ("loss", 0.5, 3)
    assert (stop.verbose, stop.mode, stop.baseline) == (1, "max", 0.2)
    assert (stop.restore_best_weights, stop.start_from_epoch) == (True, 4)


def test_an_unknown_argument_is_refused():
    """As any function does."""
    with pytest.raises(TypeError, match="patiense"):
        kerascb.EarlyStopping(patiense=3)


@pytest.mark.parametrize("patience", [-1, NAN, None, "3"])
def test_patience_must_be_a_number_not_below_zero(patience):
    """Told in the constructor, not after an epoch."""
    with pytest.raises(InvalidArgument, match="EarlyStopping needs patience"):
        kerascb.EarlyStopping(patience=patience)


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_can_be_copied_and_pickled_after_training(duplicate):
    """With its results, without the model (keras#9462)."""
    stop = kerascb.EarlyStopping("loss", restore_best_weights=True)
    train(stop, [1.0, 0.5, 0.7])

    twin = duplicate(stop)

    assert (twin.best, twin.best_epoch, twin.stopped_epoch) == (0.5, 1, 2)
    assert twin.best_weights[0] == [1.0]
    assert twin.model is None


def test_needs_no_batch_hooks():
    """Lists of Keras keep their fast paths."""
    assert not kerascb.EarlyStopping()._implements_train_batch_hooks()


@pytest.mark.fit
@pytest.mark.parametrize(
    "arguments",
    [
        {"patience": 1, "min_delta": 10, "verbose": 1},
        {"monitor": "val_accuracy", "patience": 9, "verbose": 1},
        {"monitor": "loss", "mode": "max", "restore_best_weights": True},
        {"baseline": 0.001, "patience": 2, "verbose": 1},
        {"start_from_epoch": 2, "min_delta": 10, "verbose": 1},
    ],
)
def test_parity(runtime, make_model, data, tmp_path, arguments):
    """The same fit, with stock's class and with ours."""
    stock, ours = compare(
        runtime,
        lambda kit: [kit.EarlyStopping(**arguments)],
        make_model,
        data,
        tmp_path,
        epochs=5,
    )

    assert_equal_runs(stock, ours, *STATE)
    for ours_weight, stock_weight in zip(
        ours.model.get_weights(), stock.model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours_weight, stock_weight)


@pytest.mark.fit
def test_parity_of_restoring(runtime, make_model, data, tmp_path):
    """The best weights are back at the end, and two lines say so."""
    if runtime.version.startswith("2.15"):
        pytest.skip("restores as soon as it stops; docs/differences.md")
    stock, ours = compare(
        runtime,
        lambda kit: [
            kit.EarlyStopping(
                patience=2, min_delta=10, verbose=1, restore_best_weights=True
            )
        ],
        make_model,
        data,
        tmp_path,
        epochs=5,
    )

    assert_equal_runs(stock, ours, *STATE)
    np.testing.assert_array_equal(
        ours.callbacks[0].best_weights[0], stock.callbacks[0].best_weights[0]
    )
    np.testing.assert_array_equal(
        ours.model.get_weights()[0], stock.model.get_weights()[0]
    )


@pytest.mark.fit
def test_parity_of_a_missing_monitor(runtime, make_model, data, tmp_path):
    """Stock's words, which come at each of the epochs; ours say what to do."""
    stock, ours = compare(
        runtime,
        lambda kit: [kit.EarlyStopping("val_loss")],
        make_model,
        data,
        tmp_path,
        epochs=2,
        validation=False,
    )

    words, _, names = stock.warned[0].rpartition(": ")
    names = ",".join(sorted(names.split(",")))
    assert ours.warned == [
        f"{words}: {names}. This fit does not validate: give it "
        "validation_data or validation_split, or monitor `loss`."
    ]
    assert ours.history == stock.history
