"""What is tried again, and what the log says of it."""

import pytest

from kerascb.checkpoint.retries import attempts


@pytest.fixture(autouse=True)
def _no_naps(monkeypatch):
    """Nothing is waited for."""
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)


def test_pain_a_log_that_does_not_say_of_what_it_speaks(caplog):
    """It names the path and the error, and how long it waits."""
    errors = [OSError("busy"), OSError("locked")]

    for attempt in attempts(2, "run/m.keras"):
        with attempt:
            if errors:
                raise errors.pop(0)

    assert caplog.messages == [
        "Saving to run/m.keras is tried again in 0.5 s: busy",
        "Saving to run/m.keras is tried again in 1 s: locked",
    ]
