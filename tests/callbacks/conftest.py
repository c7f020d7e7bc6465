"""What tests of callbacks share."""

import time

import pytest


@pytest.fixture
def fit(make_model, data):
    """Fits a model, by default a new one; 3 batches of 8 an epoch."""

    def fit(*callbacks, model=None, x=data[0], y=data[1], **arguments):
        model = make_model() if model is None else model
        arguments = {
            "batch_size": 8,
            "epochs": 4,
            "verbose": 0,
            "shuffle": False,
            "callbacks": list(callbacks),
        } | arguments
        model.record = model.fit(x, y, **arguments)
        return model

    return fit


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is set forward."""

    class Clock:
        now_s = 100.0

        def advance(self, seconds):
            self.now_s += seconds

    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", lambda: clock.now_s)
    return clock
