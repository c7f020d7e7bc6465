"""LearningRateScheduler: the learning rate as a function of the epoch."""

import copy
import functools
import math
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

import kerascb
from kerascb.errors import InvalidArgument, UnsettableLearningRate
from kerascb.testing import FakeModel, drive
from tests.parity import assert_equal_runs, compare

# Keras's own `get_weights` on JAX, since NumPy 2.


def halve(epoch, lr):
    """Half the rate of the last epoch."""
    del epoch
    return lr / 2


def hidden(schedule):
    """A decorator that hides which arguments it hands on."""

    def wrapper(*args, **kwargs):
        return schedule(*args, **kwargs)

    return wrapper


class Hidden:
    """The same as a class."""

    def __init__(self, schedule):
        self.schedule = schedule

    def __call__(self, *args):
        """Hands on what it gets."""
        return self.schedule(*args)


def named(schedule):
    """A decorator that tells what it hides."""
    return functools.wraps(schedule)(hidden(schedule))


class Halving:
    """Schedules in every form a callable can have."""

    def of_epoch(self, epoch):
        """Takes the epoch only."""
        return 0.5 ** (epoch + 1)

    def of_both(self, epoch, lr):
        """Takes the rate too."""
        return halve(epoch, lr)

    def __call__(self, epoch, lr=1.0):
        """Takes the rate if it is given."""
        return halve(epoch, lr)


def rates(schedule, epochs=2):
    """The rates in force in each epoch of a driven loop."""
    model = FakeModel(learning_rate=1.0)
    seen = []
    keep = kerascb.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(
            model.optimizer.learning_rate
        )
    )
    drive(
        [kerascb.LearningRateScheduler(schedule), keep],
        epochs=[{}] * epochs,
        model=model,
    )
    return seen


@pytest.mark.parametrize(
    "schedule",
    [
        pytest.param(lambda epoch: 0.5 ** (epoch + 1), id="epoch"),
        pytest.param(halve, id="epoch and rate"),
        pytest.param(lambda epoch, lr=9.0: lr / 2, id="optional rate"),
        pytest.param(lambda *both: both[1] / 2, id="any arguments"),
        pytest.param(Halving().of_epoch, id="method of the epoch"),
        pytest.param(Halving().of_both, id="method of both"),
        pytest.param(Halving(), id="object"),
        pytest.param(functools.partial(halve, lr=1.0), id="partial"),
        pytest.param(
            lambda epoch, *, floor=0.0: max(0.5 ** (epoch + 1), floor),
            id="keyword-only option",
        ),
    ],
)
def test_calls_a_schedule_with_what_it_takes(schedule):
    """`(epoch)` or `(epoch, learning_rate)`, read off its signature."""
    second = 0.5 if isinstance(schedule, functools.partial) else 0.25

    assert rates(schedule) == [0.5, second]


@pytest.mark.parametrize(
    "decorate",
    [
        pytest.param(hidden, id="function"),
        pytest.param(Hidden, id="class"),
        pytest.param(named, id="with functools.wraps"),
        pytest.param(lambda one: hidden(Hidden(one)), id="two of them"),
        pytest.param(np.vectorize, id="np.vectorize"),
        pytest.param(functools.cache, id="functools.cache"),
    ],
)
@pytest.mark.parametrize(
    "schedule",
    [
        pytest.param(lambda epoch: 0.5 ** (epoch + 1), id="epoch"),
        pytest.param(halve, id="epoch and rate"),
    ],
)
def test_a_decorator_may_hide_what_the_schedule_takes(decorate, schedule):
    """Stock tries both forms, so such schedules are in use."""
    assert rates(decorate(schedule)) == [0.5, 0.25]


@pytest.mark.parametrize(
    "ufunc", [np.exp2, np.frompyfunc(lambda epoch: 2.0**epoch, 1, 1)]
)
def test_calls_a_ufunc_of_one_argument(ufunc):
    """What it takes second is where to write to, not the rate."""
    assert rates(ufunc) == [1.0, 2.0]


