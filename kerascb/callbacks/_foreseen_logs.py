"""Which names the logs of a fit that begins will have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kerascb import runtime
from kerascb.runtime import is_name_of

_KNOWN_PACKAGES = frozenset({"keras", "tf_keras", "kerascb"})


@dataclass(frozen=True)
class ForeseenLogs:
    """What is known of the logs before the first batch.

    Attributes:
        names: The names sure to come.
        are_complete: Nothing else can come, but learning rates and the
            metrics of single outputs.
        learning_rate_key: How names of learning rates begin.
    """

    names: frozenset[str]
    are_complete: bool
    learning_rate_key: str

    def may_have(self, name: str) -> bool:
        """Whether a value of that name may come.

        Args:
            name: A key of the logs.
        """
        return (
            not self.are_complete
            or name in self.names
            or name.startswith(self.learning_rate_key)
            or any(_is_of_an_output(name, metric) for metric in self.names)
        )


def foresee(model: Any) -> ForeseenLogs:
    """What is known of the logs of a model's fit.

    A callback that is neither Keras's nor kerascb's may add whatever it
    likes, and so may the functions of a `LambdaCallback`.

    Args:
        model: The model, as a callback was given it.
    """
    keras = runtime.of(model)
    compiled = keras.metric_names(model)
    callbacks = runtime.callbacks_of_fit(model)
    names = set(compiled or ())
    if runtime.has_validation(model):
        names |= {f"val_{name}" for name in names}
    return ForeseenLogs(
        frozenset(names),
        are_complete=compiled is not None
        and callbacks is not None
        and not any(map(_may_log, callbacks)),
        learning_rate_key=keras.learning_rate_key,
    )


def _may_log(callback: Any) -> bool:
    kind = type(callback)
    return (
        kind.__module__.partition(".")[0] not in _KNOWN_PACKAGES
        or kind.__name__ == "LambdaCallback"
    )


def _is_of_an_output(name: str, metric: str) -> bool:
    # `val_loss` is `val_head_loss` for the output called `head`.
    if name.startswith("val_") != metric.startswith("val_"):
        return False
    return is_name_of(name, metric.removeprefix("val_"))
