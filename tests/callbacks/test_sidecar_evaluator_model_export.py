"""The best of the checkpoints that a sidecar evaluates."""

import importlib
from pathlib import Path

import pytest

from kerascb import ModelCheckpoint, SidecarEvaluatorModelExport
from kerascb.errors import InvalidArgument
from kerascb.testing import FakeModel


def _export(**kwargs):
    export = SidecarEvaluatorModelExport(
        "best-{epoch:04d}.keras", "ckpt-{epoch}", monitor="loss", **kwargs
    )
    export.set_model(FakeModel())
    return export


def _evaluate(export, loss):
    export.on_test_begin()
    export.on_test_end({"loss": loss})


def test_the_number_of_the_checkpoint_is_in_the_path():
    """The newest checkpoint's number fills `{epoch}`."""
    Path("ckpt-7.index").write_text("")
    export = _export()

    _evaluate(export, 0.5)

    assert export.export_index == 6
    assert export.model.saved == ["best-0007.keras"]


def test_only_the_best_is_exported():
    """An evaluation that is no better exports nothing."""
    export = _export()

    for number, loss in enumerate((0.5, 0.6, 0.4), 1):
        Path(f"ckpt-{number}.index").write_text("")
        Path("checkpoint").write_text(f'model_checkpoint_path: "ckpt-{number}"')
        _evaluate(export, loss)

    assert export.model.saved == ["best-0001.keras", "best-0003.keras"]


def test_without_a_checkpoint_the_first_number_is_taken():
    """Nothing to read a number from is no reason to fail."""
    export = _export()

    _evaluate(export, 0.5)

    assert export.model.saved == ["best-0001.keras"]


@pytest.mark.parametrize("save_freq", ["eval", "epoch"])
def test_pain_its_own_documentation_is_rejected(save_freq):
    """`save_freq="eval"`, which stock recommends and refuses, is taken."""
    assert isinstance(_export(save_freq=save_freq), ModelCheckpoint)


def test_best_only_cannot_be_passed():
    """It is what the class is for."""
    with pytest.raises(TypeError, match="save_best_only"):
        _export(save_best_only=False)


def test_an_unknown_keyword_is_refused():
    """As ModelCheckpoint does."""
    with pytest.raises(TypeError, match="monitr"):
        _export(monitr="loss")


def test_a_checkpoint_without_a_number_is_refused():
    """It is told at construction, not after the first evaluation."""
    with pytest.raises(InvalidArgument, match="the number behind `ckpt-`"):
        SidecarEvaluatorModelExport("best", "weights-{epoch}")


def test_a_file_without_a_number_is_refused():
    """What the template matches may still have no number."""
    Path("ckpt-latest.index").write_text("")

    with pytest.raises(InvalidArgument, match="ckpt-latest"):
        _export().on_test_begin()


@pytest.mark.fit
def test_with_the_sidecar_evaluator(
    keras, make_model, data, tmp_path, keras2_only
):
    """Keras's evaluator exports through it the checkpoint it evaluates."""
    tensorflow = importlib.import_module("tensorflow")
    model = make_model()
    model.fit(*data, verbose=0)
    manager = tensorflow.train.CheckpointManager(
        tensorflow.train.Checkpoint(model=model, optimizer=model.optimizer),
        str(tmp_path),
        max_to_keep=1,
    )
    manager.save()
    evaluated = make_model(seed=7)
    export = SidecarEvaluatorModelExport(
        tmp_path / "best-{epoch:04d}",
        tmp_path / "ckpt-{epoch}",
        save_freq="eval",
        save_weights_only=True,
        monitor="loss",
        mode="min",
    )

    keras.utils.SidecarEvaluator(
        model=evaluated,
        data=tensorflow.data.Dataset.from_tensor_slices(data).batch(8),
        checkpoint_dir=str(tmp_path),
        max_evaluations=1,
        callbacks=[export],
    ).start()

    assert (tmp_path / "best-0001.index").is_file()
    assert export.best > 0
