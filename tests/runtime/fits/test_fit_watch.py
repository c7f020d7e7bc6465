"""Word of a `fit` that an exception ends."""

import copy
import logging
import pickle
import signal
import sys
import threading
import types

import numpy as np
import pytest

from kerascb import runtime as runtimes
from kerascb.runtime.fits import fit_unwinding, fit_watch, running_fit

HOOKS = [
    "on_epoch_begin",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_begin",
    "on_test_batch_begin",
    "on_test_batch_end",
    "on_test_end",
    "on_epoch_end",
]

pytestmark = pytest.mark.fit


@pytest.fixture(
    autouse=True,
    params=[
        pytest.param(
            "listener",
            marks=pytest.mark.skipif(
                sys.version_info < (3, 12), reason="needs PEP 669"
            ),
        ),
        "guards",
    ],
)
def way(request, monkeypatch):
    """Both ways to notice a failure, where Python has both."""
    if request.param == "guards":
        monkeypatch.setattr(fit_unwinding, "_monitoring", None)
    yield request.param
    assert fit_unwinding._hub._place is None


@pytest.fixture
def make_quick(make_model, runtime):
    """Makes models that TensorFlow need not compile first."""

    def make(**compile_args):
        return make_model(
            run_eagerly=runtime.backend == "tensorflow", **compile_args
        )

    return make


@pytest.fixture
def make_watching(runtime):
    """Makes callbacks that watch the fit they are in."""

    class Watching(runtime.stock("Callback")):
        """Notes each failure, and what the model was like then."""

        def __init__(self):
            super().__init__()
            self.errors, self.weights, self.is_lost = [], None, None

        def on_train_begin(self, logs=None):
            self.watch = runtime.watch_fit(self.model, self.note)

        def on_train_end(self, logs=None):
            self.watch.close()

        def note(self, error):
            self.errors.append(error)
            model = runtime.unwrap(self.model)
            self.is_lost = runtime.is_state_lost(model)
            if not self.is_lost:
                self.weights = model.get_weights()

    return Watching


@pytest.fixture
def watching(make_watching):
    """One such callback."""
    return make_watching()


@pytest.fixture
def hooked(runtime):
    """Makes a callback of one hook."""

    def make(name, hook):
        callback = runtime.stock("Callback")()
        setattr(callback, name, lambda *args, **kwargs: hook())
        # Keras asks the class which hooks there are.
        kind = type("Hooked", (type(callback),), {name: lambda *_, **__: None})
        callback.__class__ = kind
        return callback

    return make


def raiser(error):
    """Raises an error."""

    def hook():
        raise error

    return hook


def traces_of(model, callbacks):
    """What a watch puts on the objects of a fit."""
    names = {"evaluate", *HOOKS, "on_train_end", fit_watch._PLACE}
    return names & {*vars(model), *vars(callbacks)}


@pytest.mark.parametrize(
    ("place", "error"),
    [(0, ValueError("so")), (1, KeyboardInterrupt())],
    ids=["before", "after"],
)
@pytest.mark.parametrize("name", HOOKS)
def test_an_error_of_a_hook(
    make_quick, data, watching, hooked, name, place, error
):
    """It is told once, whichever hook of another callback raises."""
    callbacks = [watching]
    callbacks.insert(place, hooked(name, raiser(error)))
    model = make_quick()
    with pytest.raises(type(error)):
        model.fit(
            *data,
            epochs=2,
            verbose=0,
            validation_data=data,
            callbacks=callbacks,
        )

    assert watching.errors == [error]
    assert not watching.is_lost
    assert len(watching.weights) == len(model.get_weights())


@pytest.mark.parametrize("error", [ValueError("so"), KeyboardInterrupt()])
def test_pain_an_error_as_a_callback_behind_begins(
    make_quick, data, watching, hooked, error
):
    """It is told, and nothing is left on the callbacks."""
    others = [hooked("on_train_begin", raiser(error))]
    others += [hooked("on_epoch_end", lambda: None)]
    before = [vars(one).get("on_train_begin") for one in others]
    with pytest.raises(type(error)):
        make_quick().fit(*data, verbose=0, callbacks=[watching, *others])

    assert watching.errors == [error]
    assert [vars(one).get("on_train_begin") for one in others] == before


