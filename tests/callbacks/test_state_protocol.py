"""What callbacks remember survives the end of the process."""

import importlib.util
import math
import os
from types import SimpleNamespace

import numpy as np
import pytest

import kerascb
from kerascb import runtime as runtimes
from kerascb.callbacks import _save_schedule
from kerascb.errors import InvalidArgument
from kerascb.experimental import UpdateEmbeddingCallback
from kerascb.testing import FakeModel
from tests.callbacks import resuming
from tests.callbacks.resuming import MOMENTS, Loop, Model, stored

NAN = float("nan")
PLAN = [
    {"loss": 1 - index / 10, "val_loss": value}
    for index, value in enumerate([0.9, 0.5, 0.7, 0.4, 0.6, 0.6])
]
SIDECAR = ("best-{epoch}", "run/ckpt-{epoch}")


class Own(runtimes.in_force().stock("Callback")):
    """A user's own, which knows Keras and not kerascb."""

    def on_train_begin(self, logs=None):
        """Begins anew."""
        self.seen = []

    def on_train_batch_end(self, batch, logs=None):
        """Remembers the batch."""
        self.seen.append(batch)

    def get_state(self):
        """What it has seen."""
        return {"seen": list(self.seen)}

    def set_state(self, state):
        """Goes on."""
        self.seen = list(state["seen"])


class Updates(UpdateEmbeddingCallback):
    """Notes when an update is made."""

    def on_interval(self):
        """Notes it, by the steps that were made."""
        self.model.events.append(float(self.model.get_weights()[0][0]))


class Folder:
    """Stands in for Orbax's checkpointer; the model has the list of steps."""

    def __init__(self, model, steps=()):
        self._model = model
        self.steps.extend(steps)
        self.replaced = []

    @property
    def steps(self):
        """The steps it holds, in order."""
        return self._model.saved

    @property
    def latest(self):
        """The newest step."""
        return SimpleNamespace(step=self.steps[-1]) if self.steps else None

    def save_checkpointables(self, step, items, *, overwrite=False):
        """Notes the step."""
        if overwrite:
            self.steps.remove(step)
            self.replaced.append(step)
        assert step not in self.steps
        self.steps.append(step)

    def close(self):
        """Nothing is open."""


@pytest.fixture(autouse=True)
def _fake_orbax(runtime, monkeypatch):
    """Lets Orbax's callback save models that are none."""
    monkeypatch.setattr(runtime, "require_orbax", lambda: None)
    monkeypatch.setattr(runtime, "orbax_items", lambda *_, **__: dict)


def orbax(model, **arguments):
    """Orbax's callback over a stand-in of its folder."""
    callback = kerascb.OrbaxCheckpoint(
        "orbax", save_on_background=False, verbose=1, **arguments
    )
    callback._checkpointer = Folder(model)
    return callback


def best(**arguments):
    """Saves what has become better."""
    return kerascb.ModelCheckpoint(
        "best", save_best_only=True, verbose=1, mode="min", **arguments
    )


def counting():
    """Functions that remember something, and are asked for it."""
    seen = []

    def set_state(state):
        seen[:] = state["seen"]

    return kerascb.LambdaCallback(
        on_train_begin=lambda logs: seen.clear(),
        on_epoch_end=lambda epoch, logs: seen.append(epoch),
        get_state=lambda: {"seen": list(seen)},
        set_state=set_state,
    )


def started(model):
    """Updates every 2.5 seconds."""
    callback = Updates(
        SimpleNamespace(update_embeddings=print), 2.5, clock=model.clock
    )
    callback.start()
    return callback


