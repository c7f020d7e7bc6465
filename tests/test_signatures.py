"""Every constructor takes what each dialect's takes."""

import inspect

import pytest

import kerascb
from tests.dialects import (
    DIALECTS,
    OTHER_DEFAULTS,
    OTHER_POSITIONS,
    REQUIRED,
)

CLASSES = [
    (dialect, name) for dialect in DIALECTS for name in DIALECTS[dialect]
]
PARAMETERS = [
    (dialect, name, parameter)
    for dialect, name in CLASSES
    for parameter in DIALECTS[dialect][name]
]
_POSITIONAL = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)


def parameters_of(kind):
    return inspect.signature(kind).parameters


@pytest.mark.parametrize(("dialect", "name", "parameter"), PARAMETERS)
def test_takes_each_parameter_with_its_default(dialect, name, parameter):
    """A call that leaves it out means what it meant."""
    ours = parameters_of(getattr(kerascb, name))
    takes_any = any(
        one.kind is inspect.Parameter.VAR_KEYWORD for one in ours.values()
    )
    default = DIALECTS[dialect][name][parameter]

    assert parameter in ours or takes_any
    if parameter in ours and (dialect, name, parameter) not in OTHER_DEFAULTS:
        mine = ours[parameter].default
        assert (mine is inspect.Parameter.empty) == (default is REQUIRED)
        assert default is REQUIRED or mine == default


@pytest.mark.parametrize(("dialect", "name"), CLASSES)
def test_keeps_the_order_of_positions(dialect, name):
    """A call by position means what it meant."""
    if (dialect, name) in OTHER_POSITIONS:
        pytest.skip(OTHER_POSITIONS[dialect, name])
    ours = [
        one.name
        for one in parameters_of(getattr(kerascb, name)).values()
        if one.kind in _POSITIONAL
    ]
    theirs = list(DIALECTS[dialect][name])

    assert ours[: len(theirs)] == theirs


@pytest.mark.parametrize("name", sorted({name for _, name in CLASSES}))
def test_the_record_is_what_stock_has(name, stock, is_keras3):
    """The tables in `dialects` agree with the Keras installed here."""
    recorded = DIALECTS["K3" if is_keras3 else "K2"].get(name)
    kind = stock(name)
    if recorded is None or kind is None:
        assert recorded is None
        assert kind is None
        return
    theirs = {
        one.name: REQUIRED if one.default is one.empty else one.default
        for one in parameters_of(kind).values()
        if one.kind in _POSITIONAL
    }

    assert theirs == recorded
