"""`python -m tests`: the tests, once for each Keras that is installed.

Each runtime gets a process of its own, because a process can have only one
Keras in force. Arguments go to pytest, but for `--runtime NAME`, which may be
repeated and picks runtimes. A runtime that is not installed is named and
passed over; Keras 3 on TensorFlow and tf_keras must be there unless others
are picked.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Runtime:
    """One way to have a Keras.

    Attributes:
        name: As `--runtime` takes it.
        environment: Variables that choose it.
        packages: What has to be installed for it.
    """

    name: str
    environment: dict[str, str]
    packages: tuple[str, ...]

    def is_installed(self) -> bool:
        """Whether all its packages can be imported."""
        return all(map(importlib.util.find_spec, self.packages))


def _has_keras3() -> bool:
    try:
        return int(importlib.metadata.version("keras").split(".")[0]) >= 3
    except importlib.metadata.PackageNotFoundError:
        return False


_NOT_LEGACY = {"TF_USE_LEGACY_KERAS": "0"}
RUNTIMES = (
    Runtime(
        "keras3-tensorflow",
        {"KERAS_BACKEND": "tensorflow", **_NOT_LEGACY},
        ("keras", "tensorflow"),
    ),
    Runtime("tf_keras", {"TF_USE_LEGACY_KERAS": "1"}, ("tf_keras",)),
    Runtime(
        "keras3-jax", {"KERAS_BACKEND": "jax", **_NOT_LEGACY}, ("keras", "jax")
    ),
    Runtime(
        "keras3-torch",
        {"KERAS_BACKEND": "torch", **_NOT_LEGACY},
        ("keras", "torch"),
    ),
    Runtime("tf215", _NOT_LEGACY, ("keras", "tensorflow")),
)
_DEFAULT = ("keras3-tensorflow", "tf_keras")


def main() -> int:
    """Runs pytest once a runtime; returns 1 if any run failed."""
    parser = argparse.ArgumentParser(prog="python -m tests")
    parser.add_argument(
        "--runtime",
        action="append",
        choices=[runtime.name for runtime in RUNTIMES],
        help="run this one only; may be repeated",
    )
    arguments, for_pytest = parser.parse_known_args()
    wanted = arguments.runtime or _wanted_by_default()
    failed = []
    for runtime in RUNTIMES:
        if runtime.name not in wanted:
            continue
        if not runtime.is_installed():
            print(f"== {runtime.name}: not installed", flush=True)
            failed.append(runtime.name)
            continue
        print(f"== {runtime.name}", flush=True)
        command = [sys.executable, "-m", "pytest", *for_pytest]
        if subprocess.call(command, env=os.environ | runtime.environment):
            failed.append(runtime.name)
    if failed:
        print(f"Failed: {', '.join(failed)}", flush=True)
    return bool(failed)


def _wanted_by_default() -> tuple[str, ...]:
    return _DEFAULT if _has_keras3() else ("tf215",)


if __name__ == "__main__":
    sys.exit(main())
