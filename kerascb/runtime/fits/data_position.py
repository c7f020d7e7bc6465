"""Where a `fit` is in its data, and how another `fit` gets there.

Batches that a killed run has seen are taken from the iterator of the `fit`
that goes on in its place, and dropped, before its loop begins. What has to
happen first for the order of the data to be that of the killed run, differs
from source to source (`data_order`). In a run that is not interrupted nothing
is drawn, made or reordered: at an epoch's beginning some states are noted.

`data_position3` and `data_position2` know how Keras 3 and Keras 2 iterate.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kerascb.runtime.fits import order_state, source_state
from kerascb.runtime.fits.data_order import Order, Past
from kerascb.runtime.fits.overlay import Overlay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

EXACT = "exact"
"""What `resume` answers with if the data go on as they would have."""

_HOOKS_DRAW = (
    "its on_epoch_end draws from a generator that other code draws from as "
    "well; give it a generator of its own, as numpy.random.default_rng(1)"
)


class DataPosition:
    """The position in its data of a `fit` that is not known.

    As of a loop of the user's own: there is nothing to note or to pass over.
    """

    def begin_epoch(self) -> None:
        """Notes what it takes to repeat the order of this epoch.

        To be called in `on_epoch_begin`, of every epoch but the one in which
        `resume` is called.
        """

    def state(
        self, batch: int, logs: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """What another `fit` needs to go on from here.

        Args:
            batch: Batches of this epoch that have been trained; 0 after its
                end, for the beginning of the next one.
            logs: The logs of the last batch, as Python values. Needed only if
                they are not the compiled metrics, and the batch may be the
                last one of the epoch.

        Returns:
            JSON values and arrays, in dicts and lists.
        """
        del batch, logs
        return {}

    def resume(
        self, epoch: int, batch: int, state: Mapping[str, Any] | None
    ) -> str:
        """Puts the data where they were, before the loop of `fit` begins.

        To be called in the first `on_epoch_begin`, when the metrics have their
        values again. The shared random generators are left as they are found.

        Args:
            epoch: Zero-based index of the epoch that begins.
            batch: Batches of it that have been trained.
            state: What `state` returned; `None` for a backup without one.

        Returns:
            `"exact"`, or why the data go on in another order, as a clause.
        """
        del epoch, batch, state
        return "there is no fit whose data are known"


class FitPosition(DataPosition, ABC):
    """The position in its data of a running `fit`.

    Args:
        model: The model being trained, as `fit` has it.
        local: The local variables of that `fit`.

    Attributes:
        source: What `fit` was given as `x`.
        evaluation: Which attribute of the model holds what evaluates the
            validation data, once there is something.
    """

    evaluation: str

    def __init__(self, model: Any, local: Mapping[str, Any]) -> None:
        self.source: Any = local.get("x")
        self._model = model
        self._callbacks = local["callbacks"]
        self._validation = local.get("val_x")
        self._validation_freq = local["validation_freq"]
        self._generators = order_state.generators_of(self.source)
        self._start = order_state.shared()
        self._epochs = 0
        self._stream = 0
        self._anchor: dict[str, Any] = {}

    # -- answered for each Keras --------------------------------------------

    @abstractmethod
    def asked(self) -> Any:
        """What can be asked where it is: the source, or a part of it."""

    @abstractmethod
    def order(self) -> Order:
        """What the order of the data depends on."""

    @property
    @abstractmethod
    def is_shared(self) -> bool:
        """Whether one iterator serves several epochs."""

    @abstractmethod
    def drawn_before(self) -> int:
        """Batches taken in earlier epochs from the iterator of this one."""

    @abstractmethod
    def asked_steps(self) -> int | None:
        """Batches of an epoch, as `fit` was told; `None` if it was not."""

    @abstractmethod
    def known_steps(self) -> int | None:
        """Batches of an epoch, as far as Keras has found out."""

    @abstractmethod
    def set_known_steps(self, steps: int) -> None:
        """Tells Keras what it had found out."""

    @abstractmethod
    def pass_epochs(self, epochs: int, past: Past) -> None:
        """Goes through epochs as `fit` does, without training."""

    @abstractmethod
    def pass_stream(self, batches: int, draws: int) -> None:
        """Makes an iterator that this epoch shares with earlier ones.

        Args:
            batches: Batches that earlier epochs have taken from it.
            draws: How many of them are to be drawn.
        """

    @abstractmethod
    def pass_batches(
        self, batches: int, draws: int, logs: Mapping[str, Any] | None
    ) -> None:
        """Has the loop of this epoch begin after some batches.

        Args:
            batches: How many.
            draws: How many of them are to be drawn; the iterator, or its
                source, is behind the others already.
            logs: What the step before has logged, if it is known.
        """

    @abstractmethod
    def hooks(self, *, past: bool) -> Callable[[], None] | None:
        """The source's own hooks of an epoch, if it has any.

        Args:
            past: Those called before an epoch's last backup, else those after.
        """

    @abstractmethod
    def order_of_validation(self) -> Order:
        """What the order of the validation data depends on."""

    @abstractmethod
    def pass_validation(self, evaluation: Any, past: Past) -> None:
        """Goes through the validation data as `evaluate` does.

        Args:
            evaluation: What the model evaluates them with.
            past: What has to be gone through.
        """

    def live(self) -> Any:
        """Where a source is now that never reads ahead; else `None`."""
        return None

    def set_live(self, live: Any) -> None:
        """Puts such a source where it was."""

    def tell_passed(self, batches: int) -> None:
        """Tells the source how many batches will be thrown away."""
        source_state.pass_over(self.asked(), batches)

    # -- noting -------------------------------------------------------------

    def begin_epoch(self) -> None:
        """Notes the random state, and the source's own, if a pass begins."""
        self._epochs += 1
        self._stream = self.drawn_before()
        if self._stream == 0:
            self._anchor = self._note()

    def _note(self) -> dict[str, Any]:
        return {
            "random": order_state.shared(),
            "generators": order_state.states_of(self._generators),
            "source": source_state.get(self.asked()),
        }

    def state(
        self, batch: int, logs: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The pass that is under way, and how far it is."""
        stream = self._stream if batch else self.drawn_before()
        is_new = not batch and not stream
        return {
            "epochs": self._epochs - 1 if batch else self._epochs,
            "stream": stream,
            "steps": self.known_steps(),
            "asked_steps": self.asked_steps(),
            "start": self._start,
            "anchor": self._note() if is_new else self._anchor,
            "live": self.live() if batch else None,
            "logs": None if logs is None or not batch else dict(logs),
        }

    # -- going on -----------------------------------------------------------

    def resume(
        self, epoch: int, batch: int, state: Mapping[str, Any] | None
    ) -> str:
        """Repeats what the order depends on, then passes over."""
        state = state or {"epochs": epoch, "stream": 0}
        epochs = int(state["epochs"])
        stream = int(state["stream"]) if self.is_shared else 0
        self._start = state.get("start") or self._start
        self._anchor = state.get("anchor") or {}
        self._stream = stream
        order = self.order()
        if source_state.is_asked(self.asked()):
            order = Order(unknown=order.unknown)
        with _random_kept():
            unknown = self._repeat_past(epochs, batch, stream, order.past)
            self._learn_steps(state)
            self._pass_over(batch, stream, order.past, state)
        hook = self.hooks(past=False)
        if hook is not None and epochs and not batch:
            hook()
        if not batch and not stream:
            self._anchor = self._note()
        self._epochs = epochs + 1
        self.pass_validations(range(epoch - epochs, epoch))
        return order.unknown or unknown or EXACT

    def pass_validations(self, epochs: range) -> None:
        """Has the first validation come after those of earlier epochs.

        What evaluates them is made by `fit`, shortly before the first one.

        Args:
            epochs: The earlier epochs.
        """
        if self._validation is None:
            return
        past = self.order_of_validation().past
        count = sum(
            self._model._should_eval(epoch, self._validation_freq)
            for epoch in epochs
        )
        if past is Past.NOTHING or not count:
            return

        def wrap(evaluate: Callable[..., Any]) -> Callable[..., Any]:
            def first(*args: Any, **kwargs: Any) -> Any:
                evaluation = getattr(self._model, self.evaluation, None)
                is_cached = kwargs.get("_use_cached_eval_dataset")
                if is_cached and evaluation is not None:
                    overlay.take_back()
                    for _ in range(count):
                        self.pass_validation(evaluation, past)
                return evaluate(*args, **kwargs)

            return first

        overlay = Overlay.put(self._model, "evaluate", wrap)

    def logs_of(self, logs: Mapping[str, Any] | None) -> dict[str, Any]:
        """What an epoch logs of which no batch is left to train.

        Args:
            logs: What the step before has logged, if it is known.
        """
        return dict(self._model.get_metrics_result() if logs is None else logs)

    def _learn_steps(self, state: Mapping[str, Any]) -> None:
        """Has Keras know what it had counted, if that still holds."""
        if (
            state.get("steps") is not None
            and self.known_steps() is None
            and state.get("asked_steps") == self.asked_steps()
        ):
            self.set_known_steps(int(state["steps"]))

    def _repeat_past(
        self, epochs: int, batch: int, stream: int, past: Past
    ) -> str:
        """Repeats what earlier epochs have changed; or why it cannot."""
        order_state.put_back(self._start)
        if past is not Past.NOTHING:
            self.pass_epochs(epochs, Past.BATCHES if stream else past)
            return ""
        hook = self.hooks(past=True)
        if hook is None or source_state.is_asked(self.asked()):
            return ""
        before = order_state.shared()
        is_one_to_come = not batch and self.hooks(past=False) is not None
        for _ in range(epochs - is_one_to_come):
            hook()
        after = order_state.shared()
        noted = self._anchor.get("random") or after
        drawn = order_state.changed(before, after)
        is_told = stream or not drawn & order_state.changed(after, noted)
        return "" if is_told else _HOOKS_DRAW

    def _pass_over(
        self, batch: int, stream: int, past: Past, state: Mapping[str, Any]
    ) -> None:
        """Goes through the pass that was under way, as far as it was."""
        order_state.put_back(self._anchor.get("random") or {})
        order_state.put_back_states(
            self._generators, self._anchor.get("generators") or ()
        )
        live = state.get("live")
        if live is not None:
            self.set_live(live)
        elif self._anchor.get("source") is not None:
            source_state.set_(self.asked(), self._anchor["source"])
            self.tell_passed(stream + batch)
        if stream and past is Past.NOTHING:
            self.pass_stream(stream, 0 if live is not None else stream)
        if batch:
            draws = 0 if live is not None else batch
            self.pass_batches(batch, draws, state.get("logs"))


@contextmanager
def _random_kept() -> Iterator[None]:
    """Leaves the shared generators as they were."""
    before = order_state.shared()
    try:
        yield
    finally:
        order_state.put_back(before)
