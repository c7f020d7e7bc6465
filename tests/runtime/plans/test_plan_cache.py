"""Tests of `kerascb.runtime.plans.plan_cache`."""

import gc
import itertools

import pytest

from kerascb.runtime.plans.plan_cache import PlanCache, state_of


class Thing:
    """Something that can be referred to weakly."""


@pytest.fixture
def cache():
    """A cache that is empty."""
    return PlanCache()


@pytest.fixture
def make():
    """Makes another number each time."""
    return itertools.count(1).__next__


def test_made_once(cache, make):
    """The same model with the same variables has it kept."""
    model, one, other = Thing(), Thing(), Thing()

    assert cache.get(model, [one, other], make) == 1
    assert cache.get(model, (one, other), make) == 1


@pytest.mark.parametrize("count", [0, 1, 3])
def test_other_objects(cache, make, count):
    """Fewer, more or others than before: it is made anew."""
    model = Thing()
    before, after = [Thing(), Thing()], [Thing() for _ in range(count)]
    cache.get(model, before, make)

    assert cache.get(model, after, make) == 2
    assert cache.get(model, after, make) == 2


def test_each_model_has_its_own(cache, make):
    """Nothing is mixed up."""
    one, other = Thing(), Thing()

    assert cache.get(one, [], make) == 1
    assert cache.get(other, [], make) == 2
    assert cache.get(one, [], make) == 1


def test_an_object_in_the_place_of_one_that_is_gone(cache, make):
    """It may have the address of the old one, and is another all the same."""
    model, objects = Thing(), [Thing()]
    cache.get(model, objects, make)
    objects.clear()
    gc.collect()
    objects.append(Thing())

    assert cache.get(model, objects, make) == 2


def test_no_longer_of_use(cache, make):
    """What does not hold any more is made anew."""
    model = Thing()
    cache.get(model, [], make)

    assert cache.get(model, [], make, lambda kept: kept > 1) == 2


def test_forgotten(cache, make):
    """It can be let go of, also where there is nothing."""
    model = Thing()
    cache.forget(model)
    cache.get(model, [], make)
    cache.forget(model)

    assert cache.get(model, [], make) == 2


def test_state_of_a_model(make_model, data):
    """Its variables, its optimizer and the variables of that."""
    model = make_model(optimizer="adam")
    model.train_on_batch(*data)

    state = state_of(model)

    found = {id(each) for each in state}
    assert found >= {id(weight) for weight in model.weights}
    assert id(model.optimizer) in found
    assert len(state) > 3 * len(model.weights)


def test_state_of_a_model_without_optimizer(make_model):
    """One that is not compiled has none."""
    model = make_model()
    model.optimizer = None

    assert len(state_of(model)) == len(model.variables)
