"""The base of every callback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kerascb import runtime
from kerascb.runtime import Runtime, StockCallback

if TYPE_CHECKING:
    from collections.abc import Callable

_BATCH_HOOKS = {
    "train": (
        "on_batch_begin",
        "on_batch_end",
        "on_train_batch_begin",
        "on_train_batch_end",
    ),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}
_NOT_PICKLED = frozenset({"_model"})


class Callback(StockCallback):
    """Base class of callbacks, for the models of every Keras.

    Override the hooks you need and pass an instance to `fit`, `evaluate` or
    `predict`. The class derives from the `Callback` of the Keras in force and
    works as well with a model of another Keras in the same process; it need
    not be initialised with `super().__init__()`.

    A callback can be pickled and copied: the model stays behind, everything
    else comes along.

    One that remembers something from batch to batch or epoch to epoch can have
    it survive the end of the process: see `get_state` and `set_state`.

    Attributes:
        params: What `fit` was told: `verbose`, `epochs`, `steps`. `None`
            before the callback has been in a list.
        model: The model it works on; `None` before it has one. May be assigned.
        validation_data: Always `None`; kept for code that was written when
            Keras filled it.

    Example:
        >>> from kerascb import Callback
        >>> from kerascb.testing import drive
        >>> class Printer(Callback):
        ...     def on_epoch_end(self, epoch, logs=None):
        ...         print(epoch, logs)
        >>> _ = drive([Printer()], epochs=[{"loss": 0.5}, {"loss": 0.25}])
        0 {'loss': 0.5}
        1 {'loss': 0.25}
    """

    params: dict[str, Any] | None = None
    validation_data: Any = None
    _model: Any = None
    _chief_worker_only: bool | None = None
    _supports_tf_logs: bool = False

    def __init__(self) -> None:
        # Not the stock constructor, which would hide the attributes above.
        pass

    @property
    def model(self) -> Any:
        """The model, its variables up to date."""
        return self._runtime.unwrap(self._model)

    @model.setter
    def model(self, model: Any) -> None:
        self._model = model

    def set_model(self, model: Any) -> None:
        """Tells the callback which model it works on.

        Args:
            model: The model; its Keras decides which dialect is spoken.
        """
        self._model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """Tells the callback what `fit` was told.

        Args:
            params: `verbose`, `epochs` and `steps`.
        """
        self.params = params

    def get_state(self) -> dict[str, Any]:
        """What has to be known to go on as if training had not ended.

        `BackupAndRestore` asks every callback of a fit for it, and gives it to
        `set_state` when the run is taken up again, in another process most
        often. So a callback of your own takes part by having both methods;
        that it derives from this class is not needed.

        It is called in the training thread whenever a backup is made, at the
        end of a batch or of an epoch, after the hook of that event. Answer
        quickly, and with nothing that training changes later: copy lists,
        dicts and arrays that are changed in place.

        Returns:
            By name: `None`, booleans, integers, floats (NaN and infinite ones
            too), strings, NumPy scalars and arrays, frozen values of variables,
            and lists and dicts (of strings) of those. By default nothing.

        Example:
            >>> class Slowest(Callback):
            ...     def on_train_begin(self, logs=None):
            ...         self.longest = 0.0
            ...
            ...     def on_epoch_end(self, epoch, logs=None):
            ...         self.longest = max(self.longest, logs["seconds"])
            ...
            ...     def get_state(self):
            ...         return {"longest": self.longest}
            ...
            ...     def set_state(self, state):
            ...         self.longest = state["longest"]
            >>> from kerascb.testing import drive
            >>> killed, resumed = Slowest(), Slowest()
            >>> _ = drive([killed], epochs=[{"seconds": 7.5}])
            >>> resumed.on_train_begin()
            >>> resumed.set_state(killed.get_state())
            >>> resumed.on_epoch_end(1, {"seconds": 3.0})
            >>> resumed.longest
            7.5
        """
        return {}

    def set_state(self, state: dict[str, Any]) -> None:
        """Takes up what `get_state` has answered in the run that goes on.

        It is called once in a fit that is resumed: after `on_train_begin` of
        all callbacks and before the first `on_epoch_begin`; before
        `on_train_end` if no epoch is left. A fit that begins anew gets no such
        call, so that an instance that is used again starts from nothing, as
        its `on_train_begin` has left it. What would destroy an earlier run's
        output has to wait for the first `on_epoch_begin`: only then is it known
        whether that run goes on.

        An epoch that was under way begins once more, with `on_epoch_begin`,
        and goes on with the batch that comes next.

        Args:
            state: What `get_state` has answered, arrays as NumPy's. The
                callback may have been made with other arguments since.
        """

    @property
    def _steps_in_epoch(self) -> int | None:
        """Batches of an epoch; `None` while that is not known."""
        return (self.params or {}).get("steps")

    @property
    def _bare_model(self) -> Any:
        """The model for those who set attributes and read no variables.

        Reading `model` costs milliseconds with JAX.
        """
        return self._runtime.bare(self._model)

    @property
    def _runtime(self) -> Runtime:
        return runtime.of(self._model)

    def _say(self, message: str) -> None:
        self._runtime.say(message)

    def _warn(self, message: str) -> None:
        self._runtime.warn(message)

    def _implements_train_batch_hooks(self) -> bool:
        return self._implements_any("train")

    def _implements_test_batch_hooks(self) -> bool:
        return self._implements_any("test")

    def _implements_predict_batch_hooks(self) -> bool:
        return self._implements_any("predict")

    def _implements_any(self, mode: str) -> bool:
        return not all(
            is_default(getattr(self, hook)) for hook in _BATCH_HOOKS[mode]
        )

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: value
            for name, value in self.__dict__.items()
            if name not in _NOT_PICKLED
        }


def is_default(hook: Callable[..., Any]) -> bool:
    """Whether a hook is the empty one of a base class.

    Every Keras marks its empty hooks with the same attribute.
    """
    return bool(getattr(hook, "_is_default", False))


class batch_hook:  # noqa: N801 - used as a decorator
    """Makes a batch hook that is there only while its callback needs it.

    Keras looks whether a callback overrides a batch hook, and pays at every
    batch if one does: it converts all logs, and on JAX and torch gives up its
    asynchronous dispatch. A hook made with this decorator looks overridden
    only while `needed` says so of the instance.

    Args:
        needed: The callback → whether its hook has work to do.
    """

    def __init__(self, needed: Callable[[Any], bool]) -> None:
        self._needed = needed
        self._hook: Callable[..., Any] = _no_work
        self._name = ""

    def __call__(self, hook: Callable[..., Any]) -> Any:
        """Takes the method that is decorated."""
        self._hook = hook
        self.__doc__ = hook.__doc__
        return self

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, callback: Any, owner: type | None = None) -> Any:
        if callback is None:
            return self._hook
        if self._needed(callback):
            return self._hook.__get__(callback, owner)
        return _no_work.__get__(callback, owner)


def _no_work(self: Any, batch: int, logs: Any = None) -> None:
    """Stands where a batch hook has nothing to do."""


# The mark that every Keras puts on its own empty hooks.
_no_work._is_default = True  # type: ignore[attr-defined]  # noqa: SLF001
