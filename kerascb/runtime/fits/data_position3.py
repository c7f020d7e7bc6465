"""The position of a Keras 3 `fit` in its data.

Keras 3 goes through an epoch with a generator that hands out one iterator of
the data again and again, with the index of the step. To pass over, a generator
is advanced in the place of the loop, and the loop is given the rest of it.
"""

from __future__ import annotations

import itertools
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kerascb.runtime.fits import data_order_tf, source_state
from kerascb.runtime.fits.data_order import Order, Past
from kerascb.runtime.fits.data_position import DataPosition, FitPosition
from kerascb.runtime.fits.overlay import Overlay
from kerascb.runtime.fits.running_fit import frame_of_fit
from kerascb.runtime.fits.silent_step import FirstStep, silent_step

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    Step = tuple[int, int, Any]

_LEFTOVERS = (
    "Keras gives every epoch the batches that workers have loaded before it; "
    "pass workers=1"
)
_READ_AHEAD = (
    "Keras leaves a pass early to build the model, and what that pass has "
    "loaded ahead has drawn from a tf.random.Generator, too; pass seeds to "
    "stateless operations instead"
)
_END = object()


def data_position(model: Any, backend: str) -> DataPosition:
    """The position in its data of the `fit` of a model that is running.

    Args:
        model: The model being trained, as `fit` has it.
        backend: What Keras runs on.
    """
    frame = frame_of_fit(model)
    if frame is None or "epoch_iterator" not in frame.f_locals:
        return DataPosition()
    return _Position(model, backend, frame.f_locals)


