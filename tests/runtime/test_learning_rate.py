"""Learning rates, whatever holds them."""

from types import SimpleNamespace

import numpy as np
import pytest

from kerascb.errors import InvalidArgument
from kerascb.runtime._learning_rate import inner_optimizers


def values(rates):
    """The rates as rounded floats."""
    return [pytest.approx(float(rate.read()), rel=1e-6) for rate in rates]


@pytest.fixture
def several(keras, keras3_only):
    """A `MultiOptimizer` of two; skips where Keras has none."""
    if not hasattr(keras.optimizers, "MultiOptimizer"):
        pytest.skip("this Keras has no MultiOptimizer")
    first = keras.optimizers.SGD(0.1, name="first")
    second = keras.optimizers.Adam(0.2, name="second")
    return keras.optimizers.MultiOptimizer(
        keras.optimizers.OptimizerMap(first, {"hidden/.*": second})
    )


def test_reads_and_writes_an_optimizer(runtime, keras):
    """What is written is what the optimizer then has."""
    optimizer = keras.optimizers.SGD(0.5)
    [rate] = runtime.learning_rates(optimizer)

    assert values([rate]) == [0.5]
    rate.write(0.25)
    assert runtime.scalar(optimizer.learning_rate) == 0.25
    assert rate.is_scheduled is False


def test_logs_under_the_key_of_the_runtime(runtime, keras, is_keras3):
    """`learning_rate` in Keras 3, `lr` in Keras 2, without a name."""
    [rate] = runtime.learning_rates(keras.optimizers.SGD(0.5))

    assert rate.log_key == ("learning_rate" if is_keras3 else "lr")
    assert rate.optimizer_name == ""


def test_reads_in_the_type_that_the_runtime_logs(runtime, keras, is_keras3):
    """A float in Keras 3, NumPy's scalar in Keras 2: CSV files show it."""
    [rate] = runtime.learning_rates(keras.optimizers.SGD(0.1))

    assert type(rate.read()) is (float if is_keras3 else np.float32)


def test_looks_into_a_loss_scale_optimizer(runtime, keras):
    """The rate of the inner optimizer is read and written."""
    inner = keras.optimizers.SGD(0.5)
    [rate] = runtime.learning_rates(
        keras.mixed_precision.LossScaleOptimizer(inner)
        if runtime.name == "keras2"
        else keras.optimizers.LossScaleOptimizer(inner)
    )
    rate.write(0.25)

    assert runtime.scalar(inner.learning_rate) == 0.25
    assert rate.optimizer_name == ""


def test_looks_into_a_multi_optimizer(runtime, several):
    """Each optimizer has its own rate, key and name."""
    rates = runtime.learning_rates(several)
    found = {rate.log_key: float(rate.read()) for rate in rates}

    assert found == pytest.approx(
        {"learning_rate_first": 0.1, "learning_rate_second": 0.2}
    )
    assert {rate.optimizer_name for rate in rates} == {"first", "second"}


def test_looks_through_a_loss_scale_into_a_multi_optimizer(
    runtime, keras, several
):
    """Stock finds no learning rate there at all."""
    wrapped = SimpleNamespace(inner_optimizer=several)

    assert len(runtime.learning_rates(wrapped)) == 2


@pytest.mark.parametrize("attribute", ["lr", "learning_rate"])
def test_takes_a_plain_float_of_a_stand_in(runtime, attribute):
    """An object with nothing but a number will do."""
    optimizer = SimpleNamespace(**{attribute: 1.0})
    [rate] = runtime.learning_rates(optimizer)
    rate.write(0.5)

    assert rate.read() == 0.5
    assert getattr(optimizer, attribute) == 0.5


def test_takes_a_variable_of_a_stand_in(runtime, keras, is_keras3):
    """Keras 2's own tests use an optimizer with only a variable `lr`."""
    variable = keras.Variable(1.0) if is_keras3 else keras.backend.variable(1.0)
    optimizer = SimpleNamespace(lr=variable)
    [rate] = runtime.learning_rates(optimizer)
    rate.write(0.5)

    assert optimizer.lr is variable
    assert rate.read() == 0.5


@pytest.mark.parametrize("optimizer", [None, object()])
def test_an_optimizer_without_a_rate_is_refused(runtime, is_keras3, optimizer):
    """In stock's words."""
    key = "learning_rate" if is_keras3 else "lr"

    with pytest.raises(
        InvalidArgument, match=f'Optimizer must have a "{key}" attribute.'
    ):
        runtime.learning_rates(optimizer)


@pytest.mark.parametrize("kind", ["new", "legacy"])
@pytest.mark.parametrize("given", ["schedule", "function"])
def test_tells_a_rate_that_is_computed(runtime, keras, kind, given):
    """Such a rate can be read, but setting it is in vain."""
    optimizers = keras.optimizers
    if runtime.name == "keras3" and kind == "legacy":
        pytest.skip("Keras 3 has no legacy optimizers")
    if runtime.name == "keras2" and (kind, given) == ("new", "function"):
        pytest.skip("new optimizers of Keras 2 take no functions")
    schedule = optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    home = optimizers.legacy if kind == "legacy" else optimizers
    [rate] = runtime.learning_rates(
        home.SGD(schedule if given == "schedule" else lambda: 0.5)
    )

    assert rate.is_scheduled is True
    assert values([rate]) == [0.5]


def test_reads_and_writes_a_legacy_optimizer(runtime, keras, keras2_only):
    """`optimizers.legacy` keeps its rate as a hyperparameter."""
    optimizer = keras.optimizers.legacy.SGD(0.5)
    [rate] = runtime.learning_rates(optimizer)
    rate.write(0.25)

    assert keras.backend.get_value(optimizer.lr) == 0.25
    assert rate.is_scheduled is False


def test_inner_optimizers_of_a_plain_one_is_itself():
    """An optimizer that hides none is the one that is meant."""
    optimizer = SimpleNamespace(learning_rate=1.0)

    assert list(inner_optimizers(optimizer)) == [optimizer]


@pytest.mark.parametrize(
    "value", [1, 0.5, np.float32(0.5), np.array(0.5), np.array([[0.5]])]
)
def test_scalar_reads_numbers_and_arrays_of_one(runtime, value):
    """Whatever holds one number becomes a float."""
    scalar = runtime.scalar(value)

    assert type(scalar) is float
    assert scalar in {0.5, 1.0}


def test_scalar_reads_tensors_and_variables(runtime, keras, is_keras3):
    """Also those of the backend."""
    if is_keras3:
        tensors = [keras.ops.array(0.5), keras.Variable(0.5)]
    else:
        tensors = [keras.backend.constant(0.5), keras.backend.variable(0.5)]

    assert [runtime.scalar(tensor) for tensor in tensors] == [0.5, 0.5]


@pytest.mark.parametrize("value", [None, "fast", np.zeros(2), [1.0, 2.0]])
def test_scalar_refuses_what_is_not_one_number(runtime, value):
    """The caller says what it was for."""
    with pytest.raises((TypeError, ValueError)):
        runtime.scalar(value)