def test_an_error_as_an_inner_callback_begins(
    make_quick, data, watching, hooked
):
    """A callback that begins another one by itself handles its errors."""
    inner = hooked("on_train_begin", raiser(ValueError("inner")))

    def hook():
        with pytest.raises(ValueError, match="inner"):
            inner.on_train_begin()

    outer = hooked("on_train_begin", hook)
    make_quick().fit(*data, verbose=0, callbacks=[watching, outer])

    assert watching.errors == []


def test_an_error_after_the_last_epoch(make_quick, data, watching, hooked):
    """It is told as long as the watch is not closed."""
    failing = hooked("on_train_end", raiser(ValueError("so")))
    with pytest.raises(ValueError, match="so"):
        make_quick().fit(*data, verbose=0, callbacks=[failing, watching])

    assert len(watching.errors) == 1


@pytest.mark.parametrize("name", ["on_train_batch_end", "on_test_begin"])
def test_ctrl_c_in_a_hook(make_quick, data, watching, hooked, name):
    """A signal is told of like an error that code raises."""
    press = hooked(name, lambda: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        make_quick().fit(
            *data, verbose=0, validation_data=data, callbacks=[press, watching]
        )

    assert [type(error) for error in watching.errors] == [KeyboardInterrupt]


@pytest.mark.parametrize("step", ["train_step", "test_step"])
@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_an_error_of_a_step(make_model, data, watching, step, kind):
    """It is told before the caller of `fit` sees it, the state in place."""
    model = make_model(run_eagerly=True)

    def failing(*args):
        raise kind("so")

    model.__class__ = type("Model", (type(model),), {step: failing})
    before = model.get_weights()
    with pytest.raises(kind, match="so"):
        model.fit(*data, verbose=0, validation_data=data, callbacks=[watching])

    (error,) = watching.errors
    assert isinstance(error, kind)
    assert not watching.is_lost
    if step == "train_step":
        assert all(map(np.array_equal, before, watching.weights))


@pytest.mark.parametrize("of", ["training", "validation"])
def test_an_error_of_the_data(make_model, data, watching, of):
    """A source that fails is told of, once there is a callback."""

    def source():
        x, y = data
        for begin in range(0, 24, 8):
            yield x[begin : begin + 8], y[begin : begin + 8]
        raise OSError("gone")

    arguments = {
        "training": {"x": source(), "steps_per_epoch": 4},
        "validation": {
            "x": data[0],
            "y": data[1],
            "validation_data": source(),
            "validation_steps": 4,
        },
    }[of]
    with pytest.raises(Exception, match="gone"):
        make_model().fit(
            **arguments, shuffle=False, verbose=0, callbacks=[watching]
        )

    assert len(watching.errors) == 1
    assert not watching.is_lost


def test_what_stands_is_what_was_trained(make_model, data, watching, hooked):
    """The weights that can be read are those of the last step."""
    expected = make_model()
    expected.fit(*data, batch_size=8, shuffle=False, verbose=0)
    turns = iter([False, False, True])

    def hook():
        if next(turns):
            raise MemoryError

    with pytest.raises(MemoryError):
        make_model().fit(
            *data,
            batch_size=8,
            shuffle=False,
            verbose=0,
            callbacks=[hooked("on_train_batch_end", hook), watching],
        )

    assert all(
        np.allclose(*pair)
        for pair in zip(expected.get_weights(), watching.weights, strict=True)
    )


def test_a_good_end_is_no_failure(make_model, data, watching):
    """Nothing is told, and nothing is left behind."""
    model = make_model()
    seen = {}
    watching.on_epoch_end = lambda *_: seen.update(
        callbacks=running_fit.frame_of_fit(model).f_locals["callbacks"]
    )
    model.fit(*data, verbose=0, validation_data=data, callbacks=[watching])

    assert watching.errors == []
    assert traces_of(model, seen["callbacks"]) == set()


def test_nothing_is_left_behind_by_a_failure(
    make_quick, data, watching, hooked
):
    """The model and the list are as they were."""
    model = make_quick()
    seen = {}

    def hook():
        frame = running_fit.frame_of_fit(model)
        seen["callbacks"] = frame.f_locals["callbacks"]
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - ours
        model.fit(
            *data, verbose=0, callbacks=[hooked("on_epoch_end", hook), watching]
        )

    assert len(watching.errors) == 1
    assert traces_of(model, seen["callbacks"]) == set()


@pytest.mark.parametrize("name", ["on_train_batch_end", "on_epoch_end"])
def test_an_early_stop_is_no_failure(make_quick, data, watching, hooked, name):
    """Neither within an epoch nor at its end."""
    model = make_quick()

    def stop():
        model.stop_training = True

    model.fit(
        *data,
        batch_size=8,
        epochs=3,
        verbose=0,
        callbacks=[watching, hooked(name, stop)],
    )

    assert watching.errors == []


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize("steps", [None, 5])
def test_the_end_of_the_data_is_no_failure(make_model, data, watching, steps):
    """`StopIteration` is how data end, also before they were to."""

    def source():
        x, y = data
        for begin in (0, 8):
            yield x[begin : begin + 8], y[begin : begin + 8]

    make_model().fit(
        source(),
        shuffle=False,
        steps_per_epoch=steps,
        epochs=2 if steps is None else 1,
        verbose=0,
        callbacks=[watching],
    )

    assert watching.errors == []


def test_two_watch_one_fit(make_quick, data, make_watching, hooked):
    """Both are told, in the order in which they began."""
    first, second = make_watching(), make_watching()
    error = ValueError("so")
    with pytest.raises(ValueError, match="so"):
        make_quick().fit(
            *data,
            verbose=0,
            callbacks=[first, second, hooked("on_epoch_end", raiser(error))],
        )

    assert first.errors == second.errors == [error]


def test_one_of_two_stops_watching(make_quick, data, make_watching, hooked):
    """The other one goes on."""
    first, second = make_watching(), make_watching()

    def close():
        first.watch.close()

    with pytest.raises(ValueError, match="so"):
        make_quick().fit(
            *data,
            verbose=0,
            callbacks=[
                first,
                second,
                hooked("on_epoch_begin", close),
                hooked("on_epoch_end", raiser(ValueError("so"))),
            ],
        )

    assert (len(first.errors), len(second.errors)) == (0, 1)


def test_a_second_fit_is_watched_anew(make_quick, data, watching, hooked):
    """After a failure, and after a good end."""
    model = make_quick()
    failing = hooked("on_epoch_end", raiser(ValueError("so")))
    with pytest.raises(ValueError, match="so"):
        model.fit(*data, verbose=0, callbacks=[watching, failing])
    model.fit(*data, verbose=0, callbacks=[watching])
    with pytest.raises(ValueError, match="so"):
        model.fit(*data, verbose=0, callbacks=[watching, failing])

    assert len(watching.errors) == 2


@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("work", ["fit", "evaluate"])
def test_what_a_callback_handles_is_no_failure(
    make_quick, data, watching, hooked, work, same
):
    """A fit or an evaluation within a hook fails for itself."""
    if same and runtimes.in_force().backend == "jax":
        pytest.skip("Keras on JAX cannot fit a model within its own fit")
    model = make_quick()
    inner = model if same else make_quick()
    name = "on_epoch_end" if work == "fit" else "on_test_begin"
    failing = hooked(name, raiser(ValueError("inner")))

    def hook():
        with pytest.raises(ValueError, match="inner"):
            getattr(inner, work)(*data, verbose=0, callbacks=[failing])

    model.fit(
        *data, verbose=0, callbacks=[watching, hooked("on_epoch_end", hook)]
    )

    assert watching.errors == []


def test_an_inner_fit_is_watched_for_itself(
    make_quick, data, make_watching, hooked
):
    """Its failure is told to who watches it, and nobody else."""
    inner, outer = make_watching(), make_watching()
    failing = hooked("on_epoch_end", raiser(ValueError("inner")))

    def hook():
        with pytest.raises(ValueError, match="inner"):
            make_quick().fit(*data, verbose=0, callbacks=[inner, failing])

    make_quick().fit(
        *data, verbose=0, callbacks=[outer, hooked("on_epoch_end", hook)]
    )

    assert (len(inner.errors), len(outer.errors)) == (1, 0)


def test_a_fit_in_another_thread(make_quick, data, watching, hooked):
    """It is told in that thread."""
    model = make_quick()
    threads = []
    watching.note = lambda error: threads.append(threading.current_thread())

    def work():
        with pytest.raises(ValueError, match="so"):
            model.fit(
                *data,
                verbose=0,
                callbacks=[
                    watching,
                    hooked("on_epoch_end", raiser(ValueError("so"))),
                ],
            )

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)

    assert threads == [thread]


