"""What Keras 2 asks of a list of callbacks."""

from __future__ import annotations

from typing import Any

from kerascb.callbacks.callback import Callback


class Keras2List(Callback):
    """Answers by what the callbacks are at the time of asking.

    Attributes:
        callbacks: The callbacks, in order.
    """

    callbacks: list[Any]

    @property
    def _supports_tf_logs(self) -> bool:  # type: ignore[override]
        return all(map(_supports_tensors, self.callbacks))

    @property
    def _batch_hooks_support_tf_logs(self) -> bool:
        return all(
            _supports_tensors(callback)
            for callback in self.callbacks
            if _has_batch_hooks(callback, "train", "test", "predict")
        )

    @property
    def _should_call_train_batch_hooks(self) -> bool:
        return any(_has_batch_hooks(one, "train") for one in self.callbacks)

    @property
    def _should_call_test_batch_hooks(self) -> bool:
        return any(_has_batch_hooks(one, "test") for one in self.callbacks)

    @property
    def _should_call_predict_batch_hooks(self) -> bool:
        return any(_has_batch_hooks(one, "predict") for one in self.callbacks)

    def _refuse_batch_hooks_on_remote_steps(self) -> None:
        if not self._runtime.has_remote_steps():
            return
        unsupported = [
            callback
            for callback in self.callbacks
            if not _supports_tensors(callback)
            and _has_batch_hooks(callback, "train", "test", "predict")
        ]
        if unsupported:
            raise ValueError(
                "Batch-level `Callback`s are not supported with "
                "`ParameterServerStrategy`. Found unsupported "
                f"callbacks: {unsupported}"
            )


def _supports_tensors(callback: Any) -> bool:
    return bool(getattr(callback, "_supports_tf_logs", False))


def _has_batch_hooks(callback: Any, *modes: str) -> bool:
    for mode in modes:
        # A callback of some other Keras may not know the question.
        ask = getattr(callback, f"_implements_{mode}_batch_hooks", None)
        if ask is None or ask():
            return True
    return False