CASES = {
    "Callback": lambda model: kerascb.Callback(),
    "a user's own": lambda model: Own(),
    "MonitorCallback": lambda model: (
        kerascb.callbacks.monitor_callback.MonitorCallback()
    ),
    "EarlyStopping": lambda model: kerascb.EarlyStopping(patience=2, verbose=1),
    "EarlyStopping restores": lambda model: kerascb.EarlyStopping(
        patience=2, verbose=1, restore_best_weights=True, start_from_epoch=1
    ),
    "ReduceLROnPlateau": lambda model: kerascb.ReduceLROnPlateau(
        patience=1, cooldown=1, factor=0.5, verbose=1
    ),
    "LearningRateScheduler": lambda model: kerascb.LearningRateScheduler(
        lambda epoch, rate: rate / 2, verbose=1
    ),
    "ModelCheckpoint best": lambda model: best(),
    "ModelCheckpoint batches": lambda model: kerascb.ModelCheckpoint(
        "{epoch}-{batch}", save_freq=4, verbose=1
    ),
    "ModelCheckpoint deferred": lambda model: best(save_freq=5),
    "ModelCheckpoint period": lambda model: kerascb.ModelCheckpoint(
        "{epoch}-{loss:.2f}", every_n_epochs=4, save_on_train_end=True
    ),
    "OrbaxCheckpoint": lambda model: orbax(model, save_best_only=True),
    "OrbaxCheckpoint batches": lambda model: orbax(model, save_freq=4),
    "SidecarEvaluatorModelExport": lambda model: (
        kerascb.SidecarEvaluatorModelExport(*SIDECAR, monitor="loss")
    ),
    "TerminateOnNaN": lambda model: kerascb.TerminateOnNaN(),
    "LambdaCallback": lambda model: counting(),
    "BaseLogger": lambda model: kerascb.BaseLogger(["batch"]),
    "UpdateEmbeddingCallback": started,
}


@pytest.fixture
def told(warned):
    """The texts warned of, but those about the time that hooks take."""
    return lambda: [text for text in warned if "is slow compared" not in text]


@pytest.fixture
def make():
    """Makes a callback by the name of its case."""

    def make(case, model):
        if "Orbax" in case and not importlib.util.find_spec("orbax"):
            pytest.skip("needs orbax")
        return CASES[case](model)

    return make


def killed_at(moment, callbacks, model, plan=PLAN):
    """A run that has been killed right after a backup."""
    loop = Loop(callbacks, model, plan).run(end=moment)
    assert loop.states is not None
    return loop


def early(**arguments):
    """Stops early, by the loss of the validation."""
    return kerascb.EarlyStopping(**{"patience": 2} | arguments)


# -- every class ------------------------------------------------------------


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
@pytest.mark.parametrize("case", CASES)
def test_a_killed_run_goes_on_as_if_it_had_not_been(
    make, case, moment, capsys, told
):
    """Decisions, attributes and printed lines (keras#14862, pl#1463)."""
    model = Model()
    whole = Loop([make(case, model)], model, PLAN).run()
    expected, printed = resuming.outcome(whole), capsys.readouterr().out
    count = len(told())
    model = Model()
    killed = killed_at(moment, [make(case, model)], model)
    model = Model(clock_at=-500.0)
    resumed = resuming.resume(killed, moment, [make(case, model)], model)

    assert resuming.are_equal(resuming.outcome(resumed), expected)
    assert capsys.readouterr().out == printed
    assert told()[:count] == told()[count:]


@pytest.mark.usefixtures("capsys", "warned")
@pytest.mark.parametrize("case", CASES)
def test_a_state_is_what_it_was_when_it_was_asked_for(make, case):
    """Training that goes on meanwhile does not change it."""
    model = Model()
    callback = make(case, model)
    killed = killed_at((2, 2), [callback], model)
    seen = [stored(state) for state in killed.states]
    Loop([callback], model, PLAN).run()

    assert resuming.are_equal([stored(one) for one in killed.states], seen)


