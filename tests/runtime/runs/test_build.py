"""Models are built for the data of the fit that is running."""

import numpy as np
import pytest

pytestmark = pytest.mark.fit


@pytest.fixture
def built(keras, runtime):
    """Trains an unbuilt model that is built as training begins.

    Returns what `build` said, the names of the variables then, and the names
    after training.
    """

    def train(model, *data, **arguments):
        found = []

        class Building(keras.callbacks.Callback):
            def on_train_begin(self, logs=None):
                found.append(runtime.build(self.model))
                found.append(list(runtime.run_variables(self.model)))

        model.fit(*data, verbose=0, callbacks=[Building()], **arguments)
        return (*found, list(runtime.run_variables(model)))

    return train


@pytest.mark.parametrize("net", ["plain", "subclassed"])
@pytest.mark.parametrize("run_eagerly", [False, True])
def test_everything_is_there_before_the_first_step(
    built, make_net, make_optimizer, samples, net, run_eagerly
):
    """Weights, slots and metrics, in the order they have later."""
    model = make_net(net)
    model.compile(
        make_optimizer("averages"),
        loss="mse",
        metrics=["mae"],
        weighted_metrics=["mse"],
        run_eagerly=run_eagerly,
    )
    was_built, before, after = built(model, *samples, batch_size=8)

    assert was_built
    assert before == after


def test_building_early_changes_no_number(
    keras, make_net, make_optimizer, samples, built
):
    """The weights are those that stock comes to."""

    def compiled():
        keras.utils.set_random_seed(3)
        model = make_net("subclassed")
        model.compile(make_optimizer("adam"), loss="mse")
        return model

    early, late = compiled(), compiled()
    keras.utils.set_random_seed(4)
    built(early, *samples, batch_size=8, shuffle=False)
    keras.utils.set_random_seed(4)
    late.fit(*samples, batch_size=8, shuffle=False, verbose=0)

    for one, other in zip(early.get_weights(), late.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_batch_is_taken(built, make_net, make_optimizer, tensorflow):
    """Data may come only once."""
    tf = tensorflow
    taken = []

    def batches():
        for number in range(3):
            taken.append(number)
            yield np.full((4, 6), number, "float32"), np.ones((4, 1), "float32")

    data = tf.data.Dataset.from_generator(
        batches,
        output_signature=(
            tf.TensorSpec((4, 6), "float32"),
            tf.TensorSpec((4, 1), "float32"),
        ),
    )
    model = make_net("subclassed")
    model.compile(make_optimizer("adam"), loss="mse")
    was_built, _, _ = built(model, data, shuffle=False, steps_per_epoch=3)

    assert was_built
    assert taken == [0, 1, 2]


def test_dicts_and_sample_weights_are_data(
    keras, built, make_optimizer, samples
):
    """Whatever a batch is made of."""

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.last = keras.layers.Dense(1)

        def call(self, inputs):
            return self.last(inputs["left"] + inputs["right"])

    x, y = samples
    model = Net()
    model.compile(make_optimizer("adam"), loss="mse")
    was_built, before, after = built(
        model,
        {"left": x, "right": x},
        y,
        sample_weight=np.ones(len(x)),
        batch_size=8,
    )

    assert was_built
    assert before == after


def test_a_step_that_cannot_be_traced_is_told(
    keras, built, make_optimizer, samples, tensorflow
):
    """It is the user's code, which may ask for values."""

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.last = keras.layers.Dense(1)

        def call(self, inputs):
            inputs[0, 0].numpy()
            return self.last(inputs)

    model = Net()
    model.compile(make_optimizer("adam"), loss="mse", run_eagerly=True)
    was_built, before, after = built(model, *samples, batch_size=8)

    assert not was_built
    assert before != after


def test_without_a_fit_only_the_optimizer_can_be_built(
    runtime, make_net, make_optimizer
):
    """Nothing is known of the data."""
    model = make_net("plain")
    model.compile(make_optimizer("adam"), loss="mse", metrics=["mae"])
    was_built = runtime.build(model)

    slot = "momentum" if runtime.name == "keras3" else "m"
    assert not was_built
    assert f"optimizer/adam/{slot}/dense/kernel" in runtime.run_variables(model)
