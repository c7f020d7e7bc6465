"""MonitorCallback: one rule for all who watch a value."""

import copy
import pickle
from types import SimpleNamespace

import numpy as np
import pytest

import kerascb
from kerascb.callbacks.monitor_callback import MonitorCallback
from kerascb.errors import InvalidArgument

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("mode", ["min", "max"])
def test_the_mode_decides_the_comparison(runtime, mode):
    """`monitor_op` is what users of this Keras know it to be."""
    callback = MonitorCallback("val_loss", mode)
    callback._set_monitor_op()

    expected = runtime.less if mode == "min" else runtime.greater
    assert callback.monitor_op == expected


@pytest.mark.parametrize(
    ("monitor", "rises"),
    [
        ("val_auc", True),
        ("val_f1_score", True),
        ("precision", True),
        ("val_loss", False),
        ("val_accumulated_loss", False),
    ],
)
def test_auto_mode_is_not_misled_by_names(runtime, monitor, rises):
    """AUC and F1 rise in every class (keras#18798, tf#59036)."""
    callback = MonitorCallback(monitor)
    callback._set_monitor_op()

    assert callback.monitor_op == (runtime.greater if rises else runtime.less)


def test_auto_mode_asks_the_compiled_metric(runtime, keras, make_model):
    """A metric under a name of the user's own tells its direction itself."""
    callback = MonitorCallback("val_mine")
    callback.set_model(
        make_model(
            metrics=[keras.metrics.SparseCategoricalAccuracy(name="mine")]
        )
    )
    callback._set_monitor_op()

    assert callback.monitor_op == runtime.greater


def test_an_unknown_direction_stops_keras_3_before_training(
    keras3_only, make_model
):
    """Stock Keras 3 says so only after a whole epoch (keras#18798)."""
    callback = MonitorCallback("val_acuracy")
    callback.set_model(make_model())

    with pytest.raises(
        ValueError,
        match=r"MonitorCallback callback received monitor=val_acuracy.*"
        r"Pass `mode='max'`.*Did you mean `val_accuracy`\?",
    ):
        callback._begin_monitoring()


def test_an_unknown_direction_is_minimised_in_keras_2(
    keras2_only, runtime, make_model, warned
):
    """As stock Keras 2 does, but not in silence."""
    callback = MonitorCallback("unknown")
    callback.set_model(make_model())
    callback._begin_monitoring()

    assert callback.monitor_op == runtime.less
    assert [text for text in warned if "taking 'min'" in text] == warned
    assert len(warned) == 1


def test_the_direction_is_found_anew_for_another_model(
    runtime, keras, make_model
):
    """An instance in auto mode may serve a second model."""
    callback = MonitorCallback("mine")
    for metric, expected in (
        (keras.metrics.SparseCategoricalAccuracy, runtime.greater),
        (keras.metrics.MeanSquaredError, runtime.less),
    ):
        callback.set_model(make_model(metrics=[metric(name="mine")]))
        callback._begin_monitoring()

        assert callback.monitor_op == expected


def test_an_unknown_mode_is_warned_of(is_keras3, warned):
    """It is taken for "auto", as in Keras, in the words of Keras."""
    callback = MonitorCallback("loss", "smallest")

    quoted = "'smallest'" if is_keras3 else "smallest"
    assert callback.mode == "auto"
    assert warned == [
        f"MonitorCallback mode {quoted} is unknown, fallback to auto mode."
    ]


@pytest.mark.parametrize(
    ("mode", "min_delta", "keras2", "keras3_before", "keras3_after"),
    [
        ("min", 0.5, -0.5, -0.5, -0.5),
        ("max", 0.5, 0.5, 0.5, 0.5),
        ("max", -0.5, 0.5, 0.5, 0.5),
        ("auto", 0.5, -0.5, 0.5, -0.5),
    ],
)
def test_min_delta_reads_with_the_sign_keras_gives_it(
    is_keras3, mode, min_delta, keras2, keras3_before, keras3_after
):
    """Negative where smaller is better, once the direction is known."""
    callback = MonitorCallback("loss", mode, min_delta=min_delta)
    before = callback.min_delta
    callback._set_monitor_op()

    assert before == (keras3_before if is_keras3 else keras2)
    assert callback.min_delta == (keras3_after if is_keras3 else keras2)


@pytest.mark.parametrize(("mode", "worst"), [("min", INF), ("max", -INF)])
def test_best_before_any_value(is_keras3, mode, worst):
    """`None` in Keras 3, the worst value in Keras 2."""
    callback = MonitorCallback("loss", mode)

    assert callback.best == (None if is_keras3 else worst)


def test_best_can_be_given(is_keras3):
    """A baseline is the best until something beats it."""
    callback = MonitorCallback("loss", baseline=0.5)

    assert callback.best == 0.5


def test_nan_never_is_an_improvement():
    """Stock Keras 3 takes NaN for the best and never recovers (pl#1008)."""
    callback = MonitorCallback("loss", "min")

    assert not callback._is_improvement(NAN, None)
    assert callback._is_improvement(1.0, NAN)


def test_small_improvements_are_seen():
    """Stock Keras 3 compares in single precision."""
    callback = MonitorCallback("loss", "min")

    assert callback._is_improvement(0.99999999, 1.0)


