"""The examples do what their first lines say, each in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from matplotlib import image

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
CORES, LIMIT_S = 2, 30

pytestmark = pytest.mark.example


@dataclass(frozen=True)
class Example:
    """What is expected of a script.

    Attributes:
        script: Its name, without `.py`.
        says: A pattern found in what it prints.
        leaves: Patterns of paths; each matches some when it has ended.
        leaves_on_tensorflow: Likewise, where TensorFlow is the backend.
        arguments: Its arguments.
    """

    script: str
    says: str
    leaves: tuple[str, ...] = ()
    leaves_on_tensorflow: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()


ONE_A_CALLBACK = (
    Example(
        "backup_and_restore",
        r"(?s)Epoch 3/6.*Interrupted\..*checkpoints/.*The same again:\n"
        r"Epoch 4/6.*Epoch 6/6.*Backup left: False",
    ),
    Example("base_logger", r"\A(Epoch \d: mean loss \d\.\d{4}\n){3}\Z"),
    Example("callback", r"Epoch \d+: 9\d\.\d%\nThat is 95% or better\.\n\Z"),
    Example(
        "csv_logger",
        r"\Aepoch(;\w+){4}\n([0-5](;[\d.]+){4}\n){6}\Z",
        leaves=("logs.csv",),
    ),
    Example(
        "early_stopping",
        r"Ended after epoch [1-9]\d?; the weights are those of epoch \d+:",
    ),
    Example("history", r"\Aepoch( +\w+){4}\n( +\d( +\d\.\d{4}){4}\n){5}\Z"),
    Example(
        "lambda_callback",
        r"\A" + 2 * "".join(f"{batch}\n" for batch in range(11)) + r"\Z",
    ),
    Example(
        "learning_rate_scheduler",
        r"Epoch  5: learning rate 0\.003000\nEpoch  6: learning rate 0\.002700",
    ),
    Example(
        "model_checkpoint",
        r"best\.keras: val_accuracy 0\.9\d\d\n\Z",
        leaves=("best.keras",),
        leaves_on_tensorflow=tuple(
            f"checkpoints/{epoch}/saved_model.pb" for epoch in (1, 2, 3)
        ),
    ),
    Example("progbar_logger", r"(?s)\AEpoch 1/5\n43/43 - .*\n43/43 - .*\Z"),
    Example("resume_after_kill", r"identical: True\n\Z"),
    Example("reduce_lr_on_plateau", r" 0\.02\n.* 0\.005\n"),
    Example(
        "remote_monitor",
        r"\A(/publish/epoch/end/ got \{'epoch': [012], .*\}\n){3}\Z",
        arguments=("0",),
    ),
    Example(
        "tensorboard_logs",
        r"logs/train/events.* bytes\nlogs/validation/events.* bytes\n\Z",
        leaves=("logs/train/events.*", "logs/validation/events.*"),
    ),
    Example(
        "terminate_on_nan",
        r"\ABatch \d+: Invalid loss, terminating training\n"
        r"Epochs: 1 of 10\n\Z",
    ),
)


@pytest.mark.parametrize(
    "example", ONE_A_CALLBACK, ids=lambda example: example.script
)
def test_does_what_it_says(example, tmp_path, runtime):
    """It prints what its docstring has the reader expect, and leaves files."""
    printed = _run(example.script, tmp_path, *example.arguments)
    patterns = example.leaves
    if runtime.backend == "tensorflow":
        patterns += example.leaves_on_tensorflow

    assert re.search(example.says, printed)
    assert [x for x in patterns if not any(tmp_path.glob(x))] == []


def test_no_example_is_left_out():
    """A script that nothing runs is soon broken."""
    scripts = {path.stem for path in EXAMPLES.glob("[!_]*.py")}

    assert scripts == {x.script for x in ONE_A_CALLBACK} | {"quickstart"}


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory):
    """What the quick start printed, and the folder it worked in."""
    place = tmp_path_factory.mktemp("quickstart")
    return _run("quickstart", place), place / "quickstart-output"


@pytest.mark.parametrize(
    "name",
    [
        "History",
        "ProgbarLogger",
        "LambdaCallback",
        "TerminateOnNaN",
        "ReduceLROnPlateau",
        "EarlyStopping",
        "ModelCheckpoint",
        "BackupAndRestore",
        "CSVLogger",
        "TensorBoard",
    ],
)
def test_the_quick_start_tells_what_each_did(name, quickstart):
    """One line a callback, in columns."""
    printed, _ = quickstart

    assert re.search(rf"^  {name:17}  \S.*\w$", printed, re.MULTILINE)


@pytest.mark.parametrize(
    "pattern",
    [
        "best.keras",
        "epochs.csv",
        "learning-curve.png",
        "tensorboard/*/train/events.*",
        "tensorboard/*/validation/events.*",
    ],
)
def test_the_quick_start_leaves_its_files(pattern, quickstart):
    """All of them in the one folder, and each is named."""
    printed, folder = quickstart

    assert any(folder.glob(pattern))
    assert f"  {pattern.split('*')[0]}" in printed


def test_the_quick_start_leaves_no_backup(quickstart):
    """The run has ended: nothing is to be taken up."""
    _, folder = quickstart

    assert [*(folder / "backup").rglob("*")] == []


def test_the_quick_start_draws_the_learning_curve(quickstart):
    """A picture with something on it."""
    _, folder = quickstart
    picture = image.imread(folder / "learning-curve.png")

    assert picture.shape == (1050, 1200, 4)
    assert picture.std() > 0.05


def _run(script, place, *arguments):
    """What a script prints; fails if it fails, or takes too long.

    What counts is the time of all cores: other work on the machine, which
    makes a run take longer, is not the script's.
    """
    before = os.times()
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{script}.py"), *arguments],
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    after = os.times()
    used_s = (
        after.children_user
        + after.children_system
        - before.children_user
        - before.children_system
    )
    assert done.returncode == 0, done.stderr
    assert used_s < CORES * LIMIT_S
    return done.stdout