def test_calls_builtins_that_hide_their_signature():
    """They are offered both, as Keras does first."""
    assert rates(max) == [1.0, 1.0]


def test_calls_a_schedule_of_keras(keras):
    """`schedules.CosineDecay` takes a step; here it is given the epoch."""
    schedule = keras.optimizers.schedules.PolynomialDecay(1.0, 4, 0.0)

    assert rates(schedule) == [1.0, 0.75]


def test_hands_over_a_python_float(keras, is_keras3):
    """Whatever the optimizer keeps it in."""
    variable = keras.Variable(0.5) if is_keras3 else keras.backend.variable(0.5)
    seen = []
    scheduler = kerascb.LearningRateScheduler(
        lambda epoch, lr: seen.append(lr) or 0.25
    )
    scheduler.model = SimpleNamespace(
        optimizer=SimpleNamespace(learning_rate=variable)
    )
    scheduler.on_epoch_begin(0)

    assert seen == [0.5]
    assert type(seen[0]) is float
    assert float(np.asarray(variable)) == 0.25


@pytest.mark.parametrize("takes_both", [True, False])
def test_errors_of_the_schedule_escape(takes_both):
    """Stock reports a TypeError as a missing argument."""

    def of_both(epoch, lr):
        return lr + "fast"

    def of_epoch(epoch):
        return epoch + "fast"

    with pytest.raises(TypeError, match="unsupported operand"):
        rates(of_both if takes_both else of_epoch)


def _adds_to_the_epoch(epoch):
    return epoch + "fast"


def _adds_to_the_rate(epoch, lr=None):
    return 0.1 if lr is None else lr + "fast"


def _hands_on_too_much(epoch):
    return Halving().of_epoch(epoch, "fast")


@pytest.mark.parametrize(
    ("schedule", "text"),
    [
        pytest.param(_adds_to_the_epoch, "unsupported operand", id="epoch"),
        pytest.param(_adds_to_the_rate, "unsupported operand", id="rate"),
        pytest.param(_hands_on_too_much, "3 were given", id="inner call"),
        pytest.param(
            lambda *both: both[1] + "fast", "unsupported", id="no names"
        ),
        pytest.param(lambda a, b, c: a, "missing 1 required", id="too many"),
    ],
)
def test_errors_of_a_hidden_schedule_escape(schedule, text):
    """Neither form is tried in order to get round an error."""
    with pytest.raises(TypeError, match=text):
        rates(hidden(schedule))


@pytest.mark.parametrize("error", [KeyError, ValueError, StopIteration])
def test_other_errors_of_a_hidden_schedule_escape(error):
    """Those it raises once it is called as it wants to be."""

    def schedule(epoch):
        raise error(epoch)

    with pytest.raises(error):
        rates(hidden(schedule))


def test_a_schedule_that_fails_is_called_once():
    """A second call would repeat what it did before it failed."""
    calls = []

    def schedule(epoch, lr=None):
        calls.append(lr)
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        rates(hidden(schedule))

    assert calls == [1.0]


@pytest.mark.parametrize(
    "answer",
    [
        0.5,
        1,
        np.float32(0.5),
        np.float64(0.5),
        np.float16(0.5),
        np.int64(1),
        np.array(0.5),
        np.array([0.5]),
    ],
)
def test_accepts_any_number(answer):
    """Keras 3 refuses integers, both refuse arrays."""
    assert rates(lambda epoch: answer, epochs=1) == [float(np.max(answer))]


def test_accepts_a_tensor(keras, is_keras3):
    """The example in Keras 3's own documentation fails there."""

    def schedule(epoch, lr):
        if is_keras3:
            return keras.ops.multiply(lr, 0.5)
        return keras.backend.constant(lr) * 0.5

    assert rates(schedule) == [0.5, 0.25]


