"""A pytest plugin: the peers' tests meet our classes in the place of theirs.

Loaded by `harness.py` into the process that runs them, and into no other.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import types

import pytest

import kerascb
from kerascb import runtime
from kerascb._names import CALLBACK_MODULES
from kerascb.callbacks.monitor_callback import MonitorCallback
from tests.peers.expected_failures import EXPECTED_FAILURES

_PACKAGE = runtime.in_force().package


def pytest_configure(config):
    """Puts our classes in place before the first test module is imported."""
    for marker in ("requires_trainable_backend", "multi_device"):
        config.addinivalue_line("markers", f"{marker}: Keras's own")
    kerascb.install()
    _replace_at_home()
    sys.modules["conftest"] = _conftest()


def pytest_collection_modifyitems(config, items):
    """Picks the tests about callbacks; marks those expected to fail."""
    others = [item for item in items if not _is_about_callbacks(item)]
    items[:] = [item for item in items if item not in others]
    config.hook.pytest_deselected(items=others)
    expected = EXPECTED_FAILURES[_PACKAGE]
    collected = {_name(item): item for item in items}
    for name, reason in expected.items():
        if name in collected:
            mark = pytest.mark.xfail(reason=reason, strict=True)
            collected[name].add_marker(mark)
        elif not config.option.keyword:
            raise pytest.UsageError(f"expected to fail, but not there: {name}")


def _replace_at_home():
    """Replaces the classes in the modules that define them, too.

    `install` leaves those alone; some of the tests import from them.
    """
    callbacks = importlib.import_module(f"{_PACKAGE}.src.callbacks")
    homes = {**CALLBACK_MODULES, "MonitorCallback": "monitor_callback"}
    for name, home in homes.items():
        ours = getattr(kerascb, name, MonitorCallback)
        module = sys.modules.get(f"{callbacks.__name__}.{home}")
        for place in (callbacks, module):
            if hasattr(place, name):
                setattr(place, name, ours)


def _conftest():
    """What Keras's tests import from their own, which no wheel has."""
    module = types.ModuleType("conftest")

    def skip_if_backend(backend, reason):
        is_met = runtime.in_force().backend == backend
        return pytest.mark.skipif(is_met, reason=reason)

    module.skip_if_backend = skip_if_backend
    return module


def _is_about_callbacks(item):
    if "callback" in item.path.as_posix():
        return True
    return "callback" in inspect.getsource(item.function).lower()


def _name(item):
    owner = f"{item.cls.__name__}::" if item.cls else ""
    return f"{item.path.name}::{owner}{item.name}"