@pytest.mark.usefixtures("capsys", "warned")
@pytest.mark.parametrize("case", CASES)
def test_a_state_is_not_changed_by_who_takes_it(make, case):
    """Whoever gives it may give it to another one, too."""
    model = Model()
    killed = killed_at((2, 2), [make(case, model)], model)
    given = [stored(state) for state in killed.states]
    model = Model()
    model.restore(killed.backup)
    Loop([make(case, model)], model, PLAN).run((2, 2), states=given)

    assert resuming.are_equal(given, [stored(one) for one in killed.states])


@pytest.mark.usefixtures("capsys", "warned")
@pytest.mark.parametrize("case", CASES)
def test_a_state_may_be_used_for_something_else(make, case):
    """Who has taken one does not look at it later."""
    outcomes = []
    model = Model()
    killed = killed_at((2, 2), [make(case, model)], model)
    given = stored(killed.states[0])
    model = Model()
    model.restore(killed.backup)
    callback = make(case, model)
    callback.set_model(model)
    callback.on_train_begin({})
    callback.set_state(given)
    outcomes.append(stored(callback.get_state()))
    spoil(given)
    outcomes.append(stored(callback.get_state()))
    for one in outcomes:
        one.pop("time", None)

    assert resuming.are_equal(*outcomes)


def spoil(state):
    """Makes everything in a state something else."""
    for value in state.values() if isinstance(state, dict) else state:
        if isinstance(value, np.ndarray):
            value[...] = 77
        elif isinstance(value, (dict, list)):
            spoil(value)
    state.clear()


@pytest.mark.parametrize(
    "case",
    [
        case
        for case in CASES
        # These count over fits and keep their best, as in every Keras.
        if not case.startswith(("ModelCheckpoint", "Orbax", "Sidecar"))
    ],
)
def test_a_fresh_fit_of_a_resumed_instance_begins_anew(make, case, capsys):
    """Nothing is left of the run that was taken up (keras#20521)."""
    model = Model()
    callback = make(case, model)
    first = resuming.outcome(Loop([callback], model, PLAN).run())
    model = Model()
    killed = killed_at((2, 2), [make(case, model)], model)
    model = Model()
    callback = make(case, model)
    resuming.resume(killed, (2, 2), [callback], model)
    model = callback_model(callback, case)
    again = resuming.outcome(Loop([callback], model, PLAN).run())

    assert resuming.are_equal(again, first)


def callback_model(callback, case):
    """A fresh model; where a callback has its clock, that goes on."""
    model = Model()
    if case.startswith("UpdateEmbedding"):
        callback._clock = model.clock
        callback.start()
    return model


@pytest.mark.parametrize(
    "case", sorted(CASES.keys() - {"a user's own", "LambdaCallback"})
)
def test_an_empty_state_is_taken(make, case, capsys):
    """One of an older version may lack what this one remembers."""
    model = Model()
    callback = make(case, model)
    callback.set_model(model)
    callback.on_train_begin()
    before = stored(callback.get_state())
    callback.set_state({})
    callback.set_state({"monitor": "val_loss"})
    after = stored(callback.get_state())

    assert after.keys() == before.keys()


# -- the base ---------------------------------------------------------------


def test_by_default_nothing_is_remembered():
    """A callback without anything to remember has nothing to do."""
    callback = kerascb.Callback()
    callback.set_state({"x": 1})

    assert callback.get_state() == {}


# -- a monitored value ------------------------------------------------------


@pytest.mark.parametrize(
    "make_one",
    [
        kerascb.EarlyStopping,
        kerascb.ReduceLROnPlateau,
        lambda **arguments: kerascb.ModelCheckpoint(
            "m", save_best_only=True, **arguments
        ),
    ],
    ids=["EarlyStopping", "ReduceLROnPlateau", "ModelCheckpoint"],
)
@pytest.mark.parametrize(
    "changed",
    [{"monitor": "loss"}, {"mode": "max"}],
    ids=["monitor", "mode"],
)
def test_the_best_of_another_monitor_is_dropped(make_one, changed, told):
    """With one warning that names both."""
    killed = killed_at((2, 0), [make_one(mode="min")], Model())
    callback = make_one(**{"mode": "min"} | changed)
    callback.set_model(FakeModel())
    callback.on_train_begin()
    callback.set_state(stored(killed.states[0]))

    assert callback._best is None
    assert callback.get_state().get("wait", 0) == 0
    assert len(told()) == 1
    assert "monitored `val_loss` (mode 'min')" in told()[0]


