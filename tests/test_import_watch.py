"""Being told of imports."""

import importlib
import importlib.util
import sys

import pytest

from kerascb._import_watch import ImportWatch


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """Writes modules that can be imported; forgets them afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    written = []

    def write(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.py").write_text(text)
            written.append(name)
        importlib.invalidate_caches()

    yield write
    for name in written:
        sys.modules.pop(name, None)


@pytest.fixture
def watch():
    """Starts to watch names; returns what was in `sys.modules` when told."""
    started = []

    def start(*names):
        told = []
        one = ImportWatch(
            names,
            lambda: told.append([name for name in names if _is_whole(name)]),
        )
        one.start()
        started.append(one)
        return told, one

    yield start
    for one in started:
        one.stop()


def _is_whole(name):
    return hasattr(sys.modules.get(name), "is_whole")


def test_tells_when_a_module_is_there(modules, watch):
    """Once it has been executed, not before."""
    modules(watched_a="is_whole = 1", other="")
    told, _ = watch("watched_a")

    importlib.import_module("other")
    importlib.import_module("watched_a")
    importlib.import_module("watched_a")

    assert told == [["watched_a"]]


def test_tells_when_all_of_a_circle_are_there(modules, watch):
    """Modules that import each other are whole together, or not at all."""
    modules(
        watched_a="import watched_b\nis_whole = 1",
        watched_b="import watched_a\nis_whole = 1",
    )
    told, _ = watch("watched_a", "watched_b")

    importlib.import_module("watched_a")

    assert told == [["watched_a", "watched_b"]]


def test_an_import_that_fails_is_not_told(modules, watch):
    """The error is the import's own, and the next import is told of."""
    modules(watched_a="import watched_b\n1 / 0", watched_b="is_whole = 1")
    told, _ = watch("watched_a", "watched_b")

    with pytest.raises(ZeroDivisionError):
        importlib.import_module("watched_a")
    before = list(told)
    sys.modules.pop("watched_b")
    importlib.import_module("watched_b")

    assert before == []
    assert told == [["watched_b"]]


def test_a_module_that_is_not_there_is_not_found(watch):
    """Watching a name does not make it exist."""
    told, _ = watch("watched_nowhere")

    assert importlib.util.find_spec("watched_nowhere") is None
    with pytest.raises(ModuleNotFoundError, match="watched_nowhere"):
        importlib.import_module("watched_nowhere")
    assert told == []


def test_tells_nothing_when_stopped(modules, watch):
    """And can be stopped twice."""
    modules(watched_a="")
    told, one = watch("watched_a")

    one.stop()
    one.stop()
    importlib.import_module("watched_a")

    assert told == []


def test_a_module_has_its_own_loader(modules, watch):
    """While it runs and later; before, a spec answers for it."""
    modules(watched_a="loaders = __loader__, __spec__.loader")
    watch("watched_a")

    spec = importlib.util.find_spec("watched_a")
    module = importlib.import_module("watched_a")

    assert spec.loader.get_source("watched_a").startswith("loaders")
    assert module.loaders == (module.__loader__, module.__spec__.loader)
    assert type(module.__loader__).__name__ == "SourceFileLoader"
