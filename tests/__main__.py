"""`python -m tests`: the tests, once for each Keras that is installed.

Each runtime gets a process of its own, because a process can have only one
Keras in force. Arguments go to pytest, but for `--runtime NAME`, which may be
repeated and picks runtimes, and `--jobs N`. A runtime that is not installed is
named and passed over; Keras 3 on TensorFlow and tf_keras must be there unless
others are picked.

Processes run side by side, one a core: what each prints comes as a whole when
it has ended.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
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
    parser.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        help="how many run side by side; by default one a core",
    )
    arguments, for_pytest = parser.parse_known_args()
    names = arguments.runtime or _wanted_by_default()
    wanted = [runtime for runtime in RUNTIMES if runtime.name in names]
    missing = [one.name for one in wanted if not one.is_installed()]
    for name in missing:
        print(f"== {name}: not installed", flush=True)
    wanted = [one for one in wanted if one.name not in missing]
    if arguments.jobs == 1 or len(wanted) == 1:
        failed = _run_in_turn(wanted, for_pytest)
    else:
        failed = _run_side_by_side(wanted, for_pytest, arguments.jobs)
    if failed or missing:
        print(f"Failed: {', '.join(missing + failed)}", flush=True)
    return bool(failed or missing)


def _run_in_turn(wanted: list[Runtime], for_pytest: list[str]) -> list[str]:
    failed = []
    for runtime in wanted:
        print(f"== {runtime.name}", flush=True)
        command, environment = _pytest(runtime, for_pytest)
        if subprocess.call(command, env=environment):
            failed.append(runtime.name)
    return failed


def _run_side_by_side(
    wanted: list[Runtime], for_pytest: list[str], jobs: int
) -> list[str]:
    def run(runtime: Runtime) -> tuple[str, subprocess.CompletedProcess[bytes]]:
        command, environment = _pytest(runtime, for_pytest)
        return runtime.name, subprocess.run(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )

    failed = []
    with ThreadPoolExecutor(jobs) as pool:
        for done in as_completed(pool.submit(run, one) for one in wanted):
            name, process = done.result()
            print(f"== {name}", flush=True)
            sys.stdout.buffer.write(process.stdout)
            sys.stdout.flush()
            if process.returncode:
                failed.append(name)
    return failed


def _pytest(
    runtime: Runtime, for_pytest: list[str]
) -> tuple[list[str], dict[str, str]]:
    command = [sys.executable, "-m", "pytest", *for_pytest]
    return command, os.environ | runtime.environment


def _wanted_by_default() -> tuple[str, ...]:
    return _DEFAULT if _has_keras3() else ("tf215",)


if __name__ == "__main__":
    sys.exit(main())
