"""ReduceLROnPlateau: smaller steps where large ones bring nothing more."""

import copy
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

import kerascb
from kerascb.errors import InvalidArgument, UnsettableLearningRate
from kerascb.testing import FakeModel, drive
from tests.parity import assert_equal_runs, compare

NAN = float("nan")
STATE = (
    "wait",
    "cooldown_counter",
    "best",
    "min_delta",
    "factor",
    "patience",
    "cooldown",
    "min_lr",
    "mode",
)


def train(reduce, values, learning_rate=1.0, name="loss"):
    """The learning rate after each epoch of a driven loop."""
    rates = []
    model = FakeModel(learning_rate=learning_rate)
    keep = kerascb.LambdaCallback(
        on_epoch_end=lambda epoch, logs: rates.append(
            model.optimizer.learning_rate
        )
    )
    drive(
        [reduce, keep], epochs=[{name: value} for value in values], model=model
    )
    return rates


@pytest.mark.parametrize(
    ("arguments", "values", "rates"),
    [
        pytest.param(
            {"patience": 1}, [5, 5, 5, 4], [1, 0.5, 0.25, 0.25], id="each time"
        ),
        pytest.param(
            {"patience": 2},
            [5, 5, 4, 4, 4, 4, 4],
            [1, 1, 1, 1, 0.5, 0.5, 0.25],
            id="patience",
        ),
        pytest.param(
            {"patience": 0}, [5, 5, 4], [1, 0.5, 0.5], id="patience 0 is as 1"
        ),
        pytest.param(
            {"patience": 1, "cooldown": 2},
            [5, 5, 5, 5, 5, 5],
            [1, 0.5, 0.5, 0.25, 0.25, 0.125],
            id="the last epoch of a cooldown counts again",
        ),
        pytest.param(
            {"patience": 2, "cooldown": 2},
            [5, 5, 5, 5, 5, 5, 5],
            [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25],
            id="cooldown before patience",
        ),
        pytest.param(
            {"patience": 1, "min_lr": 0.3},
            [5, 5, 5, 5],
            [1, 0.5, 0.3, 0.3],
            id="min_lr",
        ),
        pytest.param(
            {"patience": 1, "min_lr": 2.0}, [5, 5, 5], [1, 1, 1], id="below it"
        ),
        pytest.param(
            {"patience": 1, "factor": 0, "min_lr": 0.25},
            [5, 5, 5],
            [1, 0.25, 0.25],
            id="factor 0 goes to min_lr",
        ),
        pytest.param(
            {"patience": 1, "min_delta": 1},
            [5, 4.5, 3.5],
            [1, 0.5, 0.5],
            id="min_delta",
        ),
        pytest.param(
            {"patience": 1, "mode": "max"}, [1, 2, 2], [1, 1, 0.5], id="rising"
        ),
        pytest.param(
            {"patience": 1}, [NAN, 5, 5], [0.5, 0.5, 0.25], id="NaN first"
        ),
        pytest.param(
            {"patience": 1}, [5, NAN, 4], [1, 0.5, 0.5], id="NaN later"
        ),
    ],
)
def test_when_it_reduces(arguments, values, rates):
    """The rule, case by case."""
    reduce = kerascb.ReduceLROnPlateau(
        **{"monitor": "loss", "mode": "min", "factor": 0.5, **arguments}
    )

    assert train(reduce, values) == pytest.approx(rates)


def test_what_it_prints(capsys):
    """A line a reduction, and none at `min_lr` (tf#39462)."""
    reduce = kerascb.ReduceLROnPlateau(
        "loss", 0.5, patience=1, verbose=1, min_lr=0.5
    )
    train(reduce, [5, 5, 5, 5])

    assert capsys.readouterr().out == (
        "\nEpoch 2: ReduceLROnPlateau reducing learning rate to 0.5.\n"
    )


def test_says_nothing_unless_asked(capsys):
    """`verbose` is 0 by default."""
    train(kerascb.ReduceLROnPlateau("loss", patience=1), [5, 5, 5])

    assert capsys.readouterr().out == ""


def test_logs_the_learning_rate_before_it_reduces(runtime):
    """As Keras does: the rate with which the epoch was trained."""
    reduce = kerascb.ReduceLROnPlateau("loss", 0.5, patience=1)
    run = drive(
        [reduce],
        epochs=[{"loss": 5.0}] * 3,
        model=FakeModel(learning_rate=1.0),
    )

    assert [logs[runtime.learning_rate_key] for logs in run.logs] == [
        1.0,
        1.0,
        0.5,
    ]


