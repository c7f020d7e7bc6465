"""Whether a checkpoint is worth saving, and what is said of it."""

import operator

import numpy as np
import pytest

from kerascb.callbacks._checkpoint_verdict import Verdict, judge, unjudged


def _is_lower(value, best):
    return best is None or value < best


def test_what_is_not_judged_is_saved():
    """The line names the path."""
    assert unjudged("m.keras") == Verdict(True, "saving model to m.keras")


@pytest.mark.parametrize(("best", "before"), [(None, "None"), (1, "1.00000")])
def test_what_became_better_is_saved_and_is_the_best(best, before):
    """The line has both values in Keras's five places."""
    assert judge("loss", 0.5, best, _is_lower, "m.keras") == Verdict(
        True,
        f"loss improved from {before} to 0.50000, saving model to m.keras",
        best=0.5,
    )


@pytest.mark.parametrize("value", [0.5, 0.75])
def test_what_did_not_become_better_is_not_saved(value):
    """And the best stays what it was."""
    assert judge("loss", value, 0.5, _is_lower, "m.keras") == Verdict(
        False, "loss did not improve from 0.50000"
    )


def test_what_cannot_be_compared_is_saved():
    """With a warning, and without becoming the best."""
    verdict = judge("loss", np.ones(2), 0.5, operator.lt, "m.keras")

    assert verdict.is_to_save
    assert verdict.best is None
    assert "Received: [1. 1.]. Falling back to" in verdict.warning
