"""Runs the peers' own tests against our classes, in a process of its own.

Keras 3 ships its tests. tf_keras does not, and we may not keep a copy: its
`callbacks_test.py` is taken from the path in `KERASCB_TF_KERAS_TESTS`, a
checkout of https://github.com/keras-team/tf-keras or the file itself.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
TF_KERAS_TESTS = "KERASCB_TF_KERAS_TESTS"
_IMPORT = re.compile(
    r"^(\s*(?:from|import) tf_keras)(?!\.(?:src|protobuf)\b)\b", re.MULTILINE
)
_TIMEOUT_S = 1200


class Unavailable(Exception):
    """Tests that are not on this machine, and how to get them."""


def keras_tests() -> list[Path]:
    """The test files in the Keras 3 that is installed."""
    source = _package_folder("keras") / "src"
    found = sorted((source / "callbacks").glob("*_test.py"))
    if not found:
        raise Unavailable("the keras installed has no tests in it")
    others = ("trainers/trainer_test.py", "optimizers/multi_optimizer_test.py")
    return found + [source / other for other in others]


def tf_keras_tests(folder: Path) -> list[Path]:
    """The test files of tf_keras, made to fit the tf_keras installed.

    Args:
        folder: Where to put them.
    """
    given = os.environ.get(TF_KERAS_TESTS)
    if not given:
        raise Unavailable(
            f"tf_keras ships no tests; {TF_KERAS_TESTS} names none"
        )
    path = Path(given)
    if path.is_dir():
        path = path / "tf_keras" / "callbacks_test.py"
    # In the wheel everything has moved to `tf_keras.src`.
    text = _IMPORT.sub(r"\1.src", path.read_text(encoding="utf-8"))
    copy = folder / path.name
    copy.write_text(text, encoding="utf-8")
    return [copy]


def run(
    files: list[Path], arguments: list[str] | None = None, *, capture: bool
) -> subprocess.CompletedProcess[str]:
    """Runs test files with the plugin.

    Args:
        files: What to run.
        arguments: More arguments for pytest.
        capture: Whether to keep the output rather than to show it.
    """
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    plugins = ("tests.peers.plugin", "no:randomly", "no:cacheprovider")
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-rfExX", "--noconftest"),
        *("-c", os.devnull, "--rootdir", str(files[0].parent)),
        *(part for plugin in plugins for part in ("-p", plugin)),
        *("-W", "ignore", *map(str, files), *(arguments or [])),
    ]
    return subprocess.run(
        command,
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE if capture else None,
        stderr=subprocess.STDOUT if capture else None,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(f"{package} is not installed")
    return Path(spec.submodule_search_locations[0])
