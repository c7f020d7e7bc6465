"""Tests of `kerascb.runtime.plans.planned`."""

from types import SimpleNamespace

from kerascb.runtime.plans.planned import Variables, plan_of


def test_variables_have_the_index_they_were_first_seen_at():
    """A variable that comes again is the one it was."""
    variables = Variables(lambda one: ((), None))
    first, second = SimpleNamespace(), SimpleNamespace()

    assert [variables.index(one) for one in (first, second, first)] == [0, 1, 0]
    assert list(variables) == [first, second]


def test_a_plan_says_which_variables_are_seeds():
    """In the order of the seeds, not of the file."""
    kernel, first, second = (SimpleNamespace(name=name) for name in "abc")

    plan = plan_of(None, [kernel, second, first], [first, second])

    assert plan.variables == (kernel, second, first)
    assert plan.seeds == (2, 1)
