"""Every bad input gets one clear error before training, with this text."""

import re

import pytest

import kerascb
from kerascb.errors import KerascbError
from kerascb.testing import drive

CONSTRUCTORS = [
    # -- unknown keywords: see test_conformance ------------------------------
    (
        lambda: kerascb.ModelCheckpoint("m.keras", save_freq=0),
        "Unrecognized save_freq: 0. Expected save_freq are",
    ),
    (
        lambda: kerascb.ModelCheckpoint("m.keras", save_freq=-5),
        "Unrecognized save_freq: -5. Expected save_freq are",
    ),
    (
        lambda: kerascb.ModelCheckpoint("m.keras", save_freq=True),
        "Unrecognized save_freq: True. Expected save_freq are",
    ),
    (
        lambda: kerascb.ModelCheckpoint("m.keras", save_freq="batch"),
        "Unrecognized save_freq: batch. Expected save_freq are",
    ),
    (
        lambda: kerascb.ModelCheckpoint("m.keras", period=0),
        "period=0",
    ),
    (
        lambda: kerascb.BackupAndRestore(""),
        "Empty `backup_dir` argument passed",
    ),
    (
        lambda: kerascb.BackupAndRestore("b", save_freq="batch"),
        "Invalid value for argument `save_freq`",
    ),
    (
        lambda: kerascb.BackupAndRestore("b", save_freq=0),
        "Invalid value for argument `save_freq`",
    ),
    (
        lambda: kerascb.BackupAndRestore("b", save_freq=True),
        "Invalid value for argument `save_freq`",
    ),
    (
        lambda: kerascb.ReduceLROnPlateau(factor=1.0),
        "ReduceLROnPlateau does not support a factor >= 1.0.",
    ),
    (
        lambda: kerascb.ReduceLROnPlateau(factor=2),
        "ReduceLROnPlateau does not support a factor >= 1.0.",
    ),
    (
        lambda: kerascb.ReduceLROnPlateau(patience=-1),
        "needs patience to be a number of at least 0; got patience=-1",
    ),
    (
        lambda: kerascb.EarlyStopping(patience=-1),
        "needs patience to be a number of at least 0; got patience=-1",
    ),
    (
        lambda: kerascb.EarlyStopping(patience="three"),
        "needs patience to be a number of at least 0; got patience='three'",
    ),
    (
        lambda: kerascb.EarlyStopping(baseline="0.5"),
        "needs baseline to be a number; got baseline='0.5'",
    ),
    (
        lambda: kerascb.EarlyStopping(start_from_epoch="2"),
        "needs start_from_epoch to be a number; got start_from_epoch='2'",
    ),
    (
        lambda: kerascb.EarlyStopping(min_delta="x"),
        "needs min_delta to be a number; got min_delta='x'",
    ),
    (
        lambda: kerascb.ReduceLROnPlateau(min_delta="x"),
        "needs min_delta to be a number; got min_delta='x'",
    ),
    (
        lambda: kerascb.LearningRateScheduler(0.1),
        "schedule=0.1",
    ),
    (
        lambda: kerascb.CSVLogger(None),
        "filename=None",
    ),
    (
        lambda: kerascb.CSVLogger("log.csv", separator=";;"),
        "separator=';;'",
    ),
    (
        lambda: kerascb.CSVLogger("log.csv", separator=""),
        "separator=''",
    ),
    (
        lambda: kerascb.RemoteMonitor(root="localhost:9000"),
        "root='localhost:9000'",
    ),
    (
        lambda: kerascb.ProgbarLogger(count_mode="epochs"),
        "Unknown `count_mode`: epochs",
    ),
    (
        lambda: kerascb.LambdaCallback(on_epoch_end="print"),
        "on_epoch_end='print'",
    ),
    (
        lambda: kerascb.TensorBoard(profile_batch=-1),
        "profile_batch must be a non-negative integer or 2-tuple of positive "
        "integers.",
    ),
    (
        lambda: kerascb.TensorBoard(profile_batch=(5, 2)),
        "profile_batch must be a non-negative integer or 2-tuple of positive "
        "integers.",
    ),
    (
        lambda: kerascb.TensorBoard(update_freq=0),
        "update_freq=0",
    ),
    (
        lambda: kerascb.TensorBoard(update_freq="step"),
        "update_freq='step'",
    ),
    (
        lambda: kerascb.TensorBoard(histogram_freq=-1),
        "histogram_freq=-1",
    ),
]  # fmt: skip

TRAINING = [
    (
        lambda: kerascb.ModelCheckpoint("/dev/null/m.keras"),
        "/dev/null",
    ),
    (
        lambda: kerascb.CSVLogger("/dev/null/log.csv"),
        "/dev/null",
    ),
    (
        lambda: kerascb.TensorBoard("/dev/null/logs"),
        "/dev/null",
    ),
    (
        lambda: kerascb.ModelCheckpoint("m-{batch}.keras"),
        "Failed to format this callback filepath",
    ),
]  # fmt: skip


