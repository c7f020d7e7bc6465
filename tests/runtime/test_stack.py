"""Whose line on the stack a warning names."""

import pytest

import kerascb
from kerascb.runtime._stack import level_of_user
from kerascb.testing import drive


def test_the_user_who_asks_is_the_user():
    """The line that warns is the user's own."""
    assert level_of_user() == 1


def test_a_constructor_that_warns_names_the_line_that_calls_it(keras3_only):
    """However deep in kerascb the warning is made."""
    with pytest.warns(UserWarning, match="is unknown") as caught:
        kerascb.EarlyStopping(mode="up")

    assert caught[0].filename == __file__


def test_a_hook_that_warns_names_the_line_that_drives_it(keras3_only):
    """What lies between, a list of callbacks say, is passed over."""
    checkpoint = kerascb.ModelCheckpoint("m-{acc}.keras")

    with pytest.warns(UserWarning, match="no value for 'acc'") as caught:
        drive([checkpoint], losses=[1.0])

    assert caught[0].filename == __file__
