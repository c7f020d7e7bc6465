"""The state of the random numbers that engines share between models.

Of every engine that the process has imported: whatever trains the model, its
data may come through `tf.data` or through a `DataLoader` of torch.
"""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from kerascb.runtime.runs import chance

if TYPE_CHECKING:
    from collections.abc import Mapping


def state() -> dict[str, Any]:
    """Engine → its state."""
    found = {}
    if _is_loaded("tensorflow"):
        found["tensorflow"] = _state_of_tensorflow()
    if _is_loaded("torch"):
        found["torch"] = _state_of_torch()
    return found


def set_state(state: Mapping[str, Any]) -> None:
    """Sets what a state has of the engines imported by now.

    Args:
        state: What `state` returned.
    """
    if "tensorflow" in state and _is_loaded("tensorflow"):
        _set_state_of_tensorflow(state["tensorflow"])
    if "torch" in state and _is_loaded("torch"):
        _set_state_of_torch(state["torch"])


def _is_loaded(engine: str) -> bool:
    return hasattr(sys.modules.get(engine), "random")


# -- TensorFlow -------------------------------------------------------------
# Its global seed, the generator that gives seeds to operations which are
# executed eagerly, and the global `tf.random.Generator`. What operations with
# state have drawn so far, nobody can read.


def _state_of_tensorflow() -> dict[str, Any]:
    context = _context()
    seed = getattr(context, "_seed", None)
    state: dict[str, Any] = {"seed": None if seed is None else int(seed)}
    seeds = getattr(context, "_rng", None)
    if isinstance(seeds, random.Random):
        state["seeds"] = chance.state_of(seeds)
    generator = _generator()
    if generator is not None:
        state["generator"] = np.array(generator.state.read_value())
        state["algorithm"] = int(generator.algorithm)
    return state


def _set_state_of_tensorflow(state: Mapping[str, Any]) -> None:
    import tensorflow as tf

    context = _context()
    if state["seed"] is None:
        context._seed = None
    else:
        # Also has TensorFlow forget operations that have drawn already: one
        # with a seed that comes again would go on, not begin.
        tf.random.set_seed(state["seed"])
    seeds = getattr(context, "_rng", None)
    if isinstance(seeds, random.Random):
        chance.set_state_of(seeds, state.get("seeds"))
    if "generator" not in state:
        return
    generator = _generator()
    # Functions that are traced hold on to the one that is there.
    if generator is not None and generator.algorithm == state["algorithm"]:
        generator.reset(state["generator"])
    else:
        tf.random.set_global_generator(
            tf.random.Generator.from_state(
                state["generator"], state["algorithm"]
            )
        )


def _context() -> Any:
    from tensorflow.python.eager import context

    return context.context()


def _generator() -> Any:
    """The global generator, if anybody has asked for it."""
    from tensorflow.python.ops import stateful_random_ops

    return getattr(stateful_random_ops, "global_generator", None)


# -- torch ------------------------------------------------------------------


def _state_of_torch() -> dict[str, Any]:
    import torch

    state: dict[str, Any] = {"cpu": torch.get_rng_state().numpy().copy()}
    if torch.cuda.is_initialized():
        state["cuda"] = [one.numpy() for one in torch.cuda.get_rng_state_all()]
    return state


def _set_state_of_torch(state: Mapping[str, Any]) -> None:
    import torch

    torch.set_rng_state(torch.from_numpy(np.array(state["cpu"])))
    if "cuda" in state and torch.cuda.is_available():
        # As many as there are now, or were then.
        for device, one in zip(
            range(torch.cuda.device_count()), state["cuda"], strict=False
        ):
            torch.cuda.set_rng_state(torch.from_numpy(np.array(one)), device)
