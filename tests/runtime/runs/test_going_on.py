"""A run that goes on in another model is the run that was not stopped."""

import numpy as np
import pytest

pytestmark = pytest.mark.fit


def values_of(runtime, model):
    """Name → array of all that training changes."""
    variables = runtime.run_variables(model)
    frozen = runtime.freeze(list(variables.values()))
    return {
        name: np.array(one.array())
        for name, one in zip(variables, frozen, strict=True)
    }


def assert_same_run(runtime, whole, rest):
    """Weights, optimizers, metrics, seeds, logs, and what users draw."""
    (model, logs, held), (other, other_logs, goes_on) = whole, rest
    wanted, got = values_of(runtime, model), values_of(runtime, other)
    assert list(got) == list(wanted)
    # Each of the two fits of the second model counts its own batches.
    for values in (wanted, got):
        values.pop("train_counter", None)
    differing = [
        name for name in wanted if not np.array_equal(wanted[name], got[name])
    ]
    assert differing == []
    assert other_logs == logs
    assert goes_on.drawn == held.drawn


@pytest.mark.parametrize("net", ["plain", "noisy", "nested", "subclassed"])
def test_goes_on_with_every_kind_of_layer(runtime, halves, net):
    """Dropout, averages of batches, noise, own variables, shared layers."""
    whole, rest = halves(net, epochs=2)

    assert_same_run(runtime, whole, rest)


@pytest.mark.parametrize(
    "optimizer",
    [
        "momentum",
        "averages",
        "schedule",
        "loss scale",
        "legacy Adam",
        "legacy SGD",
    ],
)
def test_goes_on_with_every_kind_of_optimizer(runtime, halves, optimizer):
    """Slots, averages, iterations, loss scales."""
    whole, rest = halves(optimizer=optimizer)

    assert_same_run(runtime, whole, rest)


@pytest.mark.parametrize("at", [0, 3])
def test_goes_on_after_any_batch(runtime, halves, at):
    """The first, and one in the middle."""
    whole, rest = halves(at=at)

    assert_same_run(runtime, whole, rest)


def test_goes_on_when_run_eagerly(runtime, halves):
    """Nothing is traced then."""
    whole, rest = halves(run_eagerly=True)

    assert_same_run(runtime, whole, rest)
