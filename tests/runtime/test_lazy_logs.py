"""LazyLogs: a real dict, whose values are converted when one is wanted."""

import ast
import copy
import json
import pickle
from collections import ChainMap, OrderedDict

import numpy as np
import pytest

from kerascb.runtime import LazyLogs

CONVERTED = {"acc": 0.0, "loss": 1.0}


class Tensor:
    """Something that may not be handed out."""


@pytest.fixture
def conversions():
    """How often values were converted."""
    return []


@pytest.fixture
def logs(conversions):
    """Two values that are not converted yet."""

    def convert(values):
        conversions.append(values)
        return {name: float(place) for place, name in enumerate(values)}

    return LazyLogs({"acc": Tensor(), "loss": Tensor()}, convert)


def _keywords(**kwargs):
    return kwargs


def _updated(logs):
    other = {}
    other.update(logs)
    return other


READERS = {
    "dict": dict,
    "stars": lambda logs: {**logs},
    "keywords": lambda logs: _keywords(**logs),
    "update": _updated,
    "copy": lambda logs: logs.copy(),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "pickle": lambda logs: pickle.loads(pickle.dumps(logs)),
    "json": lambda logs: json.loads(json.dumps(logs)),
    "json, indented": lambda logs: json.loads(json.dumps(logs, indent=1)),
    "items": lambda logs: dict(logs.items()),
    "values": lambda logs: dict(zip(logs, logs.values(), strict=True)),
    "index": lambda logs: {name: logs[name] for name in logs},
    "get": lambda logs: {name: logs.get(name) for name in logs},
    "or": lambda logs: logs | {},
    "or, from the left": lambda logs: {} | logs,
    "OrderedDict": lambda logs: dict(OrderedDict(logs)),
    "ChainMap": lambda logs: dict(ChainMap({}, logs)),
    "of its own type": lambda logs: type(logs)((n, logs[n]) for n in logs),
    "pop": lambda logs: {name: logs.pop(name) for name in list(logs)},
    "popitem": lambda logs: dict([logs.popitem(), logs.popitem()][::-1]),
    "setdefault": lambda logs: {n: logs.setdefault(n, 7) for n in logs},
    "repr": lambda logs: ast.literal_eval(repr(logs)),
    "percent": lambda logs: json.loads(
        '{"acc": %(acc)s, "loss": %(loss)s}' % logs  # noqa: UP031 - the point
    ),
    "format_map": lambda logs: json.loads(
        '{{"acc": {acc}, "loss": {loss}}}'.format_map(logs)
    ),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_every_way_of_reading_gives_floats(logs, read):
    """Whoever takes it for a dict, in Python or in C, sees no tensor."""
    got = read(logs)

    assert list(got.items()) == list(CONVERTED.items())
    assert all(type(value) is float for value in got.values())


@pytest.mark.parametrize(
    "look",
    [len, list, bool, sorted, lambda logs: "loss" in logs, dict.keys],
    ids=["len", "list", "bool", "sorted", "in", "keys"],
)
def test_looking_at_names_converts_nothing(logs, conversions, look):
    """What is there is known without waiting for the device."""
    look(logs)

    assert conversions == []


def test_all_are_converted_at_once(logs, conversions):
    """The first value that is read brings the others along."""
    assert (logs["loss"], logs["acc"], logs["loss"]) == (1.0, 0.0, 1.0)
    assert len(conversions) == 1


def test_a_raw_value_is_not_converted(logs, conversions):
    """It stays a tensor, for those who need not wait."""
    assert isinstance(logs.raw("loss"), Tensor)
    assert conversions == []


def test_after_the_conversion_the_raw_value_is_the_float(logs):
    """There is nothing left to wait for."""
    logs.settle()

    assert logs.raw("loss") == 1.0


def test_a_raw_value_that_is_not_there(logs):
    """As of every dict."""
    with pytest.raises(KeyError, match="val_loss"):
        logs.raw("val_loss")


@pytest.mark.parametrize(
    "put",
    [
        lambda logs, value: logs.__setitem__("lr", value),
        lambda logs, value: logs.update(lr=value),
        lambda logs, value: logs.setdefault("lr", value),
        lambda logs, value: logs.__ior__({"lr": value}),
    ],
    ids=["item", "update", "setdefault", "or"],
)
def test_what_is_put_in_stays_as_it_was_put_in(logs, put):
    """Callbacks add to logs; nobody converts what they add."""
    value = np.float32(0.5)
    put(logs, value)

    assert logs["lr"] is value
    assert list(logs) == ["acc", "loss", "lr"]


def test_what_is_taken_out_is_gone(logs):
    """A conversion does not bring it back."""
    del logs["acc"]

    assert dict(logs) == {"loss": 1.0}


def test_can_be_emptied_unread(logs, conversions):
    """There is nothing to convert then."""
    logs.clear()

    assert dict(logs) == {}
    assert conversions == []


def test_compares_by_its_values(logs):
    """From the left and from the right."""
    assert logs == CONVERTED
    assert CONVERTED == logs  # noqa: SIM300 - the other operand is asked
    assert not logs != CONVERTED  # noqa: SIM202 - it is an operator of its own


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, dict])
def test_copies_are_plain(logs, duplicate):
    """What leaves the callback is a dict and nothing else."""
    assert type(duplicate(logs)) is dict


def test_a_conversion_that_fails_is_tried_again():
    """The error belongs to who reads, each time."""
    logs = LazyLogs({"loss": 1}, lambda values: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        logs["loss"]
    with pytest.raises(ZeroDivisionError):
        dict(logs)


def test_without_a_conversion_it_is_a_dict():
    """As made by code that rebuilds mappings by their type."""
    assert LazyLogs([("loss", 1)])["loss"] == 1