def test_without_a_best_another_monitor_is_nothing_to_tell(told):
    """Nothing is lost."""
    killed = killed_at((0, 2), [early()], Model())
    callback = early(monitor="loss")
    callback.set_model(FakeModel())
    callback.on_train_begin()
    callback.set_state(stored(killed.states[0]))

    assert told() == []


@pytest.mark.usefixtures("warned")
def test_a_best_that_is_none_yet_stays_none():
    """NaN is not one."""
    plan = [{"val_loss": NAN}] * 6
    killed = killed_at((2, 0), [early(patience=9)], Model(), plan)
    resumed = resuming.resume(killed, (2, 0), [early(patience=9)], Model())

    assert resumed.callbacks[0]._best is None
    assert resumed.callbacks[0].wait == 6


def test_a_direction_that_was_settled_stays_so():
    """It may come from a layer's metric, which is not there yet."""
    stop = early(monitor="width")
    stop.set_model(FakeModel())
    state = early(monitor="width", mode="max").get_state() | {"best": 3.0}
    stop.set_state(state)

    assert stop._is_improvement(4.0, stop.best)


def test_what_was_told_once_is_not_told_again(told):
    """That a monitor is missing, say."""
    plan = [{"loss": 1.0}] * 6
    killed = killed_at((2, 0), [early(mode="min")], Model(), plan)
    before = told()
    resuming.resume(killed, (2, 0), [early(mode="min")], Model())

    assert len(before) == 1
    assert told() == before


def test_a_threshold_that_was_made_stricter_holds():
    """The user has asked for it now."""
    killed = killed_at((2, 0), [best(initial_value_threshold=0.8)], Model())
    callback = best(initial_value_threshold=0.3)
    resumed = resuming.resume(killed, (2, 0), [callback], Model())

    assert killed.states[0]["best"] == 0.5
    assert resumed.model.saved == ["best"]
    assert callback.best == 0.3


@pytest.mark.parametrize(("patience", "last"), [(1, 4), (4, 4), (6, 6)])
def test_another_patience_counts_from_what_has_been_waited(patience, last):
    """Neither from nothing nor at once."""
    plan = [{"val_loss": value} for value in (1, 2, 3, 4, 5, 6, 7)]
    killed = killed_at((4, 0), [early(patience=9)], Model(), plan)
    callback = early(patience=patience)
    resumed = resuming.resume(killed, (4, 0), [callback], Model())

    assert killed.states[0]["wait"] == 3
    assert max(resumed.logs) == callback.stopped_epoch == last


def test_a_cooldown_that_was_shortened_is_over_sooner():
    """None is longer than the argument says now."""
    state = kerascb.ReduceLROnPlateau(cooldown=9).get_state()
    plateau = kerascb.ReduceLROnPlateau(cooldown=2)
    plateau.set_state(state | {"cooldown_counter": 8})

    assert plateau.cooldown_counter == 2


# -- the weights of the best epoch ------------------------------------------


def test_best_weights_can_be_read_after_a_restart():
    """As arrays, which may be changed."""
    stop = early(restore_best_weights=True, patience=9)
    killed = killed_at((2, 0), [stop], Model())
    expected = stop.best_weights
    twin = early(restore_best_weights=True, patience=9)
    twin.set_model(FakeModel())
    twin.on_train_begin()
    twin.set_state(stored(killed.states[0]))
    twin.best_weights[0][...] += 0

    np.testing.assert_array_equal(twin.best_weights, expected)


