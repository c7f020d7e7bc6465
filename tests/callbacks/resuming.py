"""Training loops that are killed and taken up again, for tests of states."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field

import numpy as np

from kerascb import Callback, CallbackList
from kerascb.runtime.frozen import Frozen
from kerascb.testing import FakeModel

STEPS = 3
MOMENTS = [(0, 1), (0, 3), (1, 0), (2, 2), (3, 0), (4, 3), (5, 1), (6, 0)]
"""Epoch and batch at which a run of six epochs goes on, as a backup has it."""


def stored(value):
    """A state as it comes back from disk; fails if it cannot be put there."""
    if isinstance(value, Frozen):
        return np.array(value.array())
    if isinstance(value, (np.ndarray, np.generic)):
        assert value.dtype.kind not in "OV", f"{value!r} cannot be stored"
        return value.copy()
    if type(value) is dict:
        assert all(type(name) is str for name in value), value
        return {name: stored(each) for name, each in value.items()}
    if type(value) is list:
        return [stored(each) for each in value]
    assert value is None or type(value) in {bool, int, float, str}, (
        f"{value!r} cannot be stored"
    )
    return json.loads(json.dumps(value))


def are_equal(one, other):
    """Whether two stored states are the same, to the bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(
            are_equal(one[name], other[name]) for name in one
        )
    if isinstance(one, list):
        return len(one) == len(other) and all(map(are_equal, one, other))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    is_nan = isinstance(one, float) and math.isnan(one)
    return math.isnan(other) if is_nan else one == other


class Model(FakeModel):
    """Learns something at every batch, and tells the time.

    Args:
        clock_at: What its clock says in the beginning.
    """

    def __init__(self, clock_at=0.0):
        super().__init__(learning_rate=0.5)
        self.now = clock_at
        self.events = []

    def clock(self):
        """Seconds; each batch takes one."""
        return self.now

    def learn(self):
        """Makes a step."""
        rate = float(self.optimizer.learning_rate)
        self._weights = [one + rate for one in self._weights]
        self.now += 1.0

    def state(self):
        """What a backup has of it."""
        return {
            "weights": self.get_weights(),
            "rate": float(self.optimizer.learning_rate),
            "saved": list(self.saved),
            "events": list(self.events),
            "stop": self.stop_training,
        }

    def restore(self, state):
        """Puts a backup back."""
        self.set_weights(state["weights"])
        self.optimizer.learning_rate = state["rate"]
        self.saved = list(state["saved"])
        self.events = list(state["events"])


class Keeper(Callback):
    """Keeps the logs of each epoch as the callbacks before have left them."""

    def __init__(self, logs):
        super().__init__()
        self.logs = logs

    def on_epoch_end(self, epoch, logs=None):
        """Keeps them."""
        self.logs[epoch] = dict(logs)


@dataclass
class Loop:
    """One process that trains.

    Attributes:
        callbacks: Its callbacks.
        model: Its model.
        plan: What each epoch of the whole run logs at its end.
        logs: The logs of the epochs, as the callbacks have left them.
        states: What the callbacks have answered when it was killed.
        backup: What the model was then.
    """

    callbacks: list
    model: Model
    plan: list
    logs: dict = field(default_factory=dict)
    states: list | None = None
    backup: dict | None = None

    def run(self, begin=(0, 0), end=None, states=None):
        """Trains from one position to another; to the end without one."""
        hooks = CallbackList(
            [*self.callbacks, Keeper(self.logs)], model=self.model
        )
        hooks.set_params(
            {"verbose": 0, "epochs": len(self.plan), "steps": STEPS}
        )
        self.model.stop_training = False
        hooks.on_train_begin()
        for callback, state in zip(self.callbacks, states or (), strict=False):
            callback.set_state(state)
        for epoch in range(begin[0], len(self.plan)):
            first = begin[1] if epoch == begin[0] else 0
            if self._train(hooks, epoch, first, end):
                return self
            if self.model.stop_training:
                break
        # `fit` knows of no logs where it has trained no epoch.
        last = max(self.logs) if begin[0] < len(self.plan) else None
        hooks.on_train_end(self.logs.get(last))
        return self

    def _train(self, hooks, epoch, first, end):
        """Trains an epoch; returns whether the process has been killed."""
        hooks.on_epoch_begin(epoch)
        logs = self.plan[epoch]
        training = {k: v for k, v in logs.items() if k[:4] != "val_"}
        for batch in range(first, STEPS):
            hooks.on_train_batch_begin(batch)
            self.model.learn()
            hooks.on_train_batch_end(
                batch, {"size": batch + 1, **training, "batch": batch}
            )
            if self._is_over((epoch, batch + 1), end):
                return True
        hooks.on_test_begin()
        hooks.on_test_end(
            {k[4:]: v for k, v in logs.items() if k[:4] == "val_"}
        )
        hooks.on_epoch_end(epoch, dict(logs))
        return self._is_over((epoch + 1, 0), end)

    def _is_over(self, position, end):
        if position != end:
            return False
        self.states = [one.get_state() for one in self.callbacks]
        self.backup = self.model.state()
        return True


def resume(killed, begin, callbacks, model):
    """Takes up a killed run in another process, with what is on disk."""
    model.restore(killed.backup)
    loop = Loop(callbacks, model, killed.plan, logs=dict(killed.logs))
    if killed.backup["stop"]:
        begin = (len(killed.plan), 0)
    return loop.run(begin, states=[stored(state) for state in killed.states])


def outcome(loop):
    """What is left of a run, for comparison."""
    states = [stored(one.get_state()) for one in loop.callbacks]
    for state in states:
        state.pop("time", None)
    model = loop.model.state()
    del model["stop"]  # Where no epoch is left, there is nothing to stop.
    return {"model": model, "states": states, "logs": loop.logs}
