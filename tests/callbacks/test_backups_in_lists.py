"""BackupAndRestore among other callbacks: lists, several of it, stock's."""

import os

import pytest

import kerascb
from kerascb import BackupAndRestore, Callback
from kerascb.callbacks._callback_states import CallbackStates
from kerascb.callbacks._shared_fit import SharedFit
from kerascb.errors import BackupInUse, BackupOfOtherModel
from kerascb.runtime import DataPosition, Position
from kerascb.testing import drive
from tests.callbacks.crashing import Crash, Positions, crash, weights_equal


class Counts(Callback):
    """Remembers how many batches it has seen."""

    def on_train_begin(self, logs=None):
        """Begins anew."""
        self.count = 0

    def on_train_batch_end(self, batch, logs=None):
        """Counts."""
        self.count += 1

    def get_state(self):
        """The count."""
        return {"count": self.count}

    def set_state(self, state):
        """Goes on counting."""
        self.count = state["count"]


def backup(folder="backup", save_freq=2, **arguments):
    """One that has written when the batch is over."""
    return BackupAndRestore(folder, save_freq, background=False, **arguments)


# -- those that cannot be asked ---------------------------------------------

FORGETFUL = {
    "CSVLogger": lambda kind: kind("log.csv"),
    "EarlyStopping": lambda kind: kind("loss"),
    "LearningRateScheduler": lambda kind: kind(lambda epoch, rate: rate),
    "ModelCheckpoint": lambda kind: kind(
        "model.weights.h5", "loss", save_best_only=True, save_weights_only=True
    ),
    "ReduceLROnPlateau": lambda kind: kind("loss"),
    "SwapEMAWeights": lambda kind: kind(swap_on_epoch=True),
}


def warnings_of(runtime, *callbacks):
    """What a BackupAndRestore beside them would warn of."""
    return list(CallbackStates(callbacks).warnings(runtime))


def make_stock(stock, name):
    """A stock callback; skips where there is none."""
    if stock(name) is None:
        pytest.skip(f"there is no {name} in this Keras")
    return FORGETFUL[name](stock(name))


@pytest.mark.parametrize("name", FORGETFUL)
def test_pain_a_stock_callback_that_forgets_is_named(runtime, stock, name):
    """It begins anew after a restart, and cannot be asked."""
    (warning,) = warnings_of(runtime, make_stock(stock, name))

    assert warning.startswith(f"{name} of Keras cannot be asked")


@pytest.mark.parametrize("name", FORGETFUL)
def test_ours_in_its_place_is_none_to_warn_of(runtime, stock, name):
    """They can be asked."""
    make_stock(stock, name)

    assert warnings_of(runtime, FORGETFUL[name](getattr(kerascb, name))) == []


def test_what_derives_from_a_stock_callback_forgets_as_well(runtime, stock):
    """Its class is named by what it derives from."""

    class Patient(stock("EarlyStopping")):
        """A user's own."""

    (warning,) = warnings_of(runtime, Patient("loss"))

    assert warning.startswith("EarlyStopping of Keras")


def test_one_that_derives_from_stocks_may_answer_itself(runtime, stock):
    """Then there is nothing to warn of."""

    class Asked(stock("EarlyStopping")):
        """A user's own, which takes part."""

        def get_state(self):
            """What it has waited."""
            return {"wait": self.wait}

        def set_state(self, state):
            """Goes on waiting."""
            self.wait = state["wait"]

    assert warnings_of(runtime, Asked("loss")) == []


def test_a_stock_callback_that_remembers_nothing_is_no_matter(runtime, stock):
    """A checkpoint of every epoch, and averages shown at the end."""
    every = stock("ModelCheckpoint")("model.weights.h5", save_weights_only=True)

    assert warnings_of(runtime, every, stock("TerminateOnNaN")()) == []