def test_best_weights_that_were_not_kept_are_told_of(told):
    """`restore_best_weights` was turned on meanwhile."""
    killed = killed_at((2, 0), [early()], Model())
    stop = early(restore_best_weights=True)
    resumed = resuming.resume(killed, (2, 0), [stop], Model())

    assert len(told()) == 1
    assert "did not keep its best weights" in told()[0]
    assert stop.best_epoch == 3
    assert max(resumed.logs) == 5


def test_best_weights_that_are_not_wanted_any_more_are_let_go_of():
    """They take memory."""
    killed = killed_at((2, 0), [early(restore_best_weights=True)], Model())
    stop = early()
    stop.set_model(FakeModel())
    stop.on_train_begin()
    stop.set_state(stored(killed.states[0]))

    assert stop.best_weights is None
    assert (stop.best, stop.best_epoch) == (0.5, 1)


# -- an epoch that goes on --------------------------------------------------


def test_a_rate_is_not_scheduled_twice_for_one_epoch():
    """Many functions make it out of the rate before."""
    asked = []

    def halve(epoch, rate):
        asked.append(epoch)
        return rate / 2

    killed = killed_at(
        (1, 2), [kerascb.LearningRateScheduler(halve)], Model(), PLAN[:3]
    )
    resumed = resuming.resume(
        killed, (1, 2), [kerascb.LearningRateScheduler(halve)], Model()
    )

    assert asked == [0, 1, 2]
    assert resumed.model.optimizer.learning_rate == 0.5 / 8


def test_an_epoch_that_begins_from_its_start_is_averaged_anew():
    """Its first batches come again, where they cannot be passed over."""
    killed = killed_at((1, 2), [kerascb.BaseLogger()], Model())
    again = resuming.resume(killed, (1, 0), [kerascb.BaseLogger()], Model())
    whole = Loop([kerascb.BaseLogger()], Model(), PLAN).run()

    assert again.logs == whole.logs
    assert again.callbacks[0].seen == whole.callbacks[0].seen


@pytest.mark.parametrize("begin", [(1, 2), (1, 0)], ids=str)
def test_batches_are_counted_once(begin):
    """From where the epoch goes on: its third batch, or all of them again."""
    callback = kerascb.ModelCheckpoint("{epoch}-{batch}", save_freq=100)
    killed = killed_at((1, 2), [callback], Model(), PLAN[:2])
    callback = kerascb.ModelCheckpoint("{epoch}-{batch}", save_freq=100)
    resuming.resume(killed, begin, [callback], Model())

    assert callback._batches_seen_since_last_saving == 5 + 3 - begin[1]


# -- checkpoints ------------------------------------------------------------


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_seconds_between_saves_are_those_of_training(moment, monkeypatch):
    """Not those that passed until the run was taken up."""

    def checkpoint(model):
        monkeypatch.setattr(
            _save_schedule, "time", SimpleNamespace(monotonic=model.clock)
        )
        return kerascb.ModelCheckpoint("{epoch}-{batch}", every_n_seconds=4)

    model = Model()
    whole = Loop([checkpoint(model)], model, PLAN).run()
    model = Model()
    killed = killed_at(moment, [checkpoint(model)], model)
    model = Model(clock_at=9e5)
    resumed = resuming.resume(killed, moment, [checkpoint(model)], model)

    assert resumed.model.saved == whole.model.saved


def test_the_last_state_has_the_logs_of_the_last_epoch():
    """Where no epoch is left, `fit` knows of none."""
    arguments = {"filepath": "{epoch}-{loss:.2f}", "save_on_train_end": True}
    model = Model()
    callback = kerascb.ModelCheckpoint(every_n_epochs=9, **arguments)
    killed = killed_at((6, 0), [callback], model)
    callback = kerascb.ModelCheckpoint(every_n_epochs=9, **arguments)
    resumed = resuming.resume(killed, (6, 0), [callback], Model())

    assert resumed.model.saved == ["6-0.50"]


