"""`install` and `uninstall`: our classes in the place of stock's."""

import importlib
import os
import subprocess
import sys
import textwrap
import types
from pathlib import Path

import numpy as np
import pytest

import kerascb
from kerascb._names import CALLBACKS, EXPERIMENTAL

_REPOSITORY = Path(__file__).parents[1]
# A program of its own pays for importing a Keras; what has to be told of one
# is told of one.
_PROGRAM_TIMEOUT_S = 100


@pytest.fixture(autouse=True)
def _uninstalled():
    yield
    kerascb.uninstall()


@pytest.fixture
def public(runtime):
    """The module that users know as `keras.callbacks`."""
    return importlib.import_module(f"{runtime.package}.callbacks")


@pytest.fixture
def internal(runtime):
    """The module that `fit` knows as `callbacks`."""
    return importlib.import_module(f"{runtime.package}.src.callbacks")


def _contents():
    """All that there is in the modules of callbacks, by place and identity."""
    return {
        (path, name): value
        for path, module in list(sys.modules.items())
        if "callbacks" in path and path.partition(".")[0] != "kerascb"
        if isinstance(module, types.ModuleType)
        for name, value in vars(module).items()
    }


@pytest.mark.parametrize("name", CALLBACKS)
def test_puts_every_class_in_place(public, name):
    """A script that says `keras.callbacks.X` gets ours, whatever X is."""
    kerascb.install()

    assert getattr(public, name) is getattr(kerascb, name)


@pytest.mark.parametrize("name", EXPERIMENTAL)
def test_puts_experimental_classes_in_place(runtime, public, name):
    """Also where this Keras has no `experimental` any more."""
    kerascb.install()

    ours = getattr(kerascb.experimental, name)
    path = f"{runtime.package}.callbacks.experimental"
    assert getattr(public.experimental, name) is ours
    assert getattr(importlib.import_module(path), name) is ours


def test_is_what_tensorflow_shows(tensorflow):
    """`tf.keras.callbacks` and what is imported from there are ours."""
    kerascb.install()

    path = "tensorflow.keras.callbacks"
    assert tensorflow.keras.callbacks.CSVLogger is kerascb.CSVLogger
    assert importlib.import_module(path).CSVLogger is kerascb.CSVLogger


def test_adds_nothing_to_the_internals(internal):
    """What `fit` looks things up in gets what it has, no more."""
    names = set(vars(internal))

    kerascb.install()

    assert set(vars(internal)) == names
    assert internal.CallbackList is kerascb.CallbackList


def test_uninstall_restores_everything(public, internal):
    """To the last name, in every module."""
    del public, internal
    before = _contents()

    kerascb.install()
    kerascb.uninstall()

    assert _contents() == before


def test_uninstall_restores_what_was_imported_since(tensorflow, runtime):
    """`tf.compat.v1.keras` is a module of its own, imported when asked for."""
    if runtime.name != "keras2":
        pytest.skip("Keras 3 has no such module")
    kerascb.install()
    callbacks = tensorflow.compat.v1.keras.callbacks
    kerascb.uninstall()

    assert callbacks.EarlyStopping is runtime.stock("EarlyStopping")


def test_leaves_the_import_system_as_it_was():
    """No finder stays behind."""
    before = list(sys.meta_path)

    with kerascb.install():
        assert sys.meta_path != before

    assert sys.meta_path == before


def test_installing_twice_is_installing_once(public, stock):
    """And one `uninstall` is enough."""
    kerascb.install()
    kerascb.install()
    finders = len(sys.meta_path)
    kerascb.uninstall()

    assert public.CSVLogger is stock("CSVLogger")
    assert len(sys.meta_path) == finders - 1


def test_uninstall_alone_does_nothing(public, stock):
    """Nor twice."""
    kerascb.uninstall()
    kerascb.uninstall()

    assert public.CSVLogger is stock("CSVLogger")


def test_a_with_block_ends_what_it_began(public, stock):
    """Also when it ends with an error."""

    def fail():
        with kerascb.install():
            assert public.CSVLogger is kerascb.CSVLogger
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert public.CSVLogger is stock("CSVLogger")


def test_an_inner_with_block_ends_nothing(public, stock):
    """The outermost installation counts."""
    with kerascb.install():
        with kerascb.install():
            pass
        inside = public.CSVLogger

    assert inside is kerascb.CSVLogger
    assert public.CSVLogger is stock("CSVLogger")


def test_can_be_installed_again(public):
    """After `uninstall` it works as the first time."""
    before = _contents()
    with kerascb.install():
        first = public.CSVLogger

    with kerascb.install():
        second = public.CSVLogger

    assert first is second is kerascb.CSVLogger
    assert _contents() == before


def test_leaves_what_somebody_else_has_put_there(public, monkeypatch):
    """Another tool's wrapper is not torn down."""
    wrapper = type("Wrapper", (), {})
    monkeypatch.setattr(public, "CSVLogger", public.CSVLogger)

    with kerascb.install():
        public.CSVLogger = wrapper

    assert public.CSVLogger is wrapper


