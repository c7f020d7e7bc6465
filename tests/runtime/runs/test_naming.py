"""Names that do not depend on what else a process has made."""

import pytest

from kerascb.runtime.runs.naming import (
    Names,
    reference_in,
    renamed,
    without_number,
    without_numbers,
)


def test_a_name_is_given_out_once():
    """Whoever comes later is numbered, past numbers that are taken."""
    names = Names()
    given = [
        names.unique(one) for one in ("dense_1", "dense", "dense", "dense")
    ]

    assert given == ["dense_1", "dense", "dense_2", "dense_3"]


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("dense_7", "dense", "dense"),
        ("dense", "dense", "dense"),
        ("block_7", "dense", "block_7"),
        ("model_3", "functional", "model"),
        ("forward_lstm_5", "lstm", "forward_lstm"),
        ("conv_2_7", "conv", "conv_2_7"),
        ("7", "dense", "7"),
    ],
)
def test_only_numbers_of_keras_are_dropped(name, kind, expected):
    """Names that the user has given stay."""
    assert without_number(name, kind) == expected


def test_every_number_can_be_dropped():
    """Where it cannot be known who wrote them."""
    assert without_numbers("net_3_dense_12_kernel2_m") == "net_dense_kernel2_m"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dense_7_loss", "dense_loss"),
        ("dense_70_loss", "dense_70_loss"),
        ("my_dense_7", "my_dense"),
    ],
)
def test_names_made_of_a_layers_name_follow_it(name, expected):
    """As those of losses of single outputs."""
    assert renamed(name, {"dense_7": "dense"}) == expected


@pytest.mark.parametrize(
    ("name", "glue", "expected"),
    [
        ("net_dense_1_kernel_momentum", "_", ("dense/kernel", ["momentum"])),
        ("Adam/m/dense_1/kernel", "/", ("dense/kernel", ["Adam", "m"])),
        ("Adam/dense_1/kernel/m", "/", ("dense/kernel", ["Adam", "m"])),
        ("learning_rate", "_", None),
    ],
)
def test_slots_know_their_variable(name, glue, expected):
    """Wherever a Keras writes the slot."""
    known = {
        "net_dense_1_kernel": "dense/kernel",
        "dense_1/kernel": "dense/kernel",
        "dense_1": "another",
    }

    assert reference_in(name.split(glue), glue, known) == expected