@pytest.fixture
def saving(make_model):
    """Trains a real model by a checkpoint of its own, by hand."""
    model = make_model()

    def saving(*values, epoch=0, state=None, **arguments):
        callback = kerascb.ModelCheckpoint(
            "best.weights.h5",
            save_best_only=True,
            save_weights_only=True,
            mode="min",
            **arguments,
        )
        callback.set_model(model)
        callback.on_train_begin()
        if state is not None:
            callback.set_state(stored(state))
        for number, value in enumerate(values, epoch):
            callback.on_epoch_begin(number)
            callback.on_epoch_end(number, {"val_loss": value})
        return callback

    return saving


def test_a_better_model_from_after_the_backup_is_not_overwritten(saving):
    """The run had come further than its backup (keras#17012, tfk#430)."""
    state = saving(0.5).get_state()
    saving(0.5, 0.2)
    resumed = saving(epoch=1, state=state)

    assert resumed.best == 0.2


def test_a_better_model_is_not_looked_for_if_the_user_says_so(saving):
    """`resume_best=False`."""
    state = saving(0.5).get_state()
    saving(0.5, 0.2)
    resumed = saving(epoch=1, state=state, resume_best=False)

    assert resumed.best == 0.5


def test_a_model_of_another_run_is_not_the_best_of_this_one(saving):
    """What lay there before the backup, the run itself has not minded."""
    saving(0.1)
    state = saving().get_state()
    resumed = saving(0.9, state=state)

    assert resumed.best == 0.9


@pytest.mark.parametrize("has_landed", [True, False])
def test_a_best_whose_save_was_under_way(saving, has_landed):
    """Whether the process took it with it, the file tells."""
    state = saving(0.5).get_state() | {"best": 0.3}
    if has_landed:
        saving(0.3)
    resumed = saving(epoch=1, state=state)

    assert resumed.best == (0.3 if has_landed else 0.5)


def test_a_run_of_another_model_is_not_taken_for_a_new_one(saving):
    """A fit that goes on within its first epoch begins with epoch 0."""
    state = saving(0.5).get_state()
    callback = saving(state=state)
    callback._model_before = lambda: None
    callback.on_epoch_begin(0)

    assert callback.best == 0.5


# -- Orbax ------------------------------------------------------------------


@pytest.fixture
def orbax_run(runtime):
    """Runs Orbax's callback over a folder that holds some steps."""
    pytest.importorskip("orbax.checkpoint")

    def run(begin, state, steps, **arguments):
        model = Model()
        callback = orbax(model, monitor="val_loss", **arguments)
        folder = callback._checkpointer = Folder(model, steps)
        Loop([callback], model, PLAN).run(begin, states=[stored(state)])
        return callback, folder

    return run


def orbax_state(moment, **arguments):
    """The state of Orbax's callback at a moment."""
    model = Model()
    callback = orbax(model, monitor="val_loss", **arguments)
    return killed_at(moment, [callback], model).states[0]


def test_steps_saved_after_the_backup_keep_their_numbers(
    orbax_run, told, capsys
):
    """Older ones stay, the newest is replaced, and nothing is warned of."""
    state = orbax_state((2, 0))
    _, folder = orbax_run((2, 0), state, [0, 1, 2, 3])

    assert folder.steps == [0, 1, 2, 3, 4, 5]
    assert folder.replaced == [3]
    assert told() == []


def test_batches_of_a_resumed_run_keep_their_numbers(orbax_run, told, capsys):
    """The optimizer has counted none when the callback gets the model."""
    state = orbax_state((2, 2), save_freq=4)
    _, folder = orbax_run((2, 2), state, [4, 8], save_freq=4)

    assert folder.steps == [4, 8, 12, 16]
    assert told() == []


