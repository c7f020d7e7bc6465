"""The harness itself, on tests that are made up here."""

import pytest

from tests.peers import harness

_HEAD = """
import tf_keras as keras
from tf_keras import callbacks
from tf_keras.callbacks import CSVLogger
from tf_keras.src.callbacks import History
import tf_keras.protobuf
    from tf_keras.testing_infra import test_utils
import tensorflow.compat.v2 as tf
"""


@pytest.fixture
def write_tests(tmp_path):
    def write(text):
        file = tmp_path / "callbacks_test.py"
        file.write_text(text)
        return file

    return write


def test_says_how_to_get_the_tests_of_tf_keras(tmp_path, monkeypatch):
    """They cannot be had from its wheel."""
    monkeypatch.delenv(harness.TF_KERAS_TESTS, raising=False)

    with pytest.raises(harness.Unavailable, match=harness.TF_KERAS_TESTS):
        harness.tf_keras_tests(tmp_path)


@pytest.mark.parametrize("is_checkout", [False, True])
def test_moves_imports_to_where_the_wheel_has_them(
    tmp_path, monkeypatch, is_checkout
):
    """In the wheel, what was in `tf_keras` is in `tf_keras.src`."""
    given = tmp_path / "tf_keras" / "callbacks_test.py"
    given.parent.mkdir()
    given.write_text(_HEAD)
    path = tmp_path if is_checkout else given
    monkeypatch.setenv(harness.TF_KERAS_TESTS, str(path))
    (tmp_path / "copy").mkdir()

    (copy,) = harness.tf_keras_tests(tmp_path / "copy")

    assert (
        copy.read_text()
        == """
import tf_keras.src as keras
from tf_keras.src import callbacks
from tf_keras.src.callbacks import CSVLogger
from tf_keras.src.callbacks import History
import tf_keras.protobuf
    from tf_keras.src.testing_infra import test_utils
import tensorflow.compat.v2 as tf
"""
    )


@pytest.mark.example
def test_tests_meet_our_classes(write_tests, runtime):
    """In every module that a test may take them from."""
    internal = f"{runtime.package}.src.callbacks"
    file = write_tests(f"""
import importlib
import kerascb
import {internal} as internal
import {runtime.package}.callbacks as public

def test_public():
    assert public.CSVLogger is kerascb.CSVLogger

def test_internal():
    assert internal.EarlyStopping is kerascb.EarlyStopping
    assert internal.CallbackList is kerascb.CallbackList

def test_home():
    if hasattr(internal, "MonitorCallback"):
        home = importlib.import_module("{internal}.callback")
        assert home.Callback is kerascb.Callback
""")

    done = harness.run([file], ["-k", "test"], capture=True)

    assert "3 passed" in done.stdout, done.stdout
    assert done.returncode == 0


@pytest.mark.example
def test_a_test_that_fails_fails_the_run(write_tests):
    """Nothing is passed over but what is listed."""
    file = write_tests("def test_nothing():\n    assert False\n")

    done = harness.run([file], ["-k", "test"], capture=True)

    assert "1 failed" in done.stdout
    assert done.returncode == 1


@pytest.mark.example
def test_a_list_that_is_out_of_date_fails_the_run(write_tests, keras3_only):
    """A test that is expected to fail has to be there."""
    del keras3_only
    file = write_tests("def test_nothing():\n    pass\n")

    done = harness.run([file], capture=True)

    assert "expected to fail, but not there" in done.stdout
    assert done.returncode != 0
