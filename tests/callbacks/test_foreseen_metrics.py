"""Whatever a model logs can be a placeholder and a monitor, untold."""

import functools
import importlib

import numpy as np
import pytest

import kerascb
from kerascb import runtime

keras = importlib.import_module(runtime.in_force().package)

X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")
FEW = {"optimizer": "sgd", "loss": "mse", "run_eagerly": True}


def MyMetric(y_true, y_pred):  # noqa: N802 - as users may write it
    """A function whose name is no snake case."""
    return abs(y_true - y_pred)


class Judge:
    """A metric that is neither a function nor Keras's."""

    def __call__(self, y_true, y_pred):
        return abs(y_true - y_pred)


class Pair(keras.metrics.Mean):
    """A metric that logs under names of its own."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        return super().update_state(y_pred)

    def result(self):
        mean = super().result()
        return {"lower": mean, "upper": mean + 1.0}


class Entropy(keras.layers.Layer):
    """A layer with a metric of its own."""

    def __init__(self):
        super().__init__()
        self.entropy = keras.metrics.Mean("entropy")

    def call(self, x):
        self.entropy.update_state(x)
        return x


class Late(keras.layers.Layer):
    """A layer that makes its metric when it is built."""

    def build(self, shape):
        self.kl = keras.metrics.Mean("kl", dtype="float32")
        super().build(shape)

    def call(self, x):
        self.kl.update_state(x)
        return x


class Adding(keras.layers.Layer):
    """A layer of Keras 2 that adds a metric, only when it is trained."""

    def call(self, x, training=False):
        if training:
            self.add_metric(x, name="spread", aggregation="mean")
        return x


class Subclassed(keras.Model):
    """A model that is not built before its first batch."""

    def __init__(self, *layers):
        super().__init__()
        self.inner = list(layers)
        self.head = keras.layers.Dense(1)

    def call(self, x):
        for layer in self.inner:
            x = layer(x)
        return self.head(x)


class Valued(Subclassed):
    """A model with outputs called as if validation brought them."""

    def call(self, x):
        return {"val": self.head(x), "other": self.head(x)}


class Stepping(Subclassed):
    """A model that logs what it likes."""

    def test_step(self, data):
        return {"loss": 0.5, "free": 0.5}


class Computing(Subclassed):
    """A model that adds to the results of its metrics."""

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        results = super().compute_metrics(x, y, y_pred, sample_weight)
        return {**results, "extra": 0.5}


class Evaluating(Subclassed):
    """A model that validates in its own way."""

    def evaluate(self, *args, **kwargs):
        return {**super().evaluate(*args, **kwargs), "distance": 0.5}


def one(*layers, **compiled):
    """A model of one output, built and compiled."""
    model = keras.Sequential(
        [
            keras.layers.Input((4,)),
            *layers,
            keras.layers.Dense(1, activation="sigmoid", name="head"),
        ]
    )
    model.compile(**FEW | compiled)
    return model


def two(names=("a", "b"), as_dict=False, **compiled):
    """A model of two outputs."""
    x = keras.layers.Input((4,))
    outputs = [keras.layers.Dense(1, name=name)(x) for name in names]
    if as_dict:
        outputs = dict(zip(names, outputs, strict=True))
    model = keras.Model(x, outputs)
    model.compile(**FEW | compiled)
    return model


def compiled(model, **arguments):
    """The model, compiled."""
    model.compile(**FEW | arguments)
    return model


def with_added_metric():
    """A functional model of Keras 2 with a metric that is no layer's."""
    x = keras.layers.Input((4,))
    y = keras.layers.Dense(1)(x)
    model = keras.Model(x, y)
    model.add_metric(y, name="added", aggregation="mean")
    return compiled(model)


def trained_before():
    """A model whose metrics are made already."""
    model = one(metrics=["AUC", "acc"])
    model.fit(X, Y, verbose=0)
    return model