def test_epochs_without_the_value_do_not_count():
    """Validation every second epoch leaves patience alone (tf#41632)."""
    reduce = kerascb.ReduceLROnPlateau(patience=2)
    drive([reduce], epochs=[{"val_loss": 1.0}, {}, {"val_loss": 2.0}, {}])

    assert reduce.wait == 1


def test_a_second_fit_begins_anew():
    """Best, waiting and cooldown of the first are forgotten (keras#22967)."""
    reduce = kerascb.ReduceLROnPlateau("loss", 0.5, patience=1, cooldown=9)
    train(reduce, [0.1, 0.2])

    assert train(reduce, [5.0, 4.0, 3.0]) == [1, 1, 1]
    assert (reduce.best, reduce.wait, reduce.cooldown_counter) == (3.0, 0, 0)


def test_a_missing_monitor_is_told_once(runtime, is_keras3, warned):
    """Stock repeats it at every epoch (keras#13689)."""
    train(kerascb.ReduceLROnPlateau(), [1.0, 2.0, 3.0])

    end = "." if is_keras3 else ""
    assert warned == [
        "Learning rate reduction is conditioned on metric `val_loss` which is "
        "not available. Available metrics are: "
        f"loss,{runtime.learning_rate_key}{end}"
    ]


def test_a_misspelt_monitor_is_told_with_the_nearest_name(warned):
    """The sentence ends before the question begins."""
    reduce = kerascb.ReduceLROnPlateau("val_los", mode="min")
    train(reduce, [1.0], name="val_loss")

    assert len(warned) == 1
    assert warned[0].endswith(". Did you mean `val_loss`?")


def test_an_unknown_mode_is_warned_of(is_keras3, warned):
    """In the words of the Keras in force."""
    kerascb.ReduceLROnPlateau("loss", mode="smallest")

    assert warned == [
        "ReduceLROnPlateau mode 'smallest' is unknown, fallback to auto mode."
        if is_keras3
        else "Learning rate reduction mode smallest is unknown, fallback to "
        "auto mode."
    ]


def test_epsilon_is_the_old_name_of_min_delta(warned):
    """With stock's warning; stock Keras 3 drops it silently."""
    reduce = kerascb.ReduceLROnPlateau(epsilon=1e-13)

    assert reduce.min_delta == 1e-13
    assert not hasattr(reduce, "epsilon")
    assert warned == [
        "`epsilon` argument is deprecated and will be removed, use "
        "`min_delta` instead."
    ]


@pytest.mark.parametrize(
    ("name", "hint"), [("paitence", " Did you mean 'patience'?"), ("zzz", "")]
)
def test_an_unknown_argument_is_refused(name, hint):
    """Stock swallows it."""
    with pytest.raises(TypeError) as caught:
        kerascb.ReduceLROnPlateau(**{name: 3})

    assert str(caught.value) == (
        f"ReduceLROnPlateau got an unexpected keyword argument {name!r}.{hint}"
    )


@pytest.mark.parametrize("factor", [1, 1.0, 2.5, float("inf")])
def test_a_factor_that_does_not_reduce_is_refused(is_keras3, factor):
    """In stock's words, and with what to pass."""
    got = "Received factor=" if is_keras3 else "Got "

    with pytest.raises(InvalidArgument) as caught:
        kerascb.ReduceLROnPlateau(factor=factor)

    assert str(caught.value).startswith(
        "ReduceLROnPlateau does not support a factor >= 1.0. "
        f"{got}{factor}. Pass one below 1"
    )


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("factor", -0.5),
        ("factor", NAN),
        ("factor", "0.5"),
        ("patience", -1),
        ("patience", None),
        ("cooldown", -1),
        ("min_lr", None),
        ("min_lr", "small"),
    ],
)
def test_an_argument_out_of_range_is_refused(argument, value):
    """In the constructor, with the name and the value."""
    with pytest.raises(
        InvalidArgument, match=f"ReduceLROnPlateau needs {argument} "
    ):
        kerascb.ReduceLROnPlateau(**{argument: value})


def test_takes_its_arguments_in_the_order_of_keras():
    """Eight positional ones."""
    reduce = kerascb.ReduceLROnPlateau("loss", 0.5, 3, 1, "max", 0.2, 4, 0.1)

    assert (reduce.monitor, reduce.factor, reduce.patience) == ("loss", 0.5, 3)
    assert (reduce.verbose, reduce.mode) == (1, "max")
    assert (reduce.min_delta, reduce.cooldown, reduce.min_lr) == (0.2, 4, 0.1)