def test_a_comparison_of_the_users_own_is_used():
    """`monitor_op` may be assigned, as with stock's classes."""
    callback = MonitorCallback("loss", "max")
    callback.monitor_op = lambda value, best: abs(value) < abs(best)

    assert callback._is_improvement(-0.1, 0.5)
    assert not callback._is_improvement(-0.7, 0.5)


@pytest.mark.parametrize("monitor", [None, 3, ["loss"]])
def test_a_monitor_that_is_no_name_is_refused(monitor):
    """Before training, with the value that was given."""
    callback = MonitorCallback(monitor, "min")

    with pytest.raises(InvalidArgument, match="got monitor="):
        callback._begin_monitoring()


def test_a_misspelt_monitor_is_told_before_training(make_model, warned):
    """With the nearest name; stock tells after an epoch (keras#13689)."""
    callback = MonitorCallback("val_acuracy", "max")
    callback.set_model(make_model())
    callback._begin_monitoring()

    assert warned == [
        "MonitorCallback monitors `val_acuracy`, which is not available. "
        "Available metrics are: accuracy,loss. "
        "Did you mean `val_accuracy`?"
    ]


@pytest.mark.parametrize(
    "monitor",
    [
        "loss",
        "val_loss",
        "accuracy",
        "head_accuracy",
        "val_accuracy_1",
        "accuracy2",
        "val_zzz",
    ],
)
def test_nothing_is_told_of_what_may_still_come(make_model, warned, monitor):
    """Without a fit, nobody knows what else will be logged."""
    callback = MonitorCallback(monitor, "min")
    callback.set_model(make_model())
    callback._begin_monitoring()

    assert warned == []


class Monitoring(MonitorCallback):
    """Monitors, as its subclasses do."""

    def on_train_begin(self, logs=None):
        self._begin_monitoring()


class Logging(kerascb.Callback):
    """A callback of the user's own that adds a value."""

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = 0.5


@pytest.mark.fit
@pytest.mark.parametrize(
    ("monitor", "end"),
    [
        ("val_zzz", "validation_data or validation_split."),
        ("val_loss", "validation_split, or monitor `loss`."),
        ("zzz", "Available metrics are: accuracy,loss"),
        ("acc", "Did you mean `accuracy`?"),
    ],
)
def test_what_cannot_come_is_told_before_training(
    make_model, data, warned, monitor, end
):
    """Also where no name is near; stock tells after an epoch, if at all."""
    callback = Monitoring(monitor, "min")
    make_model().fit(*data, verbose=0, callbacks=[callback])

    assert len(warned) == 1
    assert warned[0].endswith(end)


@pytest.mark.fit
def test_nothing_is_told_of_what_another_callback_logs(
    make_model, data, warned
):
    """A callback of the user's own may validate by itself."""
    callbacks = [Logging(), Monitoring("val_loss"), Monitoring("val_a", "min")]
    make_model().fit(*data, verbose=0, callbacks=callbacks)

    assert warned == []


@pytest.mark.fit
def test_a_layer_may_bring_the_direction_late(
    keras, data, keras3_only, tensorflow
):
    """On TensorFlow the layer is not built before its first batch."""

    class Width(keras.metrics.Mean):
        _direction = "up"

    class Head(keras.layers.Dense):
        def build(self, shape):
            super().build(shape)
            self.width = Width("width")

        def call(self, x):
            self.width.update_state(x)
            return super().call(x)

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.head = Head(3, activation="softmax")

        def call(self, x):
            return self.head(x)

    model = Model()
    model.compile("sgd", "sparse_categorical_crossentropy")
    stop = kerascb.EarlyStopping("width", restore_best_weights=True)
    model.fit(*data, verbose=0, callbacks=[stop])

    assert stop.monitor_op is keras.ops.greater


def test_a_missing_monitor_is_worth_telling_once():
    """Not at every epoch (keras#6954)."""
    callback = MonitorCallback("val_loss")
    worth = [
        callback._monitored({"loss": 1.0}) is None
        and callback._is_worth_telling()
        for _ in range(3)
    ]

    assert worth == [True, False, False]


def test_a_monitor_that_was_there_is_not_missed():
    """Validation every second epoch is no reason to warn (tf#41632)."""
    callback = MonitorCallback("val_loss")
    callback._monitored({"val_loss": 1.0})
    callback._monitored({"loss": 1.0})

    assert not callback._is_worth_telling()


@pytest.mark.parametrize(
    "value", [2, 2.0, np.float32(2.0), np.array(2.0), np.array([2.0])]
)
def test_any_single_number_can_be_compared(value):
    """Logs may hold arrays of one element."""
    assert MonitorCallback("loss")._as_number(value) == 2.0


@pytest.mark.parametrize("value", [np.zeros(3), "low", [1.0, 2.0]])
def test_what_is_not_one_number_is_refused(value):
    """An F1 score per class cannot be compared; the error says what can."""
    with pytest.raises(
        InvalidArgument, match="MonitorCallback can only compare numbers"
    ):
        MonitorCallback("f1")._as_number(value)


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_can_be_copied_and_pickled_without_its_model(duplicate):
    """The state comes along, the model stays (keras#9462)."""
    callback = MonitorCallback("loss", "min", baseline=0.5, min_delta=0.1)
    callback.set_model(SimpleNamespace(lock=(n for n in ())))

    twin = duplicate(callback)

    assert twin.best == 0.5
    assert twin.min_delta == -0.1
    assert twin.model is None