def test_a_name_that_is_keras_alone_makes_no_stock_callback(runtime):
    """A user's class may be called as one of Keras's."""
    kind = type("ModelCheckpoint", (Callback,), {})

    assert warnings_of(runtime, kind()) == []


@pytest.mark.fit
def test_forgetful_callbacks_are_named_in_one_warning(fit, stock, warned):
    """Once a fit, all of them."""
    fit(
        backup(),
        stock("LearningRateScheduler")(lambda epoch, rate: rate),
        stock("EarlyStopping")("loss"),
        epochs=2,
    )

    (warning,) = warned
    assert "EarlyStopping, LearningRateScheduler of Keras" in warning


# -- methods of the same names ----------------------------------------------


class NoDict(Counts):
    """Answers with something else."""

    def get_state(self):
        """No dict."""
        return [self.count]


def test_a_state_that_is_no_dict_is_refused_and_named():
    """With the callback's class."""
    with pytest.raises(TypeError, match=r"get_state of NoDict .* got list"):
        drive([backup(), NoDict()], losses=[1.0, 1.0])


class Foreign(Callback):
    """Has a method of the same name that means something else."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def get_state(self, city):
        """Of the United States."""
        self.asked.append(city)


@pytest.mark.fit
def test_a_foreign_get_state_is_left_alone_and_told_of_once(fit, warned):
    """The fit goes on; the callback begins anew after a restart."""
    foreign = Foreign()
    crash(fit, backup(), foreign, Crash(batches=5))
    (warning,) = warned
    resumed = fit(backup(), foreign, epochs=2)

    assert "Foreign cannot be called as get_state()" in warning
    assert foreign.asked == []
    assert resumed.record.epoch == [0, 1]


def test_a_callback_without_either_method_is_none_to_warn_of(runtime, stock):
    """Nor is one of Keras's that has nothing to remember."""
    assert warnings_of(runtime, stock("Callback")(), Counts()) == []


# -- lists in lists ---------------------------------------------------------

LAYOUTS = {
    "flat": lambda one, own, keras: [*own, one],
    "ours": lambda one, own, keras: [kerascb.CallbackList(own), one],
    "ours behind": lambda one, own, keras: [one, kerascb.CallbackList(own)],
    "ours around it": lambda one, own, keras: [
        own[0],
        kerascb.CallbackList([one, *own[1:]]),
    ],
    "stock's": lambda one, own, keras: [keras.callbacks.CallbackList(own), one],
    "stock's around it": lambda one, own, keras: [
        own[0],
        keras.callbacks.CallbackList([one, *own[1:]]),
    ],
    "deep": lambda one, own, keras: [
        kerascb.CallbackList([kerascb.CallbackList(own[:1]), *own[1:]]),
        one,
    ],
}


@pytest.fixture
def fit_in(fit, keras, is_keras3):
    """Fits with callbacks in a layout of lists."""

    def fit_in(layout, one, own, **arguments):
        callbacks = LAYOUTS[layout](one, own, keras)
        if not is_keras3 and "stock" in layout:
            # Keras 2's list does not know what to do with one of its own.
            callbacks = kerascb.CallbackList(callbacks, add_history=True)
        return fit(callbacks=callbacks, **arguments)

    return fit_in


@pytest.mark.fit
@pytest.mark.parametrize("layout", LAYOUTS)
def test_callbacks_of_a_list_in_the_list_go_on(fit_in, layout):
    """Wherever it stands, and whosever list it is."""
    with pytest.raises(RuntimeError, match="killed"):
        fit_in(layout, backup(), [Counts(), Counts(), Crash(batches=5)])
    own = [Counts(), Counts(), Positions()]
    resumed = fit_in(layout, backup(), own, epochs=2)

    assert own[2].trained == [(1, 1), (1, 2)]
    assert [own[0].count, own[1].count] == [6, 6]
    assert resumed.history.epoch == [0, 1]


