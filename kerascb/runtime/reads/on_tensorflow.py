"""Reading from TensorFlow: at once on the CPU, else in a thread.

TensorFlow does not tell whether a tensor has been computed. So one thread
waits for those that are on an accelerator, and the training thread need not.
"""

from __future__ import annotations

import functools
import re
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from kerascb.runtime.reads import Arrived

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kerascb.runtime.reads import PendingRead


_ELSEWHERE = re.compile(r"device:(?!CPU:)")


class ReadByThread:
    """Values that a thread waits for.

    Args:
        values: What it will answer.
    """

    def __init__(self, values: Future[list[Any]]) -> None:
        self._values = values

    def is_ready(self) -> bool:
        """Whether the thread has them."""
        return self._values.done()

    def result(self) -> list[Any]:
        """The values, or what went wrong with computing them."""
        return self._values.result()


def begin_read(values: Sequence[Any]) -> PendingRead:
    """Has a thread wait for what is on an accelerator."""
    if all(map(_is_on_host, values)):
        return Arrived(list(map(_to_host, values)))
    # A variable is read now: the thread may come to it after the next step.
    held = [
        value.read_value() if hasattr(value, "read_value") else value
        for value in values
    ]
    return ReadByThread(_thread().submit(_all_to_host, held))


def finite_test(
    variables: Sequence[Any], values: Callable[[], Sequence[Any]]
) -> Callable[[], Any]:
    """One graph, which reads the variables itself.

    Of a variable that a strategy has on each replica it reads one.
    """
    del values

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def test() -> Any:
        return tf.stack(
            [
                tf.reduce_all(tf.math.is_finite(tf.convert_to_tensor(one)))
                for one in variables
            ]
        )

    return test  # type: ignore[no-any-return]


def has_peers(model: Any) -> bool:
    """Whether the model's strategy spans several workers."""
    strategy = getattr(model, "distribute_strategy", None)
    if strategy is None:
        return False
    # There is no public way to ask.
    return bool(strategy.extended._in_multi_worker_mode())


def _is_on_host(value: Any) -> bool:
    # Numbers have no device, those of NumPy one that is not TensorFlow's.
    device = getattr(value, "device", None)
    return not (isinstance(device, str) and _ELSEWHERE.search(device))


def _to_host(value: Any) -> Any:
    return value.numpy() if hasattr(value, "numpy") else value


def _all_to_host(values: list[Any]) -> list[Any]:
    return list(map(_to_host, values))


@functools.cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="kerascb reads")
