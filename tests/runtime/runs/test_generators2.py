"""Layers of Keras 2 draw from generators whose state can be saved."""

import numpy as np
import pytest

pytestmark = [pytest.mark.fit, pytest.mark.usefixtures("keras2_only")]


@pytest.fixture
def make_dropping(keras):
    """Makes compiled models with a `Dropout`."""

    def make(**arguments):
        keras.utils.set_random_seed(1)
        model = keras.Sequential(
            [
                keras.layers.Input((6,)),
                keras.layers.Dropout(0.5, **arguments),
                keras.layers.Dense(1),
            ]
        )
        model.compile("sgd", "mse")
        return model

    return make


@pytest.fixture
def train(samples):
    """Trains for an epoch; returns the weights."""

    def train(model):
        model.fit(*samples, batch_size=8, shuffle=False, verbose=0)
        return model.get_weights()

    return train


def test_the_state_is_among_the_variables(runtime, make_dropping):
    """Under the name of the layer."""
    model = make_dropping()
    assert "dropout/random_generator" not in runtime.run_variables(model)
    runtime.give_generators(model)

    assert "dropout/random_generator" in runtime.run_variables(model)


def test_the_layer_draws_from_it(runtime, make_dropping, train):
    """Also where the step has been traced before."""
    model = make_dropping()
    train(model)
    runtime.give_generators(model)
    variable = runtime.run_variables(model)["dropout/random_generator"]
    (before,) = runtime.freeze([variable])
    train(model)

    (after,) = runtime.freeze([variable])
    assert not np.array_equal(before.array(), after.array())


def test_the_model_says_of_itself_what_it_did(runtime, make_dropping):
    """So that its config and its file are those of stock."""
    model = make_dropping()
    before = model.to_json()
    runtime.give_generators(model)

    assert model.to_json() == before


def test_layers_are_not_tracked_anew(runtime, make_dropping):
    """A checkpoint holds what it held."""
    import tensorflow as tf

    model = make_dropping()
    before = set(tf.train.TrackableView(model).children(model.layers[0]))
    runtime.give_generators(model)
    after = set(tf.train.TrackableView(model).children(model.layers[0]))

    assert after == before


def test_a_second_time_changes_nothing(runtime, make_dropping, train):
    """Every fit of a model asks for it."""
    model = make_dropping()
    runtime.give_generators(model)
    train(model)
    generator = model.layers[0]._random_generator._generator
    function = model.train_function
    runtime.give_generators(model)

    assert model.layers[0]._random_generator._generator is generator
    assert model.train_function is function


def test_seeds_of_layers_count(runtime, make_dropping, train):
    """Equal ones give equal numbers, others others."""
    weights = []
    for seed in (4, 4, 5):
        model = make_dropping(seed=seed)
        runtime.give_generators(model)
        weights.append(train(model)[0])

    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])