class _Position(FitPosition):
    """A position, by the local variables of `fit`."""

    evaluation = "_eval_epoch_iterator"

    def __init__(
        self, model: Any, backend: str, local: Mapping[str, Any]
    ) -> None:
        self._backend = backend
        self._data = local["epoch_iterator"]
        self._adapter = self._data.data_adapter
        self._set_when_made: Any = None
        self._has_leftovers = _has_leftovers(self._adapter)
        super().__init__(model, local)

    # -- the source ---------------------------------------------------------

    def asked(self) -> Any:
        """Also the part of a dataset of TensorFlow that can be.

        A loader of torch is asked only within a pass (`live`).
        """
        if type(self._adapter).__name__ == "TorchDataLoaderAdapter":
            return None
        return data_order_tf.position_in(self.source)[0] or self.source

    def order(self) -> Order:
        """As the adapter that Keras has chosen draws it."""
        kind = type(self._adapter).__name__
        if kind == "ArrayDataAdapter":
            return self._order_of_arrays()
        if self._has_leftovers:
            return Order(unknown=_LEFTOVERS)
        order = _order_of(self.source, kind)
        if order.counts_read_ahead and self._backend != "tensorflow":
            return Order(order.past, _READ_AHEAD)
        return order

    def _order_of_arrays(self) -> Order:
        if self._backend == "tensorflow" and self._adapter._shuffle:
            return Order(unknown=data_order_tf.why_arrays_differ())
        return Order()

    def hooks(self, *, past: bool) -> Callable[[], None] | None:
        """Those of a `PyDataset`; all come before an epoch's last backup."""
        source = self.source
        if not past or type(self._adapter).__name__ != "PyDatasetAdapter":
            return None

        def hook() -> None:
            source.on_epoch_begin()
            source.on_epoch_end()

        return hook

    def tell_passed(self, batches: int) -> None:
        """Tells it only where batches come in the order of the source."""
        part, keeps_count = data_order_tf.position_in(self.source)
        if part is None:
            keeps_count = not getattr(self._adapter, "shuffle", False)
        if keeps_count:
            super().tell_passed(batches)

    def live(self) -> Any:
        """Iterators of Grain on JAX, a `StatefulDataLoader` on torch."""
        if self._backend == "torch" and self._is_stateful_loader():
            return source_state.get(self.source)
        frame = frame_of_fit(self._model)
        iterator = frame and frame.f_locals.get("iterator")
        return source_state.get(iterator) if self._backend == "jax" else None

    def set_live(self, live: Any) -> None:
        """The loader at once, an iterator when it is there."""
        if self._is_stateful_loader():
            source_state.set_(self.source, live)
        else:
            self._set_when_made = live

    def _is_stateful_loader(self) -> bool:
        kind = type(self._adapter).__name__
        return kind == "TorchDataLoaderAdapter" and source_state.is_asked(
            self.source
        )

    # -- the epochs ---------------------------------------------------------

    @property
    def is_shared(self) -> bool:
        """With `steps_per_epoch`."""
        return self._data.steps_per_epoch is not None

    def drawn_before(self) -> int:
        """As Keras counts, which begins anew where the data end."""
        data = self._data
        if not self.is_shared or data._current_iterator is None:
            return 0
        return int(data._steps_seen)

    def asked_steps(self) -> int | None:
        """As the iterator of epochs was given it."""
        steps: int | None = self._data.steps_per_epoch
        return steps

    def known_steps(self) -> int | None:
        """Told by the source, or counted in the first epoch."""
        steps: int | None = self._data._num_batches
        return steps

    def set_known_steps(self, steps: int) -> None:
        """Where Keras counts."""
        self._data._num_batches = steps

    def pass_epochs(self, epochs: int, past: Past) -> None:
        """With the generator that `fit` uses."""
        for _ in range(epochs):
            self._pass_epoch(self._data, self.source, past)

    def _pass_epoch(self, data: Any, source: Any, past: Past) -> None:
        is_known = data.steps_per_epoch or data._num_batches
        if past is Past.COUNT and not (
            is_known and self._backend == "tensorflow"
        ):
            # What begins a pass is the first batch, and with TensorFlow the
            # iterator, of which Keras makes one more where an epoch ends that
            # is as long as expected.
            iter(source)
            return
        quiet = Overlay.put(data, "_interrupted_warning", lambda _: _nothing)
        try:
            with data.catch_stop_iteration():
                for _, _, iterator in data._enumerate_iterator():
                    if past is Past.BATCHES:
                        _draw(iterator, data.steps_per_execution)
        finally:
            quiet.take_back()

    def pass_stream(self, batches: int, draws: int) -> None:
        """Leaves the iterator where Keras looks for it."""
        data = self._data
        data._current_iterator = iter(data._get_iterator())
        data._steps_seen = batches
        if draws:
            _draw(data._current_iterator, draws)

    def pass_batches(
        self, batches: int, draws: int, logs: Mapping[str, Any] | None
    ) -> None:
        """Advances a generator, and gives the loop the rest of it."""
        data = self._data
        at_once = data.steps_per_execution
        steps = data._enumerate_iterator()
        executions = math.ceil(batches / at_once)
        with suppress(StopIteration):  # fewer data than there were
            for _, _, iterator in itertools.islice(steps, executions):
                if draws:
                    _draw(iterator, at_once)
                elif self._set_when_made is not None:
                    source_state.set_(iterator, self._set_when_made)
                    self._set_when_made = None

        def rest(_: Any) -> Callable[[], Iterator[Step]]:
            def begin() -> Iterator[Step]:
                overlay.take_back()
                return self._rest(steps, logs)

            return begin

        overlay = Overlay.put(data, "_enumerate_iterator", rest)

    # -- the rest of an epoch -----------------------------------------------

    def _rest(
        self,
        steps: Generator[Step, None, None],
        logs: Mapping[str, Any] | None,
    ) -> Iterator[Step]:
        """What the loop of `fit` goes through in the resumed epoch."""
        # Not what Keras has counted: that is one too many.
        is_known = self._data.steps_per_epoch or self._adapter.num_batches
        step = next(steps, None)
        if step is None:
            yield from self._nothing_left(logs)
            return
        if is_known:
            yield step
            yield from steps
        elif self._backend == "tensorflow":
            yield from self._perhaps_nothing_left(step, steps, logs)
        else:
            begin, end, iterator = step
            first = next(iterator, _END)
            if first is _END:
                self._end()
                yield from self._nothing_left(logs)
                return
            # The iterator goes with every step.
            whole = itertools.chain([first], iterator)
            yield begin, end, whole
            for begin, end, _ in steps:
                yield begin, end, whole

    def _perhaps_nothing_left(
        self,
        step: Step,
        steps: Generator[Step, None, None],
        logs: Mapping[str, Any] | None,
    ) -> Iterator[Step]:
        from tensorflow.errors import OutOfRangeError

        first = FirstStep(
            self._model,
            self._callbacks,
            lambda: self.logs_of(logs),
            (StopIteration, OutOfRangeError),
        )
        try:
            yield step
        finally:
            first.take_back()
        if first.is_end:
            self._end()
        else:
            yield from steps

    def _nothing_left(self, logs: Mapping[str, Any] | None) -> Iterator[Step]:
        found = self.logs_of(logs)

        def on_jax(state: Any, _: Any) -> Any:
            return found, state

        answer = on_jax if self._backend == "jax" else lambda _: found
        with silent_step(self._model, self._callbacks, answer):
            yield 0, 0, itertools.repeat(None)

    def _end(self) -> None:
        """What Keras does when data of unknown length end."""
        with self._data.catch_stop_iteration():
            raise StopIteration

    # -- validation ---------------------------------------------------------

    def order_of_validation(self) -> Order:
        """As of any source."""
        return _order_of(self._validation, _kind_of(self._validation))

    def pass_validation(self, evaluation: Any, past: Past) -> None:
        """With the generator that `evaluate` uses."""
        evaluation.reset()
        self._pass_epoch(evaluation, self._validation, past)


def _kind_of(source: Any) -> str:
    is_generator = hasattr(source, "__next__")
    return "GeneratorDataAdapter" if is_generator else type(source).__name__


def _has_leftovers(adapter: Any) -> bool:
    """Whether workers have loaded batches that no step has taken.

    On JAX and torch Keras draws a batch to build the model with. What the
    workers have loaded meanwhile comes as the first batches of the first
    epoch, whose last ones then come in the second, and so on.
    """
    enqueuer = getattr(adapter, "enqueuer", None)
    return enqueuer is not None and enqueuer.ready_queue.qsize() > 0


def _order_of(source: Any, kind: str) -> Order:
    if kind == "GeneratorDataAdapter":
        return Order(Past.BATCHES)
    return data_order_tf.order_of(source)


def _draw(iterator: Iterator[Any], batches: int) -> None:
    """Takes batches from an iterator.

    Raises:
        StopIteration: If there is none left.
    """
    if next(iterator, _END) is _END:
        raise StopIteration
    for _ in itertools.islice(iterator, batches - 1):
        pass


def _nothing(*_: Any, **__: Any) -> None:
    pass