def test_a_module_that_is_reloaded_gets_them_again(public, stock):
    """Reloading makes a module anew; `uninstall` restores it all the same."""
    with kerascb.install():
        importlib.reload(public)
        inside = public.CSVLogger

    assert inside is kerascb.CSVLogger
    assert public.CSVLogger is stock("CSVLogger")


def test_a_module_shows_its_own_loader(runtime):
    """What is imported meanwhile looks as if nobody had watched."""
    path = f"{runtime.package}.callbacks"
    before = importlib.import_module(path).__spec__.loader

    with kerascb.install():
        module = importlib.reload(importlib.import_module(path))

    assert type(module.__spec__.loader) is type(before)
    assert module.__loader__ is module.__spec__.loader


def test_stock_stays_within_our_reach(runtime, stock):
    """The runtime still knows stock's own classes."""
    before = stock("EarlyStopping")

    kerascb.install()

    assert runtime.stock("EarlyStopping") is before
    assert not issubclass(before, kerascb.Callback)


@pytest.mark.fit
def test_fit_makes_our_list_history_and_bar(keras, capsys):
    """An unedited `fit` records with our History, and goes back to stock's."""
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = np.zeros((4, 2)), np.zeros((4, 1))

    with kerascb.install():
        inside = model.fit(*data, verbose=2)
    outside = model.fit(*data, verbose=0)

    assert type(inside) is kerascb.History
    assert type(outside) is not kerascb.History
    assert list(inside.history) == list(outside.history) == ["loss"]
    assert "- loss: " in capsys.readouterr().out


@pytest.mark.fit
def test_fit_takes_a_list_of_ours(keras):
    """A `CallbackList` made by the user is used, not wrapped."""
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = np.zeros((4, 2)), np.zeros((4, 1))

    with kerascb.install():
        callbacks = keras.callbacks.CallbackList(add_history=True, model=model)
        model.fit(*data, callbacks=callbacks)

    (history,) = callbacks
    assert history.history == {"loss": [0.0]}


def _program(text, *arguments, **environment):
    done = subprocess.run(
        [sys.executable, *arguments, "-"],
        input=textwrap.dedent(text),
        env={
            **os.environ,
            "PYTHONPATH": str(_REPOSITORY),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=_PROGRAM_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.example
def test_waits_for_a_keras_to_be_imported(tensorflow):
    """Installing imports none; what is imported later gets our classes."""
    del tensorflow

    told = _program("""
        import sys
        import kerascb
        kerascb.install()
        print({"keras", "tf_keras", "tensorflow", "numpy"} & set(sys.modules))
        import tensorflow as tf
        print(tf.keras.callbacks.CSVLogger.__module__)
        from tensorflow.keras.callbacks import experimental, History
        from tensorflow.keras.callbacks.experimental import BackupAndRestore
        print(History.__module__, BackupAndRestore.__module__)
        kerascb.uninstall()
        ours = [
            (path, name)
            for path, module in list(sys.modules.items())
            if path.startswith(("keras", "tf_keras", "tensorflow"))
            and not path.startswith("kerascb") and "callbacks" in path
            for name, value in vars(module).items()
            if getattr(value, "__module__", "").startswith("kerascb")
        ]
        print(ours)
    """)

    assert told == [
        "set()",
        "kerascb.callbacks.csv_logger",
        "kerascb.callbacks.history",
        "kerascb.experimental",
        "[]",
    ]


@pytest.mark.example
def test_covers_a_second_keras(tensorflow):
    """Both Keras of one process get them, in whatever order they come."""
    del tensorflow
    pytest.importorskip("tf_keras")
    if not kerascb.runtime.in_force().version.startswith("3"):
        pytest.skip("there is one Keras")

    told = _program("""
        import kerascb
        kerascb.install()
        import keras
        import tf_keras
        import tf_keras.src.callbacks as internal
        for module in (keras, tf_keras):
            print(module.callbacks.CSVLogger is kerascb.CSVLogger)
        print(internal.CallbackList is kerascb.CallbackList)
        kerascb.uninstall()
        for module in (keras.callbacks, tf_keras.callbacks, internal):
            print(module.CSVLogger.__module__)
    """)

    assert told == [
        *["True"] * 3,
        "keras.src.callbacks.csv_logger",
        *["tf_keras.src.callbacks"] * 2,
    ]


@pytest.mark.example
def test_run_gives_an_unedited_script_our_classes(tmp_path, runtime):
    """`python -m kerascb run` is `python` with our classes."""
    script = tmp_path / "train.py"
    script.write_text(
        f"from {runtime.package}.callbacks import CSVLogger, History\n"
        "print(CSVLogger.__module__, History.__module__)\n"
    )

    done = subprocess.run(
        [sys.executable, "-m", "kerascb", "run", str(script)],
        cwd=_REPOSITORY,
        capture_output=True,
        text=True,
        timeout=_PROGRAM_TIMEOUT_S,
        check=True,
    )

    assert done.stdout.split() == [
        "kerascb.callbacks.csv_logger",
        "kerascb.callbacks.history",
    ]
