"""Tests of `kerascb.runtime.plans.variables3`."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from kerascb import runtime as runtimes
from kerascb.layouts.plan import NotPlannable

if runtimes.in_force().name != "keras3":
    pytest.skip("about Keras 3", allow_module_level=True)

from kerascb.runtime.plans import variables3
from kerascb.runtime.plans.variables3 import place_of


def variable(shape=(2,), dtype="float32", is_here=True):
    return SimpleNamespace(
        path="dense/kernel",
        shape=shape,
        dtype=dtype,
        value=SimpleNamespace(is_fully_addressable=is_here),
    )


@pytest.mark.parametrize("kind", ["bfloat16", "float16", "int64", "bool"])
def test_a_place_is_a_shape_and_numpys_type(kind):
    """`bfloat16` is NumPy's by another package."""
    assert place_of(variable((2, 3), kind)) == ((2, 3), np.dtype(kind))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (variable(shape=(None, 2)), "'dense/kernel' has no fixed shape"),
        (variable(dtype="float8_e5m2"), "'dense/kernel', of type float8_e5m2"),
        (variable(dtype="string"), "'dense/kernel', of type string"),
    ],
)
def test_a_variable_without_a_place_is_named(given, reason):
    """The reason says which variable it is and what is wrong with it."""
    with pytest.raises(NotPlannable, match=reason):
        place_of(given)


def test_a_variable_in_several_processes_has_no_place(monkeypatch):
    """JAX can spread one so that no process has all of it."""
    monkeypatch.setattr(variables3, "_IS_JAX", True)

    with pytest.raises(NotPlannable, match="'dense/kernel' is spread over"):
        place_of(variable(is_here=False))