def test_steps_of_another_run_still_move_ours(orbax_run, told, capsys):
    """As far as they did before the run was killed."""
    model = Model()
    callback = orbax(model)
    callback._checkpointer = Folder(model, [10])
    killed = killed_at((2, 0), [callback], model)
    _, folder = orbax_run((2, 0), killed.states[0], [10, 11, 12])

    assert folder.steps == [10, 11, 12, 13, 14, 15, 16]
    assert len(told()) == 1


@pytest.mark.fit
@pytest.mark.filterwarnings("ignore:Sharding info not provided")
@pytest.mark.usefixtures("keras3_only", "newest_keras3")
def test_orbax_itself_replaces_the_newest_step(
    make_model, data, tmp_path, monkeypatch, told
):
    """Orbax refuses a step that is there, unless it is told otherwise."""
    pytest.importorskip("orbax.checkpoint")
    monkeypatch.undo()  # Orbax is not to be stood in for here.
    folder, model = str(tmp_path / "orbax"), make_model()
    arguments = {"verbose": 0, "shuffle": False}

    def fit(first, last, state=None):
        callback = kerascb.OrbaxCheckpoint(folder, max_to_keep=9)
        backup = After([callback], epoch=0, states=[state] if state else ())
        model.fit(
            *data,
            initial_epoch=first,
            epochs=last,
            callbacks=[callback, backup],
            **arguments,
        )
        return backup.states

    states = fit(0, 3)
    before = (tmp_path / "orbax" / "2").stat().st_mtime_ns
    fit(1, 4, states[0])

    assert sorted(os.listdir(folder)) == ["0", "1", "2", "3"]
    assert (tmp_path / "orbax" / "2").stat().st_mtime_ns != before
    assert told() == []


@pytest.mark.parametrize(
    ("steps", "expected"), [([0, 1], 0.5), ([0], 0.9), ([], 0.9)], ids=str
)
def test_a_best_that_is_not_in_the_folder_is_none(
    orbax_run, steps, expected, capsys
):
    """Its save was under way when the process ended."""
    state = orbax_state((2, 0), save_best_only=True)
    callback, _ = orbax_run((6, 0), state, steps, save_best_only=True)

    assert callback.best == expected


# -- functions --------------------------------------------------------------


@pytest.mark.parametrize(
    "functions",
    [
        {"get_state": dict},
        {"set_state": print},
        {"get_state": dict, "set_state": 3},
    ],
    ids=["no set_state", "no get_state", "no function"],
)
def test_half_a_state_is_refused(functions):
    """It would be lost in silence."""
    with pytest.raises(InvalidArgument, match="get_state"):
        kerascb.LambdaCallback(**functions)


def test_functions_without_a_state_have_none():
    """They are asked all the same."""
    callback = kerascb.LambdaCallback(on_epoch_end=print)
    callback.set_state({"x": 1})

    assert callback.get_state() == {}


# -- embeddings -------------------------------------------------------------


def test_an_update_comes_no_later_than_the_interval_says_now():
    """It was made shorter meanwhile."""
    model = Model(clock_at=50.0)
    updates = started(model)
    updates.set_state({"due_in": 1000.0})

    assert updates._due_at == 52.5


def test_the_first_update_is_due_at_once_after_a_restart_too():
    """It had not been made."""
    model = Model()
    state = started(model).get_state()
    resumed = started(model)
    resumed.set_state(stored(state))

    assert resumed.get_state() == {"due_in": -math.inf}


# -- in a fit ---------------------------------------------------------------


def variables(model):
    """All that a fit changes, in an order that does not change."""
    optimizer = model.optimizer
    if not getattr(optimizer, "built", False):
        optimizer.build(model.trainable_variables)
    found = [*model.variables, *optimizer.variables]
    rate = optimizer.learning_rate  # Keras 2 has it aside.
    if not any(one is rate for one in found):
        found.append(rate)
    return found


