"""Which Keras is measured, on which device.

Both are chosen by the environment, before a Keras is imported; processes that
a case starts inherit it.
"""

from __future__ import annotations

import importlib
import importlib.util
import os

from kerascb import runtime

BACKENDS = ("tensorflow", "jax", "torch", "tf_keras")
DEVICES = ("cpu", "gpu")

_DEVICE = "KERASCB_BENCHMARKS_DEVICE"


class Unavailable(Exception):
    """A backend or a device that was asked for is not there."""


def choose(backend: str | None, device: str) -> None:
    """Sets up what is to be measured.

    Args:
        backend: One of `BACKENDS`; `None` for what the environment says.
        device: `"cpu"` hides the GPUs there are; `"gpu"` demands one.

    Raises:
        Unavailable: If the backend is not installed, or sees no GPU.
    """
    if backend is not None:
        needed = {"keras", backend} if backend != "tf_keras" else {backend}
        for package in sorted(needed):
            if importlib.util.find_spec(package) is None:
                raise Unavailable(
                    f"--backend {backend}: {package} is not installed here."
                )
        is_legacy = backend == "tf_keras"
        os.environ["TF_USE_LEGACY_KERAS"] = "1" if is_legacy else "0"
        os.environ["KERAS_BACKEND"] = "tensorflow" if is_legacy else backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ[_DEVICE] = device
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        os.environ["JAX_PLATFORMS"] = "cpu"
    elif gpu_name() is None:
        raise Unavailable(
            f"--device gpu: {_backend()} sees no GPU here. Is there one, is "
            f"its driver loaded, and is this a build of {_backend()} for it?"
        )


def device() -> str:
    """The device that was chosen, `"cpu"` or `"gpu"`."""
    return os.environ.get(_DEVICE, "cpu")


def gpu_name() -> str | None:
    """What the backend calls the GPU it uses; `None` if it sees none."""
    found = {"jax": _gpu_of_jax, "torch": _gpu_of_torch}
    return found.get(_backend(), _gpu_of_tensorflow)()


def _backend() -> str:
    return runtime.in_force().backend


def _gpu_of_jax() -> str | None:
    jax = importlib.import_module("jax")
    [first, *_] = jax.devices()
    return None if first.platform == "cpu" else str(first.device_kind)


def _gpu_of_torch() -> str | None:
    torch = importlib.import_module("torch")
    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return "Apple GPU (MPS)" if torch.backends.mps.is_available() else None


def _gpu_of_tensorflow() -> str | None:
    config = importlib.import_module("tensorflow").config
    gpus = config.list_physical_devices("GPU")
    if not gpus:
        return None
    details = config.experimental.get_device_details(gpus[0])
    return str(details.get("device_name", gpus[0].name))
