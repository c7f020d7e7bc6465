"""The checks that constructors share."""

import numpy as np
import pytest

from kerascb.callbacks._arguments import require_number
from kerascb.errors import InvalidArgument


@pytest.mark.parametrize("value", [0, 1.5, np.float32(2), float("inf"), -1])
def test_numbers_pass(value):
    """Of any type, if there is no limit."""
    assert require_number(object(), share=value) is None


@pytest.mark.parametrize("value", [None, "1", float("nan"), [1], 1j])
def test_what_is_no_number_is_refused(value):
    """With the owner, the name and the value."""
    with pytest.raises(
        InvalidArgument, match="object needs share to be a number; got share="
    ):
        require_number(object(), share=value)


@pytest.mark.parametrize(("value", "is_fine"), [(1, True), (0.9, False)])
def test_a_number_below_the_limit_is_refused(value, is_fine):
    """The limit itself passes."""
    if is_fine:
        assert require_number(object(), at_least=1, share=value) is None
        return
    with pytest.raises(InvalidArgument, match=r"at least 1; got share=0\.9"):
        require_number(object(), at_least=1, share=value)
