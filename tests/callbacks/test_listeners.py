"""Who hears of a batch, and which callback an error is blamed on."""

import traceback

import pytest

import kerascb
from kerascb.callbacks._listeners import Listeners, blame, name_of
from kerascb.testing import drive


def listeners(callbacks, hook="on_train_batch_end"):
    return Listeners.of(
        callbacks, hook, lambda callback, hook, method: method,
        takes_tensors=False,
    )  # fmt: skip


class Failing(kerascb.Callback):
    """Fails in the hook it is told to fail in."""

    def __init__(self, hook):
        super().__init__()
        setattr(self, hook, self.fail)

    def fail(self, *args):
        raise LookupError("lost")


def test_those_who_override_nothing_are_left_out():
    """Base hooks are not called."""
    hearing = kerascb.TerminateOnNaN()

    assert listeners([kerascb.Callback(), kerascb.History(), hearing]) == (
        listeners([hearing])
    )


def test_the_older_name_of_a_hook_counts():
    """`on_batch_end` is `on_train_batch_end`."""

    class Older(kerascb.Callback):
        def on_batch_end(self, batch, logs=None):
            pass

    older = Older()

    assert listeners([older]).functions == (older.on_batch_end,)


@pytest.mark.parametrize(
    ("hook", "event"),
    [
        ("on_train_begin", "on_train_begin()"),
        ("on_epoch_begin", "on_epoch_begin(0)"),
        ("on_train_batch_end", "on_train_batch_end(0)"),
        ("on_test_batch_end", "on_test_batch_end(0)"),
        ("on_epoch_end", "on_epoch_end(0)"),
        ("on_train_end", "on_train_end()"),
    ],
)
def test_a_failing_callback_is_named(hook, event):
    """In a note: the exception and its text are the callback's own."""
    with pytest.raises(LookupError) as caught:
        drive(
            [kerascb.History(), Failing(hook), kerascb.History()],
            epochs=[{"loss": 1.0, "val_loss": 1.0}],
        )

    assert str(caught.value) == "lost"
    assert caught.value.__notes__ == [
        f"Raised by the callback Failing, in {event}."
    ]


def test_python_prints_the_note():
    """From 3.11 on."""
    error = LookupError("lost")
    if not hasattr(error, "add_note"):
        pytest.skip("Python prints notes from 3.11 on")
    blame(error, kerascb.History(), "on_epoch_end(3)")

    assert "Raised by the callback History, in on_epoch_end(3)." in "".join(
        traceback.format_exception(error)
    )


def test_the_innermost_list_names_the_callback():
    """A list among callbacks is not the culprit."""
    inner = kerascb.CallbackList([Failing("on_epoch_end")])
    with pytest.raises(LookupError) as caught:
        drive([inner], epochs=[{"loss": 1.0}])

    assert caught.value.__notes__ == [
        "Raised by the callback Failing, in on_epoch_end(0)."
    ]


def test_the_notes_of_others_stay():
    """Ours is added to them."""
    error = LookupError("lost")
    error.__notes__ = ["mind the gap"]
    blame(error, kerascb.History(), "on_epoch_end(0)")

    assert error.__notes__[0] == "mind the gap"
    assert len(error.__notes__) == 2


@pytest.mark.fit
def test_the_note_comes_out_of_a_fit(make_model, data):
    """Keras cuts tracebacks and chains; a note stays."""
    with pytest.raises(LookupError) as caught:
        make_model().fit(
            *data,
            verbose=0,
            callbacks=kerascb.CallbackList([Failing("on_train_batch_end")]),
        )

    assert len(caught.value.__notes__) == 1


def test_a_helper_goes_by_the_name_of_whom_it_helps():
    """Users know nothing of what a callback has put into the list."""
    helper, helped = kerascb.Callback(), kerascb.History()
    helper._acts_for = helped

    assert name_of(helper) == "History"


def test_an_object_that_answers_to_every_name_is_itself():
    """It has not put anything into the list."""

    class Answering:
        def __getattr__(self, name):
            return lambda *args: None

    assert name_of(Answering()) == "Answering"