class Before(kerascb.Callback):
    """Restores the model, before all others."""

    def __init__(self, values):
        super().__init__()
        self.values = values

    def on_train_begin(self, logs=None):
        """Restores it."""
        self._runtime.thaw(variables(self.model), self.values)


class After(kerascb.Callback):
    """Backs up after an epoch and gives states back, after all others."""

    def __init__(self, callbacks, epoch=None, states=()):
        super().__init__()
        self.callbacks, self.epoch, self.states = callbacks, epoch, states
        self.values = None

    def on_train_begin(self, logs=None):
        """Gives them back."""
        for callback, state in zip(self.callbacks, self.states, strict=False):
            callback.set_state(state)

    def on_epoch_end(self, epoch, logs=None):
        """Backs up."""
        if epoch == self.epoch:
            self.states = [stored(one.get_state()) for one in self.callbacks]
            frozen = self._runtime.freeze(variables(self.model))
            self.values = [
                runtimes.FrozenArray(np.array(one.array())) for one in frozen
            ]


@pytest.fixture
def trained(keras, make_model, data):
    """Fits a model with averages; whole, or from a backup on."""

    def trained(make_callbacks, seed=1, backup=None, epoch=None):
        model = make_model(
            keras.optimizers.Adam(0.05, use_ema=True, ema_momentum=0.6),
            seed=seed,
        )
        callbacks = make_callbacks()
        after = After(callbacks, epoch, backup.states if backup else ())
        before = [Before(backup.values)] if backup else []
        history = model.fit(
            *data,
            batch_size=8,
            shuffle=False,
            validation_data=data,
            epochs=6,
            initial_epoch=backup.epoch + 1 if backup else 0,
            callbacks=[*before, *callbacks, after],
            verbose=0,
        )
        return after, model.get_weights(), history.history

    return trained


FITS = {
    "best weights": lambda: [
        early(patience=9, restore_best_weights=True, monitor="loss", mode="max")
    ],
    "on the device": lambda: [
        early(
            patience=9,
            restore_best_weights=True,
            monitor="loss",
            mode="max",
            best_weights_device="device",
        )
    ],
    "averages": lambda: [kerascb.SwapEMAWeights()],
    "averages between epochs": lambda: [kerascb.SwapEMAWeights(True)],
    "best averages": lambda: [
        kerascb.SwapEMAWeights(True),
        early(restore_best_weights=True, patience=9),
    ],
    "learning rates": lambda: [
        kerascb.ReduceLROnPlateau(monitor="loss", min_delta=1, patience=1),
    ],
    "schedule": lambda: [
        kerascb.LearningRateScheduler(lambda epoch, rate: rate * 0.7)
    ],
}


@pytest.mark.fit
@pytest.mark.parametrize(
    ("case", "epoch"),
    [
        *[(case, 3) for case in FITS],
        ("best weights", 5),
        ("averages between epochs", 0),
        ("averages between epochs", 5),
    ],
)
def test_a_fit_that_is_resumed_ends_with_the_same_bits(trained, case, epoch):
    """In another model, whose weights were others."""
    backup, expected, history = trained(FITS[case], epoch=epoch)
    _, weights, rest = trained(FITS[case], seed=7, backup=backup)

    assert resuming.are_equal(weights, expected)
    assert {name: values[epoch + 1 :] for name, values in history.items()} == {
        name: rest.get(name, []) for name in history
    }


@pytest.mark.fit
def test_averages_of_another_optimizer_are_not_mixed_up(trained, make_model):
    """The weights themselves would be lost in silence."""
    backup, _, _ = trained(FITS["averages between epochs"], epoch=1)
    swap = kerascb.SwapEMAWeights(True)
    swap.set_model(trained(list)[0].model)
    with pytest.raises(InvalidArgument, match="kept 1 weights aside"):
        swap.set_state({"weights": backup.states[0]["weights"][:1]})