@pytest.mark.parametrize(
    "answer", [None, "0.1", True, np.bool_(True), 1j, [0.1, 0.2], np.zeros(2)]
)
def test_refuses_what_is_no_number(is_keras3, answer):
    """In stock's words, with what to return instead."""
    text = (
        "The output of the `schedule` function should be a float. Got: "
        if is_keras3
        else 'The output of the "schedule" function should be float. Got: '
    )

    with pytest.raises(InvalidArgument) as caught:
        rates(lambda epoch: answer)

    assert str(caught.value) == (
        f"{text}{answer}. Return the learning rate as one number."
    )


@pytest.mark.parametrize("schedule", [None, 0.1, "cosine", {0: 0.1}])
def test_a_schedule_that_is_no_function_is_refused(schedule):
    """In the constructor, not in the first epoch."""
    with pytest.raises(
        InvalidArgument, match="LearningRateScheduler needs a function"
    ):
        kerascb.LearningRateScheduler(schedule)


@pytest.mark.parametrize(
    "schedule",
    [lambda: 0.1, lambda a, b, c: 0.1, lambda epoch, *, lr: 0.1],
)
def test_a_schedule_that_cannot_take_an_epoch_is_refused(schedule):
    """With the parameters it has."""
    with pytest.raises(InvalidArgument, match="got one that takes \\("):
        kerascb.LearningRateScheduler(schedule)


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (0.25, "0.25"),
        (np.float32(0.1), "0.10000000149011612"),
        (1, "1.0"),
        (np.array(0.5), "0.5"),
    ],
)
def test_what_it_prints(capsys, answer, shown):
    """A line an epoch, counted from 1, with the rate as Keras prints it."""
    drive(
        [kerascb.LearningRateScheduler(lambda epoch: answer, verbose=1)],
        epochs=[{}],
    )

    assert capsys.readouterr().out == (
        f"\nEpoch 1: LearningRateScheduler setting learning rate to {shown}.\n"
    )


def test_says_nothing_unless_asked(capsys):
    """`verbose` is 0 by default."""
    rates(halve)

    assert capsys.readouterr().out == ""


def test_logs_the_rate(runtime):
    """Under the key of the runtime."""
    run = drive(
        [kerascb.LearningRateScheduler(halve)],
        epochs=[{"loss": 1.0}] * 2,
        model=FakeModel(learning_rate=1.0),
    )

    key = runtime.learning_rate_key
    assert run.logs == [{"loss": 1.0, key: 0.5}, {"loss": 1.0, key: 0.25}]


def test_each_optimizer_of_several_is_asked_for(runtime, capsys):
    """With its own rate, its name in the line and in the key of the logs."""
    model = FakeModel()
    first = SimpleNamespace(learning_rate=1.0, name="first")
    second = SimpleNamespace(learning_rate=0.5, name="second")
    model.optimizer = SimpleNamespace(optimizers=[first, second])
    run = drive(
        [kerascb.LearningRateScheduler(halve, verbose=1)],
        epochs=[{}],
        model=model,
    )

    key = runtime.learning_rate_key
    assert run.logs == [{f"{key}_first": 0.5, f"{key}_second": 0.25}]
    assert capsys.readouterr().out == (
        "\nEpoch 1: LearningRateScheduler setting first learning rate to 0.5."
        "\n\nEpoch 1: LearningRateScheduler setting second learning rate to "
        "0.25.\n"
    )


@pytest.mark.parametrize("hook", ["on_train_begin", "on_epoch_begin"])
def test_a_computed_rate_is_refused(keras, hook):
    """Keras 2 lost what was set, in silence."""
    model = FakeModel()
    model.optimizer.learning_rate = keras.optimizers.schedules.ExponentialDecay(
        0.1, 1, 0.9
    )
    scheduler = kerascb.LearningRateScheduler(halve)
    scheduler.set_model(model)
    arguments = () if hook == "on_train_begin" else (0,)

    with pytest.raises(
        UnsettableLearningRate,
        match=r"This optimizer was created with a `LearningRateSchedule`.*"
        "LearningRateScheduler cannot set it",
    ):
        getattr(scheduler, hook)(*arguments)


