"""What the arguments of TensorBoard may be."""

import re
from pathlib import Path

import numpy as np
import pytest

from kerascb.callbacks import _tensorboard_arguments as arguments
from kerascb.errors import InvalidArgument


@pytest.mark.parametrize(
    ("given", "epochs"),
    [
        (0, 0),
        (1, 1),
        (np.int64(3), 3),
        (2.0, 2),
        (np.float32(2), 2),
        (None, 0),
        (False, 0),
    ],
)
def test_a_frequency_is_a_number_of_epochs(given, epochs):
    """Whole numbers of any type; what older code has for none is none."""
    assert arguments.epochs_between("histogram_freq", given) == epochs


@pytest.mark.parametrize(
    "given",
    [True, 0.5, 1.5, -1, -1.0, "epoch", "", float("nan"), float("inf"), (1,)],
)
@pytest.mark.parametrize("name", ["histogram_freq", "embeddings_freq"])
def test_a_frequency_that_is_none(name, given):
    """`True` is no number of epochs, and half an epoch never comes."""
    with pytest.raises(InvalidArgument) as told:
        arguments.epochs_between(name, given)

    assert str(told.value) == (
        f"TensorBoard: `{name}` must be a whole number of epochs, 0 for none; "
        f"got {name}={given!r}."
    )


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (None, None),
        ("words.tsv", "words.tsv"),
        (Path("words.tsv"), "words.tsv"),
        ({}, {}),
        ({"words": "w.tsv"}, {"words": "w.tsv"}),
        ({"words": Path("w.tsv")}, {"words": "w.tsv"}),
    ],
)
def test_metadata_are_a_path_or_one_a_layer(given, taken):
    """Paths of both kinds."""
    assert arguments.metadata_of(given) == taken


def test_metadata_are_not_changed():
    """The dict is the caller's."""
    given = {"words": Path("w.tsv")}

    arguments.metadata_of(given)

    assert given == {"words": Path("w.tsv")}


@pytest.mark.parametrize(
    "given", [3, True, ["words.tsv"], b"words.tsv", {"words": 3}, {1: "w.tsv"}]
)
def test_metadata_that_are_none(given):
    """Told before there is an embedding to describe."""
    text = re.escape(f"got embeddings_metadata={given!r}.")

    with pytest.raises(InvalidArgument, match=text):
        arguments.metadata_of(given)


@pytest.mark.parametrize("given", [None, "", "**warm-up** 5"])
def test_notes_are_a_text(given):
    """Or none."""
    assert arguments.notes_of(given) == given


@pytest.mark.parametrize("given", [3, True, b"warm-up", ["warm-up"]])
def test_notes_that_are_none(given):
    """Told before training, not by the writer of events."""
    with pytest.raises(InvalidArgument) as told:
        arguments.notes_of(given)

    assert str(told.value) == (
        f"TensorBoard: `notes` must be a text; got notes={given!r}."
    )
