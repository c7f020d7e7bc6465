"""What `kerascb` exports."""

import importlib.metadata
import subprocess
import sys

import pytest

import kerascb
from kerascb import _names


@pytest.mark.parametrize("name", _names.CALLBACKS)
def test_exports_every_callback(name):
    """The class, under its name, from the module that is named after it."""
    kind = getattr(kerascb, name)

    assert kind.__name__ == name
    assert kind.__module__ == (
        f"kerascb.callbacks.{_names.CALLBACK_MODULES[name]}"
    )


@pytest.mark.parametrize("name", _names.EXPERIMENTAL)
def test_exports_the_experimental_ones(name):
    """Gone from TensorFlow 2.16; old imports still find them here."""
    assert hasattr(kerascb.experimental, name)


@pytest.mark.parametrize("name", kerascb.__all__)
def test_everything_promised_is_there(name):
    """`from kerascb import *` works."""
    assert getattr(kerascb, name) is not None
    assert name in dir(kerascb)


def test_an_unknown_name_is_an_attribute_error():
    """As in any module."""
    with pytest.raises(AttributeError, match="no attribute 'EarlyStoping'"):
        _ = kerascb.EarlyStoping


@pytest.mark.parametrize("name", _names.CALLBACKS)
def test_is_a_callback_of_the_keras_in_force(name, stock):
    """Each class passes `isinstance` checks against stock's base."""
    assert issubclass(getattr(kerascb, name), stock("Callback"))


@pytest.mark.parametrize(
    "name", ["History", "ProgbarLogger", "CallbackList", "Callback"]
)
def test_is_of_stocks_class_where_the_trainer_asks(name, stock):
    """The trainers check these with `isinstance`."""
    assert issubclass(getattr(kerascb, name), stock(name))


def test_importing_the_package_imports_no_keras():
    """The command line and `errors` need none."""
    code = (
        "import sys, kerascb, kerascb.errors; "
        "print([m for m in ('keras', 'tf_keras', 'tensorflow') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_the_version_is_the_distributions():
    """One version, in two places."""
    assert kerascb.__version__ == importlib.metadata.version("kerascb")