METRICS = {
    "none": None,
    "words": ["accuracy", "mse"],
    "other words for accuracy": ["acc"],
    "capital words": ["ACC"],
    "abbreviations": ["MAE", "mape"],
    "names of classes": ["AUC", "Precision", "MeanSquaredError"],
    "another": ["BinaryAccuracy"],
    "named otherwise than their class": ["KLDivergence"],
    "names of functions": ["binary_accuracy", "mean_absolute_error"],
    "function": [MyMetric],
    "keras function": [keras.metrics.mean_squared_error],
    "lambda": [lambda y_true, y_pred: abs(y_true - y_pred)],
    "partial": [functools.partial(MyMetric)],
    "callable": [Judge()],
    "loss as a metric": [keras.losses.MeanAbsoluteError(name="far")],
    "in a tuple": ("mse",),
}  # fmt: skip
OBJECTS = {
    "object": lambda: one(metrics=[keras.metrics.AUC()]),
    "object with a name": lambda: one(
        metrics=[keras.metrics.MeanSquaredError("mine")]
    ),
    "object of the user's": lambda: one(metrics=[Pair("pair")]),
    "objects of a class": lambda: one(
        metrics=[keras.metrics.AUC(), keras.metrics.AUC()]
    ),
    "mixed": lambda: one(metrics=["mae", keras.metrics.Recall(), MyMetric]),
}  # fmt: skip
KERAS_3 = {
    "a class": lambda: one(metrics=[keras.metrics.MeanSquaredError]),
    "a class without a name": lambda: one(metrics=[keras.metrics.AUC]),
    "a class of the user's": lambda: one(metrics=[Pair]),
    "duplicates": lambda: one(metrics=["acc", "acc", "acc"]),
    "weighted duplicates": lambda: one(
        metrics=["acc"], weighted_metrics=["acc", "acc"]
    ),
    "duplicates of outputs": lambda: two(
        metrics=[["mse", "mse"], ["mse"]], weighted_metrics=[["mse"], None]
    ),
}  # fmt: skip
KERAS_2 = {
    "added in a layer": lambda: one(Adding()),
    "added in a layer of a model": lambda: compiled(Subclassed(Adding())),
    "added to a model": with_added_metric,
    "the measure of loss": lambda: one(metrics=["ce", "CrossEntropy"]),
}  # fmt: skip
MODELS = {
    "weighted": lambda: one(weighted_metrics=["mse"]),
    "weighted too": lambda: one(metrics=["mse"], weighted_metrics=["mse"]),
    "trained before": trained_before,
    "two outputs": lambda: two(metrics=[["mse"], ["AUC"]]),
    "dict of metrics": lambda: two(metrics={"a": ["mse"], "b": MyMetric}),
    "list of metrics": lambda: two(metrics=[["mse"], ["mae"]]),
    "dict of losses": lambda: two(loss={"a": "mse", "b": "mae"}),
    "list of losses": lambda: two(loss=["mse", "mae"]),
    "dict of outputs": lambda: two(as_dict=True, metrics={"a": ["mse"]}),
    "output val": lambda: two(("val", "b"), metrics=[["mse"], ["mse"]]),
    "output val in a dict": lambda: two(("val_1", "b"), as_dict=True),
    "output val of a subclass": lambda: compiled(Valued()),
    "weighted outputs": lambda: two(
        metrics=[["mse"], ["mse"]], weighted_metrics=[["mse"], ["mae"]]
    ),
    "subclassed": lambda: compiled(Subclassed(), metrics=["AUC"]),
    "custom compute_metrics": lambda: compiled(Computing()),
    "custom evaluate": lambda: compiled(Evaluating()),
}  # fmt: skip
TENSORFLOW = {
    "of a layer": lambda: one(Entropy()),
    "of a layer built": lambda: one(Late()),
    "of an inner model": lambda: one(one(Entropy())),
    "of a layer of a model": lambda: compiled(Subclassed(Entropy())),
    "custom step": lambda: compiled(Stepping()),
    "of a layer built late": lambda: compiled(Subclassed(Late())),
}  # fmt: skip
GIVEN = {
    name: functools.partial(one, metrics=metrics)
    for name, metrics in METRICS.items()
}


def cases(table):
    return pytest.mark.parametrize("build", table.values(), ids=table.keys())


def fit(build, callbacks=(), **fit_args):
    """Fits a new model, named as the first of its process would be."""
    keras.backend.clear_session()
    model = build()
    y = Y
    outputs = getattr(model, "output_names", None) or ()
    if isinstance(model, Valued):
        y = {"val": Y, "other": Y}
    elif len(outputs) > 1:
        y = [Y, Y]
        if isinstance(getattr(model, "output", None), dict):
            y = dict(zip(model.output, y, strict=True))
    if fit_args.pop("validates", True):
        fit_args["validation_data"] = (X, y)
    return model.fit(
        X, y, verbose=0, callbacks=list(callbacks), **fit_args
    ).history


def check(build, warned, **fit_args):
    """Uses each key of the History as a placeholder and as a monitor."""
    names = list(fit(build, **fit_args))
    before = list(warned)
    path = "-".join(["m", *(f"{{{name}:.9f}}" for name in names)])
    again = fit(
        build,
        [
            kerascb.ModelCheckpoint(
                f"{path}.weights.h5", save_weights_only=True, save_freq=999
            ),
            *(
                kerascb.EarlyStopping(name, mode="max", patience=9)
                for name in names
            ),
        ],
        **fit_args,
    )

    assert list(again) == names
    assert warned[len(before) :] in ([], before)


@pytest.mark.fit
@cases(GIVEN)
def test_metrics_given_as(build, warned):
    """Words, functions and other callables."""
    check(build, warned)


@pytest.mark.fit
@cases(OBJECTS)
def test_metrics_given_as_objects(build, warned):
    """A new object a model; Keras numbers those without a name."""
    check(build, warned)


@pytest.mark.fit
@cases(MODELS)
def test_metrics_of_models(build, warned):
    """Metrics of outputs, and of methods of the user's own."""
    check(build, warned)


@pytest.mark.fit
@cases(TENSORFLOW)
def test_metrics_on_tensorflow(build, warned, tensorflow):
    """On JAX the layers of Keras take no metrics, and steps take a state."""
    check(build, warned)


@pytest.mark.fit
@pytest.mark.parametrize(
    "name", ["output val", "output val in a dict", "custom compute_metrics"]
)
def test_metrics_without_validation(name, warned):
    """A fit that does not validate may log what looks as if it did."""
    check(MODELS[name], warned, validates=False)


@pytest.mark.fit
@cases(KERAS_3)
def test_metrics_of_keras_3(build, warned, keras3_only):
    """What Keras 2 refuses."""
    check(build, warned)


@pytest.mark.fit
@cases(KERAS_2)
def test_metrics_of_keras_2(build, warned, keras2_only):
    """What Keras 3 does not have."""
    check(build, warned)