@pytest.mark.fit
def test_a_fit_with_a_schedule_does_not_begin(keras, make_model, data):
    """The error is stock Keras 3's TypeError, before the first batch."""
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.9)
    model = make_model(keras.optimizers.SGD(schedule))
    before = model.get_weights()

    with pytest.raises(TypeError, match="created with a `LearningRateSch"):
        model.fit(
            *data,
            verbose=0,
            callbacks=[kerascb.LearningRateScheduler(halve)],
        )

    np.testing.assert_array_equal(model.get_weights()[0], before[0])


@pytest.mark.parametrize("hook", ["on_train_begin", "on_epoch_begin"])
def test_an_optimizer_without_a_rate_is_refused(is_keras3, hook):
    """In stock's words, before training."""
    scheduler = kerascb.LearningRateScheduler(halve)
    scheduler.model = SimpleNamespace(optimizer=object())
    key = "learning_rate" if is_keras3 else "lr"
    arguments = () if hook == "on_train_begin" else (0,)

    with pytest.raises(
        ValueError, match=f'Optimizer must have a "{key}" attribute.'
    ):
        getattr(scheduler, hook)(*arguments)


def test_takes_no_logs():
    """Hooks may be driven by hand."""
    scheduler = kerascb.LearningRateScheduler(halve)
    scheduler.model = FakeModel()
    scheduler.on_train_begin()
    scheduler.on_epoch_begin(0)

    assert scheduler.on_epoch_end(0) is None


def test_another_schedule_may_be_assigned():
    """`schedule` is read at each epoch."""
    scheduler = kerascb.LearningRateScheduler(halve)
    scheduler.model = FakeModel()
    scheduler.schedule = lambda epoch: 0.125
    scheduler.on_epoch_begin(0)

    assert scheduler.model.optimizer.learning_rate == 0.125


def test_an_unknown_argument_is_refused():
    """As any function does."""
    with pytest.raises(TypeError, match="verbos"):
        kerascb.LearningRateScheduler(halve, verbos=1)


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_can_be_copied_and_pickled(duplicate):
    """With its schedule, without the model (keras#9462)."""
    scheduler = kerascb.LearningRateScheduler(math.exp, verbose=1)
    scheduler.model = FakeModel()

    twin = duplicate(scheduler)

    assert twin.schedule is math.exp
    assert twin.verbose == 1
    assert twin.model is None


@pytest.mark.fit
@pytest.mark.parametrize(
    "schedule",
    [
        pytest.param(lambda epoch: 1.0 / (2.0 + epoch), id="epoch"),
        pytest.param(lambda epoch, lr: lr * 0.7, id="epoch and rate"),
        pytest.param(lambda epoch: np.float32(0.1), id="float32"),
        pytest.param(hidden(lambda epoch: 1.0 / (2.0 + epoch)), id="hidden"),
    ],
)
def test_parity(runtime, make_model, data, tmp_path, schedule):
    """The same fit, with stock's class and with ours, and a CSV of it."""
    stock, ours = compare(
        runtime,
        lambda kit: [
            kit.LearningRateScheduler(schedule, verbose=1),
            kit.CSVLogger("log.csv"),
        ],
        make_model,
        data,
        tmp_path,
        epochs=3,
    )

    assert_equal_runs(stock, ours, "verbose")
    key = runtime.learning_rate_key
    assert list(map(type, ours.history[key])) == list(
        map(type, stock.history[key])
    )
    assert ours.files == stock.files


@pytest.mark.fit
def test_parity_of_both_callbacks_together(runtime, make_model, data, tmp_path):
    """Schedule first, plateau after it, with all that is monitored."""
    stock, ours = compare(
        runtime,
        lambda kit: [
            kit.LearningRateScheduler(halve, verbose=1),
            kit.ReduceLROnPlateau(
                "loss", 0.5, patience=1, min_delta=10, verbose=1
            ),
            kit.EarlyStopping("loss", min_delta=10, patience=3, verbose=1),
        ],
        make_model,
        data,
        tmp_path,
        epochs=5,
    )

    assert_equal_runs(stock, ours, "wait", "best", "stopped_epoch")
