"""What every callback promises, whichever it is."""

import copy
import inspect
import pickle
import re

import pytest

import kerascb
from kerascb.testing import drive

EPOCHS = [
    {"loss": loss, "accuracy": 1 - loss, "val_loss": loss + 0.5}
    for loss in (0.5, 0.25, 0.375, 0.375)
]
MAKERS = {
    "Callback": lambda folder: kerascb.Callback(),
    "CallbackList": lambda folder: kerascb.CallbackList([kerascb.History()]),
    "History": lambda folder: kerascb.History(),
    "BaseLogger": lambda folder: kerascb.BaseLogger(),
    "ProgbarLogger": lambda folder: kerascb.ProgbarLogger(),
    "ModelCheckpoint": lambda folder: kerascb.ModelCheckpoint(
        folder / "m.keras", save_best_only=True, mode="min"
    ),
    "TensorBoard": lambda folder: kerascb.TensorBoard(folder / "logs"),
    "EarlyStopping": lambda folder: kerascb.EarlyStopping(
        patience=1, restore_best_weights=True
    ),
    "LearningRateScheduler": lambda folder: kerascb.LearningRateScheduler(
        halve
    ),
    "ReduceLROnPlateau": lambda folder: kerascb.ReduceLROnPlateau(patience=1),
    "RemoteMonitor": lambda folder: kerascb.RemoteMonitor(),
    "LambdaCallback": lambda folder: kerascb.LambdaCallback(on_epoch_end=print),
    "TerminateOnNaN": lambda folder: kerascb.TerminateOnNaN(),
    "CSVLogger": lambda folder: kerascb.CSVLogger(folder / "log.csv"),
    "BackupAndRestore": lambda folder: kerascb.BackupAndRestore(
        folder / "backup"
    ),
    "SwapEMAWeights": lambda folder: kerascb.SwapEMAWeights(),
    "OrbaxCheckpoint": lambda folder: kerascb.OrbaxCheckpoint(folder / "orbax"),
    "SidecarEvaluatorModelExport": lambda folder: (
        kerascb.SidecarEvaluatorModelExport(
            folder / "export.keras", folder / "ckpt-{epoch}"
        )
    ),
}
WITHOUT_A_REAL_MODEL = sorted(
    MAKERS.keys()
    - {"BackupAndRestore", "OrbaxCheckpoint", "RemoteMonitor", "TensorBoard"}
    - {"SwapEMAWeights", "SidecarEvaluatorModelExport"}
)
HOOKS = sorted(name for name in dir(kerascb.Callback) if name[:3] == "on_")


def halve(epoch, rate):
    """A schedule that pickle can find."""
    return rate / 2


@pytest.fixture
def make(tmp_path):
    """Makes an instance of a class by its name."""

    def make(name):
        if name == "OrbaxCheckpoint":
            pytest.importorskip("orbax.checkpoint")
        return MAKERS[name](tmp_path)

    return make


def test_every_class_is_looked_at():
    """None is forgotten here."""
    assert set(MAKERS) == set(kerascb._names.CALLBACKS)


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_every_argument_is_documented(name):
    """The docstring's `Args:` are the constructor's, in its order."""
    kind = getattr(kerascb, name)
    documented = re.search(
        r"\n    Args:\n(.*?)(\n    \w+:\n|\Z)", kind.__doc__, re.DOTALL
    )
    names = re.findall(
        r"^        \*{0,2}(\w+):", documented[1] if documented else "", re.M
    )
    signature = inspect.signature(kind).parameters

    assert names == list(signature)


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_every_class_shows_an_example(name):
    """A doctest, so that it stays true."""
    assert ">>>" in getattr(kerascb, name).__doc__


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_an_unknown_keyword_is_refused(name):
    """A misspelt argument is not taken in silence."""
    kind = getattr(kerascb, name)
    if name in {"LambdaCallback", "CallbackList"}:
        pytest.skip("takes any keyword, as in every Keras")
    required = {
        one.name: "x"
        for one in inspect.signature(kind).parameters.values()
        if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD
    }

    with pytest.raises(TypeError, match="monitr"):
        kind(**required, monitr="val_loss")


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("name", sorted(MAKERS))
def test_every_hook_takes_logs_by_its_name_or_position(name, hook):
    """Keras 2 passes them by position, Keras 3 by keyword."""
    method = inspect.getattr_static(getattr(kerascb, name), hook)
    function = getattr(method, "_hook", method)
    parameters = list(inspect.signature(function).parameters.values())

    assert parameters[-1].name == "logs"
    assert parameters[-1].default is None


@pytest.mark.parametrize("name", sorted(MAKERS))
@pytest.mark.parametrize(
    "copier",
    [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))],
    ids=["deepcopy", "pickle"],
)
def test_can_be_copied_before_a_fit(make, name, copier):
    """What a tuner or a process pool does with callbacks."""
    assert type(copier(make(name))).__name__ == name


@pytest.mark.parametrize("name", WITHOUT_A_REAL_MODEL)
@pytest.mark.parametrize(
    "copier",
    [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))],
    ids=["deepcopy", "pickle"],
)
def test_can_be_copied_after_a_fit(make, name, copier, capsys):
    """Nothing that cannot travel is left in an instance."""
    callback = make(name)
    drive(as_list(callback), epochs=EPOCHS)
    twin = copier(callback)

    assert twin.model is None


@pytest.mark.parametrize("name", WITHOUT_A_REAL_MODEL)
def test_a_copy_works(make, name, capsys):
    """It goes through a fit as the first one does."""
    first = make(name)
    twin = copy.deepcopy(first)
    expected = drive(as_list(first), epochs=EPOCHS)
    run = drive(as_list(twin), epochs=EPOCHS)

    assert run.logs == expected.logs
    assert run.model.stop_training == expected.model.stop_training


@pytest.mark.parametrize(
    "name",
    sorted({*WITHOUT_A_REAL_MODEL} - {"ModelCheckpoint"}),
)
def test_a_second_fit_equals_the_first(make, name, capsys):
    """An instance may be used again (keras#20521)."""
    callback = make(name)
    first = drive(as_list(callback), epochs=EPOCHS)
    second = drive(as_list(callback), epochs=EPOCHS)

    assert second.logs == first.logs
    assert second.epochs_seen == first.epochs_seen
    assert second.model.stop_training == first.model.stop_training


def as_list(callback):
    if isinstance(callback, kerascb.CallbackList):
        return callback.callbacks
    return [callback]
