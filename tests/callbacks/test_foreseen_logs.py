"""What is known of the logs before the first batch."""

import pytest

from kerascb.callbacks._foreseen_logs import ForeseenLogs, foresee


def _of(*names, complete=True):
    return ForeseenLogs(frozenset(names), complete, "learning_rate")


@pytest.mark.parametrize(
    ("name", "may_come"),
    [
        ("loss", True),
        ("head_loss", True),
        ("learning_rate", True),
        ("learning_rate_body", True),
        ("val_loss", False),
        ("head_mae", False),
        ("los", False),
    ],
)
def test_without_validation(name, may_come):
    """Metrics, those of single outputs, and learning rates may come."""
    assert _of("loss").may_have(name) is may_come


@pytest.mark.parametrize("name", ["val_loss", "val_head_loss", "head_loss"])
def test_with_validation(name):
    """An output's name goes between `val_` and the metric's."""
    assert _of("loss", "val_loss").may_have(name)


def test_where_others_may_add_anything_may_come():
    """What is not complete excludes nothing."""
    assert _of("loss", complete=False).may_have("anything")


def test_without_a_fit_nothing_is_excluded(make_model):
    """Hooks driven by hand may get any logs."""
    foreseen = foresee(make_model())

    assert not foreseen.are_complete
    assert foreseen.may_have("anything")