@pytest.mark.fit
def test_a_list_may_be_taken_apart_between_two_starts(fit_in):
    """A state belongs to a class and a place, however lists are nested."""
    with pytest.raises(RuntimeError, match="killed"):
        fit_in("deep", backup(), [Counts(), Counts(), Crash(batches=5)])
    own = [Counts(), Counts()]
    fit_in("flat", backup(), own, epochs=2)

    assert [own[0].count, own[1].count] == [6, 6]


# -- several in one list ----------------------------------------------------


@pytest.mark.parametrize("order", [1, -1])
def test_the_farthest_leads_wherever_it_stands(order):
    """Both orders; a folder without a backup never."""
    found = {"near": Position(2), "far": Position(2, 1), "empty": None}
    fit = SharedFit(DataPosition())
    for folder in list(found)[::order]:
        fit.offer(folder, found[folder])

    assert (fit.leader, fit.found) == ("far", Position(2, 1))


def test_of_two_that_are_as_far_the_first_leads():
    """The other one has nothing that it has not."""
    fit = SharedFit(DataPosition())

    assert fit.offer("first", Position(2))
    assert not fit.offer("second", Position(2))


def run_twice(fit, make_model, order, kill_at=8, **arguments):
    """A fit with two backups, killed and taken up; and one undisturbed."""

    def pair():
        return [backup("often", 1), backup("seldom", 3)][::order]

    whole = fit(Counts(), model=make_model("adam"), **arguments)
    crash(
        fit,
        *pair(),
        Counts(),
        Crash(batches=kill_at),
        model=make_model("adam"),
        **arguments,
    )
    counts, positions = Counts(), Positions()
    resumed = fit(
        *pair(),
        counts,
        positions,
        model=make_model("adam", seed=7),
        **arguments,
    )
    return whole, resumed, counts, positions


@pytest.mark.fit
@pytest.mark.parametrize("order", [1, -1])
def test_two_backups_in_one_list_go_on_from_the_farthest(
    fit, make_model, warned, order
):
    """Weights, states and batches come from one and the same backup."""
    whole, resumed, counts, positions = run_twice(fit, make_model, order)

    assert positions.trained[0] == (2, 1)
    assert counts.count == 12
    assert resumed.record.history == whole.record.history
    assert weights_equal(resumed, whole)
    (warning,) = warned
    assert "'seldom' is not as far as that in 'often', from which" in warning


@pytest.mark.fit
@pytest.mark.parametrize("order", [1, -1])
def test_a_folder_that_was_lost_is_made_up_for_by_the_other(
    fit, make_model, warned, order
):
    """As of a local disk, when the machine was another one."""

    def pair(folder):
        return [backup(folder, 1), backup("seldom", 3)][::order]

    whole = fit(model=make_model("adam"))
    crash(
        fit, *pair("lost"), Crash(batches=8), model=make_model("adam"), epochs=4
    )
    positions = Positions()
    model = make_model("adam", seed=7)
    resumed = fit(*pair("new"), positions, model=model)

    assert positions.trained[0] == (2, 0)
    assert resumed.record.history == whole.record.history
    assert weights_equal(resumed, whole)
    assert warned == []


@pytest.mark.fit
@pytest.mark.parametrize("order", [1, -1])
def test_the_one_that_did_not_lead_can_lead_later(fit, make_model, order):
    """What it backs up in a resumed run knows of the whole run, data too."""
    data = {"shuffle": True}
    whole = fit(model=make_model("adam"), **data)

    def pair():
        return [backup("often", 1), backup("seldom", 4)][::order]

    crash(fit, *pair(), Crash(batches=5), model=make_model("adam"), **data)
    crash(fit, *pair(), Crash(batches=4), model=make_model("adam"), **data)
    resumed = fit(backup("seldom", 4), model=make_model("adam"), **data)

    assert resumed.record.history == whole.record.history
    assert weights_equal(resumed, whole)


