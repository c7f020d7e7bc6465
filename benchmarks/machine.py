"""Where, when and with what something was measured."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kerascb
from benchmarks import backends
from kerascb import runtime

if TYPE_CHECKING:
    from collections.abc import Mapping

_PACKAGES = (
    "keras", "tf_keras", "tensorflow", "jax", "torch", "tensorboard", "numpy",
)  # fmt: skip


def stamp() -> dict[str, Any]:
    """What belongs to every table of figures.

    To be asked for before anything is measured: the load of the machine is
    what others put on it.
    """
    keras = runtime.in_force()
    is_on_gpu = backends.device() == "gpu"
    return {
        "date": time.strftime("%Y-%m-%d"),
        "commit": _commit(),
        "kerascb": kerascb.__version__,
        "runtime": f"{keras.package} {keras.version} on {keras.backend}",
        "device": backends.device(),
        "gpu": backends.gpu_name() if is_on_gpu else None,
        "driver": _driver() if is_on_gpu else None,
        "cpu": _cpu_name(),
        "cores": os.cpu_count(),
        "load": _load(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {
            name: version
            for name in _PACKAGES
            if (version := _version(name)) is not None
        },
    }


def in_words(machine: Mapping[str, Any]) -> str:
    """A stamp as one line.

    Args:
        machine: What `stamp` answered.
    """
    place = machine["gpu"] or f"{machine['cpu']}, {machine['cores']} cores"
    if machine["driver"]:
        place += f", driver {machine['driver']}"
    return (
        f"{machine['runtime']}, {machine['device']}: {place}, Python "
        f"{machine['python']}, {machine['date']}, commit {machine['commit']}"
    )


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _commit() -> str:
    """The commit that is checked out; "?" outside a checkout."""
    words = _answer("git", "describe", "--always", "--dirty", "--exclude=*")
    return words or "?"


def _driver() -> str:
    """The version of NVIDIA's driver; "?" where it cannot be had."""
    lines = _answer(
        "nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"
    )
    return lines.partition("\n")[0] or "?"


def _answer(program: str, *arguments: str) -> str:
    path = shutil.which(program)
    if path is None:
        return ""
    done = subprocess.run(  # noqa: S603 - the programs named above
        [path, *arguments],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def _load() -> float | None:
    """Processes that wanted to run in the last minute, on average."""
    if not hasattr(os, "getloadavg"):
        return None
    return round(os.getloadavg()[0], 2)


def _cpu_name() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor()
    names = [line for line in text.splitlines() if "model name" in line]
    return names[0].partition(":")[2].strip() if names else platform.machine()