def texts(table):
    return [re.sub(r"\W+", "-", text)[:50] for _, text in table]


@pytest.mark.parametrize(
    ("build", "text"), CONSTRUCTORS, ids=texts(CONSTRUCTORS)
)
def test_is_told_by_the_constructor(build, text):
    """What the arguments alone show."""
    with pytest.raises(ValueError, match=re.escape(text)):
        build()


@pytest.mark.fit
@pytest.mark.parametrize(("build", "text"), TRAINING, ids=texts(TRAINING))
def test_is_told_before_the_first_batch(build, text, make_model, data):
    """What only the model and the machine show; no epoch is lost over it."""
    batches = []
    counting = kerascb.LambdaCallback(
        on_batch_end=lambda batch, logs: batches.append(batch)
    )

    with pytest.raises(
        (KerascbError, OSError, ValueError, KeyError), match=re.escape(text)
    ):
        make_model().fit(*data, verbose=0, callbacks=[counting, build()])
    assert batches == []


@pytest.mark.parametrize(
    "build",
    [
        lambda: kerascb.EarlyStopping(mode="up"),
        lambda: kerascb.ModelCheckpoint("m.keras", mode="up"),
        lambda: kerascb.ReduceLROnPlateau(mode="up"),
    ],
)
def test_an_unknown_mode_is_warned_of(build, warned):
    """Stock only warns, and goes on with `auto`."""
    callback = build()

    assert callback.mode == "auto"
    assert len(warned) == 1
    assert "is unknown, fallback to auto mode." in warned[0]


MISSPELT = [
    lambda mode: kerascb.EarlyStopping("val_acuracy", mode=mode),
    lambda mode: kerascb.ReduceLROnPlateau("val_acuracy", mode=mode),
    lambda mode: kerascb.ModelCheckpoint(
        "m.keras", "val_acuracy", save_best_only=True, mode=mode
    ),
]


def begin(callback, model):
    callback.set_model(model)
    callback.set_params({"verbose": 0, "epochs": 1, "steps": 1})
    callback.on_train_begin()


@pytest.mark.parametrize("build", MISSPELT)
def test_a_misspelt_monitor_is_told_with_the_nearest_name(
    build, make_model, warned
):
    """Before training, not after the first epoch (keras#13689)."""
    begin(build("max"), make_model())

    assert len(warned) == 1
    assert "val_acuracy" in warned[0]
    assert "Did you mean `val_accuracy`?" in warned[0]


UNVALIDATED = [
    (
        kerascb.EarlyStopping,
        "Early stopping conditioned on metric `val_loss` which is not "
        "available.",
    ),
    (
        kerascb.ReduceLROnPlateau,
        "Learning rate reduction is conditioned on metric `val_loss` which is "
        "not available.",
    ),
    (
        lambda: kerascb.ModelCheckpoint("m.keras", save_best_only=True),
        "Can save best model only with val_loss available",
    ),
]


@pytest.mark.fit
@pytest.mark.parametrize(("build", "words"), UNVALIDATED)
def test_a_fit_without_validation_is_told_before_training(
    build, words, make_model, data, warned
):
    """The commonest mistake, in the class's words, with the cure, once."""
    seen = []
    note = kerascb.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(list(warned))
    )
    make_model().fit(*data, verbose=0, epochs=2, callbacks=[build(), note])

    assert len(warned) == 1
    assert warned[0].startswith(words)
    assert warned[0].endswith(
        ". This fit does not validate: give it validation_data or "
        "validation_split, or monitor `loss`."
    )
    assert seen == [warned, warned]


@pytest.mark.parametrize("build", MISSPELT)
def test_keras_3_refuses_what_has_no_direction(build, make_model, keras3_only):
    """Stock raises the same after the first epoch (keras#18798)."""
    with pytest.raises(ValueError, match="Did you mean `val_accuracy`"):
        begin(build("auto"), make_model())


def test_the_errors_are_ours_and_pythons():
    """`except ValueError` and `except KerascbError` both work."""
    with pytest.raises(KerascbError):
        kerascb.EarlyStopping(patience=-1)


def test_nothing_is_lost_by_a_refused_path(tmp_path):
    """A file that stands where a folder would be is left alone."""
    (tmp_path / "taken").write_text("precious")
    checkpoint = kerascb.ModelCheckpoint(tmp_path / "taken" / "m.keras")

    with pytest.raises(OSError, match="taken"):
        drive([checkpoint], losses=[0.5])
    assert (tmp_path / "taken").read_text() == "precious"