@pytest.mark.fit
@pytest.mark.parametrize("delete", [(True, False), (False, True)])
def test_each_of_two_folders_ends_as_it_says(fit, delete):
    """`delete_checkpoint` is each one's own."""
    fit(
        backup("one", 1, delete_checkpoint=delete[0]),
        backup("other", "epoch", delete_checkpoint=delete[1]),
        epochs=1,
    )

    assert [os.path.exists("one"), os.path.exists("other")] == [
        not delete[0],
        not delete[1],
    ]


@pytest.mark.fit
def test_two_of_them_cannot_share_a_folder(fit):
    """The second is refused, as another run would be."""
    with pytest.raises(BackupInUse):
        fit(backup("same"), backup("same"))


@pytest.mark.fit
def test_a_backup_of_another_model_is_kept_though_it_is_behind(
    fit, keras, data
):
    """The run does not go on from it, but would write over it."""
    other = keras.Sequential(
        [keras.layers.Input((4,)), keras.layers.Dense(3, name="other")]
    )
    other.compile("sgd", "mse")
    crash(
        fit,
        backup("shared", 1),
        Crash(batches=2),
        model=other,
        y=data[0][:, :3],
    )
    crash(fit, backup("own", 1), Crash(batches=3))

    with pytest.raises(BackupOfOtherModel, match="shared"):
        fit(backup("own"), backup("shared"))


# -- stock's beside ours ----------------------------------------------------


@pytest.fixture
def pair(stock):
    """Stock's and ours, in one order or the other."""

    def pair(order):
        theirs = stock("BackupAndRestore")("stock", "epoch")
        return [theirs, backup("backup", 1)][::order]

    return pair


@pytest.mark.fit
@pytest.mark.parametrize("order", [1, -1])
def test_pain_ours_decides_beside_stocks(
    fit, make_model, pair, stock, warned, order
):
    """Where stock's stands behind, it had the last word on where to begin."""
    whole = fit(model=make_model("adam"))
    theirs = stock("BackupAndRestore")("stock", "epoch")
    crash(fit, theirs, Crash(epochs=1), model=make_model("adam"))
    crash(fit, backup("backup", 1), Crash(batches=8), model=make_model("adam"))
    positions = Positions()
    resumed = fit(*pair(order), positions, model=make_model("adam", seed=7))

    assert "Keras's own BackupAndRestore is in the list" in warned[-1]
    assert positions.trained[0] == (2, 1)
    assert resumed.record.history == whole.record.history
    assert weights_equal(resumed, whole)


@pytest.mark.fit
@pytest.mark.parametrize("order", [1, -1])
def test_stocks_may_be_removed_between_two_starts(
    fit, make_model, pair, warned, order
):
    """What it keeps in the model is no part of our backup."""
    whole = fit(model=make_model("adam"))
    crash(fit, *pair(order), Crash(batches=8), model=make_model("adam"))
    resumed = fit(backup(), model=make_model("adam", seed=7))

    assert weights_equal(resumed, whole)


@pytest.mark.fit
@pytest.mark.parametrize("order", [1, -1])
def test_stocks_restores_where_ours_has_no_backup(
    fit, make_model, pair, stock, warned, order
):
    """As when ours is put into the list of a run that lies interrupted."""
    theirs = stock("BackupAndRestore")("stock", "epoch")
    crash(fit, theirs, Crash(epochs=3), model=make_model("adam"))
    positions = Positions()
    fit(*pair(order), positions, model=make_model("adam", seed=7))

    assert positions.trained[0][0] in {2, 3}
    assert positions.trained[0][1] == 0
    assert positions.trained[-1] == (3, 2)


@pytest.mark.fit
@pytest.mark.parametrize("order", [1, -1])
def test_a_run_with_stocks_beside_it_comes_to_its_end(fit, pair, warned, order):
    """Ours removes its backups; what stock's leaves is its own matter."""
    model = fit(*pair(order), epochs=2)

    assert model.record.epoch == [0, 1]
    assert not os.path.exists("backup")
