"""LambdaCallback: functions as callbacks, in the order of each dialect."""

import copy
import pickle

import pytest

import kerascb
from kerascb.errors import InvalidArgument
from kerascb.testing import drive


def nothing(*args):
    """A function of the module, which pickle can find."""


def test_the_example_of_the_article(capsys):
    """`on_batch_end=lambda batch, log_data: …` fails in stock: the name."""
    callback = kerascb.LambdaCallback(
        on_batch_end=lambda batch, log_data: print(batch)
    )
    drive([callback], losses=[0.3, 0.2])

    assert capsys.readouterr().out == "0\n1\n"


@pytest.mark.fit
def test_any_parameter_names_in_a_fit(make_model, data):
    """The lists of Keras pass `logs` by keyword; functions do not notice."""
    seen = []
    callback = kerascb.LambdaCallback(
        on_epoch_begin=lambda e, _: seen.append(("begin", e)),
        on_epoch_end=lambda e, what: seen.append(("end", e, "loss" in what)),
        on_train_batch_end=lambda b, what: seen.append((b, "loss" in what)),
        on_train_end=lambda what: seen.append("over"),
    )
    make_model().fit(*data, batch_size=12, verbose=0, callbacks=[callback])

    assert seen == [
        ("begin", 0), (0, True), (1, True), ("end", 0, True), "over",
    ]  # fmt: skip


ORDERS = {
    "keras3": ("train_begin", "train_end", "batch_begin", "batch_end"),
    "keras2": ("batch_begin", "batch_end", "train_begin", "train_end"),
}


@pytest.mark.parametrize("dialect", ORDERS)
def test_either_order_of_positions_is_understood(dialect):
    """Functions of one argument are of training, of two of a batch."""
    seen = []

    def noting(name):
        if name.startswith("train"):
            return lambda logs: seen.append(name)
        return lambda batch, logs: seen.append(name)

    functions = map(noting, ORDERS[dialect])
    drive([kerascb.LambdaCallback(None, None, *functions)], losses=[0.1])

    assert seen == ["train_begin", "batch_begin", "batch_end", "train_end"]


def test_the_keras_in_force_settles_what_functions_leave_open(is_keras3):
    """A function that takes anything belongs where this Keras has it."""
    seen = []
    drive(
        [
            kerascb.LambdaCallback(
                None, None, lambda *args: seen.append(len(args))
            )
        ],
        losses=[0.1, 0.1],
    )

    assert seen == ([1] if is_keras3 else [2, 2])


def test_both_names_of_a_hook_are_called():
    """Stock forgets the older one as soon as the newer is given."""
    seen = []
    callback = kerascb.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append("new"),
        on_batch_end=lambda batch, logs: seen.append("old"),
    )
    drive([callback], losses=[0.1])

    assert seen == ["new", "old"]


def test_other_names_become_attributes():
    """Any keyword is kept, as in every Keras."""
    assert (
        kerascb.LambdaCallback(custom_method=nothing).custom_method is nothing
    )


def test_a_misspelt_hook_is_told_with_the_nearest_name():
    """What nothing will ever call is no silent success."""
    with pytest.warns(UserWarning, match="Did you mean 'on_epoch_end'"):
        kerascb.LambdaCallback(on_epoch_ends=nothing)


@pytest.mark.parametrize(
    "hook", ["on_epoch_end", "on_batch_end", "on_test_end"]
)
def test_a_hook_has_to_be_callable(hook):
    """Told at construction, not at the first epoch."""
    with pytest.raises(InvalidArgument, match=f"{hook}=3"):
        kerascb.LambdaCallback(**{hook: 3})


def test_too_many_positions_are_refused():
    """Six are all there are in any dialect."""
    with pytest.raises(TypeError, match="at most 6"):
        kerascb.LambdaCallback(*[nothing] * 7)


def test_a_position_given_again_by_name_is_refused():
    """As Python does for every function."""
    with pytest.raises(TypeError, match="multiple values for on_train_begin"):
        kerascb.LambdaCallback(
            None, None, lambda logs: None, on_train_begin=nothing
        )


def test_hooks_not_given_cost_nothing():
    """Batch hooks stay empty ones, which the lists pass over."""
    callback = kerascb.LambdaCallback(on_epoch_end=nothing)

    assert not callback._implements_train_batch_hooks()


@pytest.mark.parametrize(
    "copier", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_can_be_copied_where_its_functions_can(copier):
    """Functions of a module travel."""
    twin = copier(kerascb.LambdaCallback(on_epoch_end=nothing))

    assert drive([twin], losses=[0.1]).epochs_seen == 1


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [((0, None), {}), ((0,), {"logs": None}), ((), {"logs": None, "epoch": 0})],
)
def test_a_hook_may_be_called_by_hand(args, kwargs):
    """In every way in which a list of some Keras calls it."""
    seen = []
    callback = kerascb.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append((epoch, logs))
    )
    callback.on_epoch_end(*args, **kwargs)

    assert seen == [(0, None)]
