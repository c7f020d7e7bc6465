"""The same seeded fit with stock's callbacks and with ours, side by side."""

from __future__ import annotations

import contextlib
import io
import os
import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

import kerascb
from kerascb import _names


@dataclass
class Outcome:
    """What one fit left behind.

    Attributes:
        callbacks: The callbacks, after the fit.
        history: `History.history`.
        epochs: `History.epoch`.
        printed: What went to stdout.
        warned: Texts of the warnings, in the runtime's channel.
        files: Relative path → content.
        model: The model.
        error: What `fit` raised, if it did.
    """

    callbacks: list[Any]
    model: Any
    history: dict[str, list[Any]] = field(default_factory=dict)
    epochs: list[int] = field(default_factory=list)
    printed: str = ""
    warned: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    error: BaseException | None = None

    def read(self, *attributes: str) -> list[dict[str, Any]]:
        """Attributes of each callback, `None` where there is none."""
        return [
            {name: getattr(callback, name, None) for name in attributes}
            for callback in self.callbacks
        ]


@contextlib.contextmanager
def collect_warnings(runtime):
    """Collects the texts of warnings from the channels of a runtime."""
    texts: list[str] = []

    def note(message, *args, **kwargs):
        del kwargs
        text = message % args if args else str(message)
        # TensorFlow counts the models of a process, which are the tests'.
        if "triggered tf.function retracing" not in text:
            texts.append(text)

    with contextlib.ExitStack() as stack:
        if runtime.name == "keras2":
            target = "tensorflow.python.platform.tf_logging.warning"
            stack.enter_context(mock.patch(target, note))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("always")
        # What Keras does itself, and will be told of by Python and NumPy.
        warnings.filterwarnings(
            "ignore", category=DeprecationWarning, module=r"(tf_)?keras\."
        )
        warnings.filterwarnings("ignore", "non-integer arguments to randrange")
        warnings.showwarning = lambda message, *rest: note(str(message))
        yield texts


def compare(
    runtime,
    build,
    make_model,
    data,
    folder,
    *,
    epochs=3,
    validation=True,
    verbose=0,
    **fit_args,
):
    """Fits twice, and returns what stock left and what we left.

    Args:
        runtime: The runtime in force (fixture `runtime`).
        build: A namespace of callback classes → the list of callbacks. It is
            called in a folder of its own, so that relative paths are apart.
        make_model: Returns a new seeded model (fixture `make_model`, say).
        data: `(x, y)`.
        folder: Where the two folders are made (`tmp_path`).
        epochs: Passed to `fit`.
        validation: Validate on the training data.
        verbose: Passed to `fit`.
        **fit_args: Passed to `fit`.
    """
    stock = SimpleNamespace(
        **{name: runtime.stock(name) for name in _names.CALLBACKS}
    )
    outcomes = []
    for name, classes in (("stock", stock), ("ours", kerascb)):
        place = Path(folder) / name
        place.mkdir()
        # contextlib.chdir is not there before Python 3.11.
        with _chdir(place):
            outcome = _fit(
                runtime,
                lambda classes=classes: build(classes),
                make_model,
                data,
                dict(
                    fit_args,
                    epochs=epochs,
                    verbose=verbose,
                    **({"validation_data": data} if validation else {}),
                ),
            )
        outcome.files = {
            str(path.relative_to(place)): path.read_bytes()
            for path in sorted(place.rglob("*"))
            if path.is_file()
        }
        outcomes.append(outcome)
    return tuple(outcomes)


def assert_equal_runs(stock, ours, *attributes):
    """Asserts equal History, printed lines, warnings, files.

    Of files, the names, and the content of those that are text.

    Args:
        stock: What stock left.
        ours: What we left.
        *attributes: Attributes of the callbacks that must be equal as well.
    """
    assert type(ours.error) is type(stock.error)
    assert ours.history == stock.history
    assert list(ours.history) == list(stock.history)
    assert ours.epochs == stock.epochs
    assert untimed(ours.printed) == untimed(stock.printed)
    assert ours.warned == stock.warned
    assert list(ours.files) == list(stock.files)
    assert _texts(ours.files) == _texts(stock.files)
    assert ours.read(*attributes) == stock.read(*attributes)


def assert_trains_alike(model, other, data):
    """Asserts that two models go on training with equal losses.

    Args:
        model: The one that was saved.
        other: The one that was restored.
        data: What they train on.
    """
    losses = []
    for one in (model, other):
        # Before 3.13, Keras 3 kept averaging over what a fit had left.
        one.reset_metrics()
        losses.append([one.train_on_batch(*data) for _ in range(3)])

    np.testing.assert_allclose(*losses, rtol=1e-5)


def _texts(files):
    # Archives and event files hold times; their tests look inside.
    return {
        name: content
        for name, content in files.items()
        if name.endswith((".csv", ".pbtxt", ".txt"))
    }


def untimed(text):
    """Printed lines without what differs from run to run: times."""
    return re.sub(r"\d+(\.\d+)?(us|ms|s)(/step|/epoch)?", "<t>", text)


def _fit(runtime, build, make_model, data, fit_args):
    x, y = data
    model = make_model()
    printed = io.StringIO()
    with (
        collect_warnings(runtime) as warned,
        contextlib.redirect_stdout(printed),
    ):
        callbacks = build()
        outcome = Outcome(callbacks, model)
        try:
            record = model.fit(x, y, callbacks=callbacks, **fit_args)
        except Exception as error:  # noqa: BLE001 - whatever stock raises
            outcome.error = error
        else:
            outcome.history = record.history
            outcome.epochs = record.epoch
    outcome.printed = printed.getvalue()
    outcome.warned = list(warned)
    return outcome


@contextlib.contextmanager
def _chdir(place):
    before = Path.cwd()
    os.chdir(place)
    try:
        yield
    finally:
        os.chdir(before)
