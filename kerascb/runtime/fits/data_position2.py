"""The position of a Keras 2 `fit` in its data.

Keras 2 has made the iterator of an epoch when the epoch begins, always of a
dataset of TensorFlow, and counts the steps beside it. To pass over, batches
are drawn from that iterator, and the count is told where to begin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascb.runtime.fits import data_order_tf
from kerascb.runtime.fits.data_order import Order, Past
from kerascb.runtime.fits.data_position import DataPosition, FitPosition
from kerascb.runtime.fits.overlay import Overlay
from kerascb.runtime.fits.running_fit import frame_of_fit
from kerascb.runtime.fits.silent_step import FirstStep, silent_step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_WORKERS = (
    "Keras shuffles it in another thread, ahead of the epoch; pass workers=1, "
    "or shuffle=False"
)
_END = object()


def data_position(model: Any) -> DataPosition:
    """The position in its data of the `fit` of a model that is running.

    Args:
        model: The model being trained.
    """
    frame = frame_of_fit(model)
    handler = None if frame is None else frame.f_locals.get("data_handler")
    if frame is None or not hasattr(handler, "_adapter"):
        return DataPosition()
    return _Position(model, handler, frame.f_locals)


class _Position(FitPosition):
    """A position, by the local variables of `fit`."""

    evaluation = "_eval_data_handler"

    def __init__(
        self, model: Any, handler: Any, local: Mapping[str, Any]
    ) -> None:
        self._handler = handler
        self._adapter = handler._adapter
        self._has_workers = local.get("workers", 1) > 1 or local.get(
            "use_multiprocessing"
        )
        self._taken = 0
        self._is_counted = True
        super().__init__(model, local)

    # -- the source ---------------------------------------------------------

    @property
    def _kind(self) -> str:
        return type(self._adapter).__name__

    @property
    def is_shared(self) -> bool:
        """All epochs, if any."""
        return not self._adapter.should_recreate_iterator()

    def asked(self) -> Any:
        """Also the part of a dataset of TensorFlow that can be."""
        return data_order_tf.position_in(self.source)[0] or self.source

    def order(self) -> Order:
        """As the adapter that Keras has chosen draws it."""
        if hasattr(self._adapter, "_shuffle"):
            return self._order_of_arrays()
        if self._kind == "GeneratorDataAdapter":
            return Order(Past.BATCHES)
        if self._has_workers and getattr(
            self._adapter, "_shuffle_sequence", False
        ):
            return Order(unknown=_WORKERS)
        return data_order_tf.order_of(self.source)

    def _order_of_arrays(self) -> Order:
        if not self._adapter._shuffle:
            return Order()
        return Order(Past.BATCHES, data_order_tf.why_arrays_differ())

    def hooks(self, *, past: bool) -> Callable[[], None] | None:
        """That of a `Sequence`; called after an epoch's last backup."""
        del past
        if self._kind != "KerasSequenceAdapter":
            return None
        hook: Callable[[], None] = self.source.on_epoch_end
        return hook

    def tell_passed(self, batches: int) -> None:
        """Tells it only where batches come in the order of the source."""
        part, keeps_count = data_order_tf.position_in(self.source)
        if part is None:
            shuffles = getattr(self._adapter, "_shuffle_sequence", True)
            keeps_count = not shuffles
        if keeps_count:
            super().tell_passed(batches)

    # -- the epochs ---------------------------------------------------------

    def drawn_before(self) -> int:
        """Counted with the epochs, if one iterator serves them all."""
        if not self._is_counted:
            self._taken += int(self._handler._current_step)
            self._is_counted = True
        return self._taken if self.is_shared else 0

    def begin_epoch(self) -> None:
        """Counts the batches of the epoch before, too."""
        super().begin_epoch()
        self._is_counted = False

    def resume(
        self, epoch: int, batch: int, state: Mapping[str, Any] | None
    ) -> str:
        """Counts the batches of the resumed epoch, too."""
        answer = super().resume(epoch, batch, state)
        self._is_counted = False
        return answer

    def asked_steps(self) -> int | None:
        """As the handler was given it."""
        steps: int | None = self._handler._steps_per_epoch
        return steps

    def known_steps(self) -> int | None:
        """Told by the source, or counted in the first epoch."""
        steps: int | None = self._handler._inferred_steps
        return steps

    def set_known_steps(self, steps: int) -> None:
        """Where Keras counts."""
        self._handler._inferred_steps = steps

    @property
    def _iterator(self) -> Any:
        frame = frame_of_fit(self._model)
        return None if frame is None else frame.f_locals["iterator"]

    def pass_epochs(self, epochs: int, past: Past) -> None:
        """The iterator of `fit` becomes one made later, or is drawn from."""
        if self.is_shared:
            self.pass_stream(self._stream, self._stream)
            return
        for _ in range(epochs):
            if past is Past.BATCHES:
                _draw_all(self._iterator)
            _become(self._iterator, iter(self._handler._dataset))

    def pass_stream(self, batches: int, draws: int) -> None:
        """Draws from the iterator that all epochs share."""
        self._taken, self._is_counted = batches, True
        if not self._needs_past():
            draws %= self._adapter.get_size()
        _draw(self._iterator, draws)

    def _needs_past(self) -> bool:
        """Whether arrays come in another order in every epoch."""
        return bool(getattr(self._adapter, "_shuffle", True))

    def pass_batches(
        self, batches: int, draws: int, logs: Mapping[str, Any] | None
    ) -> None:
        """Draws them, and has the loop count from there."""
        handler = self._handler
        _draw(self._iterator, draws)
        handler._initial_step = batches

        def begin(steps: Callable[[], Iterator[int]]) -> Any:
            def rest() -> Iterator[int]:
                overlay.take_back()
                return self._rest(steps(), batches, logs)

            return rest

        overlay = Overlay.put(handler, "steps", begin)

    # -- the rest of an epoch -----------------------------------------------

    def _rest(
        self,
        steps: Iterator[int],
        batches: int,
        logs: Mapping[str, Any] | None,
    ) -> Iterator[int]:
        """What the loop of `fit` goes through in the resumed epoch."""
        is_known = self._handler._inferred_steps is not None
        step = next(steps, None)
        if step is None:
            with silent_step(
                self._model, self._callbacks, lambda _: self.logs_of(logs)
            ):
                yield batches
            return
        if is_known:
            yield step
        else:
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
                self._handler._inferred_steps = batches
                return
        yield from steps

    # -- validation ---------------------------------------------------------

    def order_of_validation(self) -> Order:
        """As of any source; of an iterator there is only one pass."""
        if hasattr(self._validation, "__next__"):
            return Order(Past.BATCHES)
        return data_order_tf.order_of(self._validation)

    def pass_validation(self, evaluation: Any, past: Past) -> None:
        """With the handler that `evaluate` uses."""
        for _, iterator in evaluation.enumerate_epochs():
            if past is Past.BATCHES:
                _draw(iterator, evaluation._inferred_steps)


def _become(iterator: Any, other: Any) -> None:
    """Has an iterator go on as another one; `fit` holds on to the first."""
    own = vars(iterator)
    own.clear()
    own.update(vars(other))


def _draw(iterator: Any, batches: int | None) -> None:
    """Takes some batches from an iterator, or all, as far as there are."""
    if batches is None:
        _draw_all(iterator)
        return
    for _ in range(batches):
        if next(iterator, _END) is _END:
            return


def _draw_all(iterator: Any) -> None:
    while next(iterator, _END) is not _END:
        pass