def test_min_delta_reads_as_keras_keeps_it(is_keras3):
    """Keras 3 turns it where smaller is better, Keras 2 never does."""
    reduce = kerascb.ReduceLROnPlateau("loss", mode="min", min_delta=0.5)

    assert reduce.min_delta == (-0.5 if is_keras3 else 0.5)


@pytest.mark.parametrize("kind", ["schedule", "function"])
def test_a_computed_rate_is_refused_before_training(keras, kind):
    """Keras 2 lost the reduction, Keras 3 raised in mid-training (tf#36612)."""
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.9)
    model = FakeModel()
    model.optimizer.learning_rate = (
        schedule if kind == "schedule" else lambda: 0.1
    )
    reduce = kerascb.ReduceLROnPlateau("loss")
    reduce.set_model(model)

    with pytest.raises(
        UnsettableLearningRate,
        match=r"This optimizer was created with a `LearningRateSchedule`.*"
        "ReduceLROnPlateau cannot set it; .*Give the optimizer a float",
    ):
        reduce.on_train_begin()


def test_each_optimizer_of_several_is_reduced(runtime, is_keras3, capsys):
    """With its name in the line and in the key of the logs."""
    model = FakeModel()
    first = SimpleNamespace(learning_rate=1.0, name="first")
    second = SimpleNamespace(learning_rate=0.001, name="second")
    model.optimizer = SimpleNamespace(optimizers=[first, second])
    reduce = kerascb.ReduceLROnPlateau(
        "loss", 0.5, patience=1, verbose=1, min_lr=0.001
    )
    run = drive([reduce], epochs=[{"loss": 1.0}] * 2, model=model)

    key = runtime.learning_rate_key
    assert (first.learning_rate, second.learning_rate) == (0.5, 0.001)
    assert run.logs[1][f"{key}_first"] == 1.0
    assert run.logs[1][f"{key}_second"] == 0.001
    assert capsys.readouterr().out == (
        "\nEpoch 2: ReduceLROnPlateau reducing first learning rate to 0.5.\n"
    )


def test_works_by_hand_with_an_optimizer_that_has_only_lr(keras, is_keras3):
    """Without `on_train_begin`, as in Keras 2's own tests."""
    variable = keras.Variable(1.0) if is_keras3 else keras.backend.variable(1.0)
    reduce = kerascb.ReduceLROnPlateau("val_loss", patience=1)
    reduce.model = SimpleNamespace(optimizer=SimpleNamespace(lr=variable))
    for epoch, loss in enumerate((0.0860, 0.1096, 0.1040)):
        reduce.on_epoch_end(epoch, logs={"val_loss": loss})

    assert float(np.asarray(variable)) == pytest.approx(0.01)


def test_begins_without_an_optimizer():
    """A stand-in may get it later, or not at all."""
    reduce = kerascb.ReduceLROnPlateau("loss")

    assert reduce.on_train_begin() is None


def test_takes_no_logs(warned):
    """They are an epoch without the value."""
    reduce = kerascb.ReduceLROnPlateau()
    reduce.model = FakeModel()
    reduce.on_train_begin()
    reduce.on_epoch_end(0, None)

    assert reduce.wait == 0
    assert len(warned) == 1


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_can_be_copied_and_pickled_after_training(duplicate):
    """With its state, without the model (keras#9462)."""
    reduce = kerascb.ReduceLROnPlateau("loss", patience=1, cooldown=3)
    train(reduce, [1.0, 2.0, 3.0])

    twin = duplicate(reduce)

    assert (twin.best, twin.cooldown_counter) == (1.0, 2)
    assert twin.model is None


@pytest.mark.fit
@pytest.mark.parametrize(
    "arguments",
    [
        {"factor": 0.3, "patience": 1, "min_delta": 10, "verbose": 1},
        {
            "factor": 0.5,
            "patience": 1,
            "min_delta": 10,
            "cooldown": 1,
            "min_lr": 0.004,
            "verbose": 1,
        },
        {"monitor": "val_accuracy", "patience": 1, "verbose": 1},
        {"monitor": "loss", "mode": "max", "patience": 2, "min_lr": 0.001},
    ],
)
def test_parity(runtime, make_model, data, tmp_path, arguments):
    """The same fit, with stock's class and with ours, and a CSV of it."""
    stock, ours = compare(
        runtime,
        lambda kit: [
            kit.ReduceLROnPlateau(**arguments),
            kit.CSVLogger("log.csv"),
        ],
        make_model,
        data,
        tmp_path,
        epochs=5,
    )

    assert_equal_runs(stock, ours, *STATE)
    key = runtime.learning_rate_key
    assert list(map(type, ours.history[key])) == list(
        map(type, stock.history[key])
    )
    assert ours.files == stock.files