def test_an_error_of_the_told_hides_nothing(
    make_quick, data, make_watching, hooked, caplog
):
    """The caller of `fit` sees what ended it; the others are told."""
    first, second = make_watching(), make_watching()
    first.note = lambda error: 1 / 0
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(KeyboardInterrupt),
    ):
        make_quick().fit(
            *data,
            verbose=0,
            callbacks=[
                first,
                second,
                hooked("on_epoch_end", raiser(KeyboardInterrupt())),
            ],
        )

    assert len(second.errors) == 1
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))]
)
def test_a_model_is_copied_while_it_is_watched(
    make_quick, data, watching, hooked, copied
):
    """What lies on it does not come with the copy."""
    model = make_quick()
    copies = []
    model.fit(
        *data,
        verbose=0,
        callbacks=[
            watching,
            hooked("on_epoch_end", lambda: copies.append(copied(model))),
            hooked("on_epoch_end", lambda: pickle.dumps(watching.watch)),
        ],
    )

    assert "evaluate" not in vars(copies[0])


def test_a_copy_of_a_watch_is_closed(runtime):
    """A copied callback watches nothing."""
    watch = pickle.loads(pickle.dumps(copy.deepcopy(fit_watch.Watch())))

    assert watch.close() is None


def test_without_a_fit_nothing_is_watched(runtime):
    """Hooks that are driven by hand may watch all the same."""
    told = []
    watch = runtime.watch_fit(types.SimpleNamespace(), told.append)
    watch.close()

    assert told == []


