"""Word of a `fit` that an exception ends.

Keras calls no hook then. A watch does, in the thread that trains, after the
exception has left the training loop and before the caller of `fit` sees it.

How it is noticed depends on Python. From 3.12 on the interpreter itself tells
that an exception leaves `fit` (`fit_unwinding`), whatever raised it. Before,
and where every place for such a listener is taken, the calls that `fit` makes
in its loop are wrapped, on the objects of that one `fit` (`fit_guards`):

- steps, the data, batch hooks, hooks of epochs and validation, and what the
  callbacks behind do as training begins, with all that is raised in them,
  Ctrl-C included, are noticed at once;
- what Keras 2 does between these is noticed, too, though not which exception
  it was: an `UnseenError` stands for it;
- what Keras 3 does between these is not: resetting the metrics, computing an
  epoch's metrics, and making the iterator of the validation data, which takes
  two batches of a generator. These are short and wait for no device, so that a
  Ctrl-C hardly ever falls there.

Never noticed are errors before `watch_fit` is called and after `close`, a
process that is killed, and loops other than `fit`. A step costs nothing more,
but with torch on the older Pythons, whose loop has nothing around the steps:
there it comes through five wrappers.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from kerascb.runtime.fits import fit_guards, fit_unwinding
from kerascb.runtime.fits.running_fit import frame_of_fit

if TYPE_CHECKING:
    from collections.abc import Callable

    OnFailure = Callable[[BaseException], None]

_log = logging.getLogger(__name__)

_PLACE = "_kerascb_watched_fit"


class Watch:
    """What `watch_fit` returns; to be closed when the `fit` ends well.

    A copy of a watch, as a pickled or copied callback has it, is closed.

    Args:
        fit: What is watched; `None` for nothing.
    """

    def __init__(self, fit: _WatchedFit | None = None) -> None:
        self._fit = fit

    def close(self) -> None:
        """Ends the watch and takes back all that was done for it.

        May be called more than once, and after a failure.
        """
        if self._fit is not None:
            self._fit.remove(self)
            self._fit = None

    def __reduce__(self) -> tuple[type[Watch], tuple[()]]:
        return Watch, ()


def watch_fit(
    model: Any,
    on_failure: OnFailure,
    bring_home: Callable[[], None] | None = None,
) -> Watch:
    """Watches the `fit` of a model that is running, until it ends.

    To be called in `on_train_begin`, with `close` called in `on_train_end`.

    Args:
        model: The model being trained, as `fit` has it.
        on_failure: Called with the exception, at most once. What it raises
            itself is logged, and the exception that ended the `fit` goes on;
            a second Ctrl-C takes its place.
        bring_home: Called before the first `on_failure`; makes the state of
            the model readable, if it can.

    Returns:
        The watch; one that never tells of anything if no `fit` is running.
    """
    frame = frame_of_fit(model)
    callbacks = None if frame is None else frame.f_locals.get("callbacks")
    if frame is None or callbacks is None:
        return Watch()
    fit = vars(callbacks).get(_PLACE)
    if fit is None:
        fit = _WatchedFit(callbacks, bring_home)
        fit.stop_noticing = fit_unwinding.listen(
            frame.f_code, callbacks, fit.fail
        ) or fit_guards.put(frame, fit.fail)
        vars(callbacks)[_PLACE] = fit
    watch = Watch(fit)
    fit.add(watch, on_failure)
    return watch


class _WatchedFit:
    """A `fit` that is running, and who wants to know of its failure.

    Args:
        callbacks: The list that `fit` made of its callbacks. No other `fit`
            that runs has it, and it carries this object.
        bring_home: As in `watch_fit`.

    Attributes:
        stop_noticing: Takes back what was done to notice a failure.
    """

    def __init__(
        self, callbacks: Any, bring_home: Callable[[], None] | None
    ) -> None:
        self.stop_noticing: Callable[[], None] = _nothing
        self._callbacks = callbacks
        self._bring_home = bring_home or _nothing
        self._watches: dict[Watch, OnFailure] = {}

    def add(self, watch: Watch, on_failure: OnFailure) -> None:
        """Adds one who wants to know."""
        self._watches[watch] = on_failure

    def remove(self, watch: Watch) -> None:
        """Removes one; with the last the whole is taken back."""
        self._watches.pop(watch, None)
        if not self._watches:
            self._take_back()

    def fail(self, error: BaseException) -> None:
        """Tells everybody, and nobody a second time."""
        told, self._watches = list(self._watches.values()), {}
        bring_home = self._bring_home
        self._take_back()
        if told:
            _attempt(bring_home)
        for on_failure in told:
            _attempt(partial(on_failure, error))

    def _take_back(self) -> None:
        stop, self.stop_noticing = self.stop_noticing, _nothing
        stop()
        if self._callbacks is not None:
            vars(self._callbacks).pop(_PLACE, None)
        self._callbacks, self._bring_home = None, _nothing


def _attempt(action: Callable[[], None]) -> None:
    try:
        action()
    except Exception:  # noqa: BLE001 - logged, see below
        # The caller of `fit` waits for the error that ended it, not for ours.
        _log.exception("What was to be done when a fit failed has failed, too.")


def _nothing() -> None:
    pass
