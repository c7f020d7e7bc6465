"""What a model's metrics tell before the first batch."""

import functools
import inspect

import pytest

from kerascb.improvement import Direction
from kerascb.runtime import _metrics


@pytest.fixture
def classes(keras):
    """Keras's metrics that need no argument."""
    kinds = [
        kind
        for _, kind in inspect.getmembers(keras.metrics, inspect.isclass)
        if issubclass(kind, keras.metrics.Metric)
        and kind is not keras.metrics.Metric
    ]
    return [
        kind
        for kind in kinds
        if all(
            parameter.default is not parameter.empty
            or parameter.kind in {parameter.VAR_KEYWORD}
            for parameter in inspect.signature(kind).parameters.values()
        )
    ]


def snake_case(runtime):
    if runtime.name == "keras3":
        from keras.src.utils.naming import to_snake_case

        return to_snake_case
    return runtime._metrics._snake_case


def test_the_default_name_is_the_one_keras_gives(runtime, keras, classes):
    """For each class, and without an instance that would use up a number."""
    keras.backend.clear_session()
    name_of = functools.partial(
        _metrics.default_name, snake_case=snake_case(runtime)
    )
    foreseen = {kind: name_of(kind) for kind in classes}

    assert foreseen == {kind: kind().name for kind in classes}
    assert len(classes) > 20


def test_nothing_is_known_of_a_class_of_the_users_own(keras):
    """Its constructor may choose any name."""

    class Mine(keras.metrics.Mean):
        pass

    assert _metrics.default_name(Mine, str) is None


@pytest.mark.parametrize(
    ("key", "name", "expected"),
    [
        ("acc", "acc", True),
        ("head_acc", "acc", True),
        ("acc_1", "acc", True),
        ("head_weighted_acc_12", "acc", True),
        ("auc_1", "auc_1", True),
        ("auc_1_1", "auc_1", True),
        ("myacc", "acc", False),
        ("acc_b", "acc", False),
        ("loss", "acc", False),
    ],
)
def test_the_keys_of_a_metric(key, name, expected):
    """An output in front, a number behind."""
    assert _metrics.is_name_of(key, name) is expected


@pytest.mark.parametrize(
    ("metrics", "names", "are_all"),
    [
        (None, {"loss"}, True),
        (["acc", "mse"], {"loss", "acc", "mse"}, True),
        (["no such metric"], {"loss"}, False),
    ],
)
def test_words_of_keras_2(
    keras2_only, runtime, make_model, metrics, names, are_all
):
    """What is not found may be anything."""
    known = runtime.known_metrics(make_model(metrics=metrics or ()))

    assert known.names == names
    assert known.are_all is are_all


def test_a_model_that_is_not_compiled_tells_nothing(runtime, keras):
    """It cannot be fitted as it is."""
    known = runtime.known_metrics(keras.Sequential())

    assert not known.names
    assert not known.are_all


def test_without_a_model_nothing_is_known(runtime):
    """Hooks may be driven before a model is set."""
    assert not runtime.known_metrics(None).names
    assert runtime.metric_direction(None, "loss") is None


def test_a_step_of_the_users_own_may_log_anything(runtime, make_model):
    """Also one that was set on the model itself."""
    model = make_model()
    model.train_step = lambda data: {"mine": 0.5}

    assert not runtime.known_metrics(model).names


def test_the_longest_name_tells_the_direction():
    """`top_accuracy` is not `accuracy` of an output called `top`."""

    class Falling:
        _direction = "down"

    class Rising:
        _direction = "up"

    named = [("accuracy", Rising()), ("top_accuracy", Falling())]

    assert _metrics.direction_of(named, "val_top_accuracy") is Direction.MIN
    assert _metrics.direction_of(named, "val_a_accuracy_1") is Direction.MAX
