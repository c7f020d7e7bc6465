"""Which names the logs of a fit that begins will have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kerascb import runtime
from kerascb.improvement import nearest_names
from kerascb.runtime import is_name_of

_KNOWN_PACKAGES = frozenset({"keras", "tf_keras", "kerascb"})
_LOGGING_HOOKS = ("on_epoch_end", "on_test_end")
_TYPING_ERROR = 0.9
"""Names that are as similar as that are one name, once misspelt."""


@dataclass(frozen=True)
class ForeseenLogs:
    """What is known of the logs before the first batch.

    Attributes:
        names: Names that will come; in front of some that of an output, and
            behind some a number, may come too.
        are_complete: Nothing else can come, but learning rates.
        learning_rate_key: How names of learning rates begin.
        lacks_validation: Nothing is known that would bring a `val_` name.
        are_settled: No layer can bring another metric.
    """

    names: frozenset[str]
    are_complete: bool
    learning_rate_key: str
    lacks_validation: bool = False
    are_settled: bool = True

    def knows(self, name: str) -> bool:
        """Whether a name is that of a metric, or of a metric of an output.

        Args:
            name: A key of the logs.
        """
        return any(_may_be(name, metric) for metric in self.names)

    def may_have(self, name: str) -> bool:
        """Whether a value of that name can come at all.

        Args:
            name: A key of the logs.
        """
        return (
            not self.are_complete
            or name.startswith(self.learning_rate_key)
            or self.knows(name)
        )

    def is_unlikely(self, name: str) -> bool:
        """Whether a value of that name can hardly be meant to come.

        Args:
            name: A key of the logs.
        """
        if not self.may_have(name):
            return True
        if name.startswith("val_") and self.lacks_validation:
            return not self.knows(name)
        return self._is_misspelt(name.removeprefix("val_"))

    def _is_misspelt(self, name: str) -> bool:
        names = {known.removeprefix("val_") for known in self.names}
        near = nearest_names(name, names, count=1, cutoff=_TYPING_ERROR)
        # What goes on behind a known name (`accuracy2`) is another name.
        return bool(near) and not (
            name.startswith(near[0])
            or any(is_name_of(name, known) for known in names)
        )


def foresee(model: Any) -> ForeseenLogs:
    """What is known of the logs of a model's fit.

    A callback that is neither Keras's nor kerascb's may add at the end of an
    epoch whatever it likes, and so may a function of a `LambdaCallback`.

    Args:
        model: The model, as a callback was given it.
    """
    keras = runtime.of(model)
    metrics = keras.known_metrics(model)
    callbacks = runtime.callbacks_of_fit(model)
    only_metrics = callbacks is not None and not any(map(_may_log, callbacks))
    validates = runtime.has_validation(model)
    names = metrics.names
    if validates:
        names |= {f"val_{name}" for name in names}
    return ForeseenLogs(
        names,
        are_complete=metrics.are_all and only_metrics,
        learning_rate_key=keras.learning_rate_key,
        lacks_validation=bool(names) and only_metrics and not validates,
        are_settled=metrics.are_settled,
    )


def _may_log(callback: Any) -> bool:
    return any(
        hook in getattr(callback, "__dict__", ())
        or _is_foreign(getattr(type(callback), hook, None))
        for hook in _LOGGING_HOOKS
    )


def _is_foreign(hook: Any) -> bool:
    module = getattr(hook, "__module__", None) or ""
    return module.partition(".")[0] not in _KNOWN_PACKAGES


def _may_be(name: str, metric: str) -> bool:
    # `val_loss` is `val_head_loss` for the output called `head`.
    if name.startswith("val_") and metric.startswith("val_"):
        return is_name_of(name[4:], metric[4:])
    return is_name_of(name, metric) and not name.startswith("val_")