def test_without_a_place_the_calls_are_wrapped(
    make_quick, data, watching, hooked, monkeypatch
):
    """Others may have taken all that the interpreter has."""
    monkeypatch.setattr(fit_unwinding, "_PLACES", ())
    with pytest.raises(ValueError, match="so"):
        make_quick().fit(
            *data,
            verbose=0,
            callbacks=[
                watching,
                hooked("on_epoch_end", raiser(ValueError("so"))),
            ],
        )

    assert len(watching.errors) == 1


def test_keras2_has_no_gaps(keras2_only, make_model, data, watching):
    """What fails between the calls of `fit` is told of as well."""
    model = make_model()
    model._validate_and_get_metrics_result = lambda logs: 1 / 0
    with pytest.raises(ZeroDivisionError):
        model.fit(*data, verbose=0, callbacks=[watching])

    assert len(watching.errors) == 1


@pytest.mark.parametrize("step", [1, 2])
def test_a_step_takes_the_state_with_it(
    runtime, make_quick, data, watching, step
):
    """On JAX a step whose outcome nobody got leaves nothing to read."""
    if runtime.backend != "jax":
        pytest.skip("about JAX")
    model = make_quick()
    steps = iter(range(1, 4))

    def interrupted(original):
        def train(*args):
            outcome = original(*args)
            if next(steps) == step:
                raise KeyboardInterrupt
            return outcome

        return train

    watching.on_epoch_begin = lambda *_: setattr(
        model, "train_function", interrupted(model.train_function)
    )
    with pytest.raises(KeyboardInterrupt):
        model.fit(*data, batch_size=8, verbose=0, callbacks=[watching])

    assert watching.is_lost


@pytest.mark.parametrize("step", [1, 2])
def test_what_a_step_did_not_take_is_there(
    runtime, make_quick, data, watching, step
):
    """On JAX a step that did not begin leaves the state where it was."""
    if runtime.backend != "jax":
        pytest.skip("about JAX")
    model = make_quick()
    before = model.get_weights()
    steps = iter(range(1, 4))

    def interrupted(original):
        def train(*args):
            if next(steps) == step:
                raise KeyboardInterrupt
            return original(*args)

        return train

    watching.on_epoch_begin = lambda *_: setattr(
        model, "train_function", interrupted(model.train_function)
    )
    with pytest.raises(KeyboardInterrupt):
        model.fit(*data, batch_size=8, verbose=0, callbacks=[watching])

    assert not watching.is_lost
    assert all(map(np.array_equal, before, watching.weights)) == (step == 1)
    assert np.isfinite(model.get_weights()[0]).all()
