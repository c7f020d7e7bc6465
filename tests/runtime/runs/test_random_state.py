"""Random numbers go on as they would have."""

import random
import sys

import numpy as np
import pytest


@pytest.fixture
def draw(runtime, keras):
    """Draws a number from every generator that code shares."""

    def draw():
        numbers = [random.random(), random.gauss(0, 1)]
        numbers += [np.random.random(), np.random.normal()]
        if "tensorflow" in sys.modules:
            import tensorflow as tf

            numbers.append(float(tf.random.uniform([])))
            generator = tf.random.get_global_generator()
            numbers.append(float(generator.uniform([])))
        if "torch" in sys.modules:
            import torch

            numbers.append(float(torch.rand(())))
        if runtime.name == "keras3":
            numbers.append(float(keras.random.uniform(())))
        else:
            start = keras.initializers.RandomNormal()
            numbers.append(float(start(())))
        return numbers

    return draw


@pytest.mark.parametrize("draws", [0, 3])
def test_goes_on_with_the_same_numbers(runtime, keras, draw, draws):
    """All of them, also after other seeds were set."""
    keras.utils.set_random_seed(7)
    for _ in range(draws + 1):
        draw()
    state = runtime.random_state()
    wanted = [draw(), draw()]
    keras.utils.set_random_seed(8)
    draw()
    runtime.set_random_state(state)

    assert [draw(), draw()] == wanted


def test_reading_draws_nothing(runtime, keras, draw):
    """Who makes backups trains with the same numbers as who does not."""
    keras.utils.set_random_seed(7)
    draw()
    state = runtime.random_state()
    wanted = [draw(), draw()]
    runtime.set_random_state(state)
    runtime.random_state()
    first = draw()
    runtime.random_state()

    assert [first, draw()] == wanted


def test_is_made_of_json_and_arrays(runtime, keras, draw):
    """So that it can be stored without pickle."""
    keras.utils.set_random_seed(7)
    draw()

    assert odd_parts(runtime.random_state()) == []


def test_does_not_alias_what_draws_change(runtime, draw):
    """It may be written while training goes on."""
    draw()
    state = runtime.random_state()
    before = flat(state)
    draw()

    assert flat(state) == before
    assert flat(runtime.random_state()) != before


@pytest.mark.parametrize("state", [{}, {"other": 1}])
def test_what_a_state_lacks_is_left_alone(runtime, keras, draw, state):
    """As in a backup of another engine."""
    keras.utils.set_random_seed(7)
    before = flat(runtime.random_state())
    runtime.set_random_state(state)

    assert flat(runtime.random_state()) == before


def odd_parts(part):
    """What is neither JSON nor an array."""
    if isinstance(part, dict):
        assert all(isinstance(key, str) for key in part)
        return [odd for one in part.values() for odd in odd_parts(one)]
    if isinstance(part, list):
        return [odd for one in part for odd in odd_parts(one)]
    if part is None or isinstance(part, (bool, int, float, str, np.ndarray)):
        return []
    return [part]


def flat(part):
    """A state as one that can be compared."""
    if isinstance(part, dict):
        return {key: flat(one) for key, one in part.items()}
    if isinstance(part, list):
        return [flat(one) for one in part]
    return part.tobytes() if isinstance(part, np.ndarray) else part
