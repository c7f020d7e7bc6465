"""What TensorFlow itself writes for TensorBoard.

Imported only where TensorFlow has been imported already.
"""

from __future__ import annotations

import contextlib
import weakref
from typing import TYPE_CHECKING, Any

import tensorflow as tf

# TensorFlow has no public name for what its variables are by default.
from tensorflow.python.ops.resource_variable_ops import ResourceVariable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt


def serialised_graph(function: Any) -> bytes | None:
    """The graph of a traced `tf.function`; `None` if it was not traced."""
    concrete = getattr(function, "_concrete_variable_creation_fn", None)
    if concrete is None:
        return None
    graph_def = concrete.graph.as_graph_def(add_shapes=True)
    content: bytes = graph_def.SerializeToString()
    return content


def save_tensors(path: str, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
    """Writes a checkpoint with tensors of any names.

    Args:
        path: The checkpoint's prefix.
        tensors: Name → value.
    """
    tf.io.gfile.makedirs(path.rpartition("/")[0])
    with tf.device("CPU"):
        tf.raw_ops.SaveV2(
            prefix=path,
            tensor_names=list(tensors),
            shape_and_slices=[""] * len(tensors),
            tensors=[tf.constant(value) for value in tensors.values()],
        )


class _Step(ResourceVariable):  # type: ignore[misc]
    """A step that is told at every batch, and assigned for those who read it.

    To assign a variable takes thirty microseconds, and hardly a model reads
    this one. Whoever does asks for the handle, at every reading but in a
    traced function, which keeps it.
    """

    def __init__(self) -> None:
        self._told = self._assigned = 0
        self._is_traced = False
        super().__init__(
            0, trainable=False, dtype=tf.int64, name="kerascb_step"
        )
        self._is_ready = True

    _is_ready = False

    def tell(self, step: int) -> None:
        """Sets the step."""
        self._told = step
        if self._is_traced:
            self._catch_up()

    @property
    def handle(self) -> Any:
        """The resource, which holds the step by now."""
        if self._is_ready:
            self._is_traced |= not tf.executing_eagerly()
            self._catch_up()
        return super().handle

    def _catch_up(self) -> None:
        if self._assigned != self._told:
            self._assigned = self._told
            with tf.init_scope():
                self.assign(self._told)


class DefaultWriters:
    """Answers `CustomSummaries` with TensorFlow's default writers.

    Args:
        every: Steps between two that are recorded (≥ 1).
        suffix: How the names of the files end.
    """

    def __init__(self, every: int, suffix: str = ".v2") -> None:
        self._every = every
        self._suffix = suffix
        self._writers: dict[str, Any] = {}
        # A variable, because traced functions would keep a number for ever.
        with tf.device("CPU"):
            self._step = _Step()
        self._stack: list[contextlib.ExitStack] = []
        # A fit that failed has taken nothing back.
        weakref.finalize(self, _abandon, self._stack).atexit = False

    def open(self, directory: str) -> None:
        """Makes a directory's writer, and with it its file."""
        self.writer(directory)

    def writer(self, directory: str) -> Any:
        """The writer of a directory, as `tf.summary` has it."""
        if directory not in self._writers:
            self._writers[directory] = tf.summary.create_file_writer(
                directory, filename_suffix=self._suffix
            )
        return self._writers[directory]

    def push(self, directory: str, step: int) -> None:
        """Makes the writer of a directory the default."""
        self.at(step)
        scope = contextlib.ExitStack()
        scope.enter_context(self.writer(directory).as_default(self._step))
        scope.enter_context(tf.summary.record_if(self._is_recorded()))
        self._stack.append(scope)

    def pop(self) -> None:
        """Makes the writer before it the default again."""
        if self._stack:
            self._stack.pop().close()

    def at(self, step: int) -> None:
        """Sets the step of what is written from now on."""
        self._step.tell(step)

    def flush(self) -> None:
        """Flushes every writer."""
        for writer in self._writers.values():
            writer.flush()

    def close(self) -> None:
        """Takes every writer back; none is closed, see `CustomSummaries`."""
        _unwind(self._stack)
        self.flush()

    def _is_recorded(self) -> Callable[[], Any]:
        # TensorFlow keeps the function, which must not keep this object.
        step, every = self._step, self._every
        return lambda: tf.equal(step % every, 0)


def _unwind(stack: list[contextlib.ExitStack]) -> None:
    while stack:
        stack.pop().close()


def _abandon(stack: list[contextlib.ExitStack]) -> None:
    # Long after a failed fit, TensorFlow may have no default writer any more,
    # and fails to flush it.
    with contextlib.suppress(AttributeError):
        _unwind(stack)
    stack.clear()


class TensorFlowProfiler:
    """Answers `Profiler` with TensorFlow's."""

    def warm_up(self) -> None:
        """Loads the libraries of the profiler."""
        tf.profiler.experimental.start(logdir="")
        tf.profiler.experimental.stop(save=False)

    def start(self, directory: str) -> None:
        """Begins a profile."""
        tf.profiler.experimental.start(logdir=directory)

    def annotate(self, batch: int) -> contextlib.AbstractContextManager[Any]:
        """Marks a batch."""
        mark: contextlib.AbstractContextManager[Any] = (
            tf.profiler.experimental.Trace("Profiled batch", step_num=batch)
        )
        return mark

    def stop(self) -> None:
        """Ends and writes the profile."""
        tf.profiler.experimental.stop(save=True)

    def start_graph(self) -> None:
        """Begins to collect the functions that are run."""
        tf.summary.trace_on(graph=True, profiler=False)

    def stop_graph(self, directory: str, name: str, step: int) -> None:
        """Writes the functions collected, in a file of TensorFlow's own."""
        writer = tf.summary.create_file_writer(directory)
        with writer.as_default(), tf.summary.record_if(True):
            tf.summary.trace_export(name=name, step=step)
        writer.close()
