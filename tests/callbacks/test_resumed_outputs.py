"""What a run that was killed and resumed leaves behind, and the others do."""

import copy
import gc
import itertools
import os
import shutil
import time
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from tensorboard.backend.event_processing import (
    plugin_event_multiplexer as event_multiplexer,
)

from kerascb import (
    CSVLogger,
    LambdaCallback,
    ProgbarLogger,
    TensorBoard,
)
from kerascb.events.event_file import EventFile
from kerascb.testing import FakeModel, drive
from tests.events.reading import read
from tests.parity import untimed

PLAIN = [{"loss": 1 / (epoch + 1), "accuracy": epoch / 7} for epoch in range(5)]
LATE = [
    {**logs, **({"val_loss": 0.5} if epoch % 2 else {})}
    for epoch, logs in enumerate(PLAIN)
]
WIDER = [
    {f"m{number}": number / 3 for number in range(epoch + 1)}
    for epoch in range(5)
]
ODD = [
    {"text": 'a,"b"\nc;' * epoch, "array": np.arange(epoch), "none": None}
    for epoch in range(5)
]
PLANS = {"plain": PLAIN, "late": LATE, "wider": WIDER, "odd": ODD}
EARLIER = {
    "nothing": None,
    "rows": b"epoch,loss\r\n0,0.5\r\n1,0.25\r\n",
    "mark": b"\xef\xbb\xbfepoch;loss\n7;1\n\n",
    "headless": b"0,0.5\n",
    "blank": b"\n",
    "unfinished": b"epoch,loss\r\n0,0.",
    "header": b"epoch,loss\r\n",
}


class Run:
    """A fit of which every epoch has a backup, and that may be killed."""

    begun: ClassVar = []

    def __init__(self, make, model=None):
        self.begun.append(self)
        self.callback = make()
        self.callback.set_model(model or FakeModel())
        self.callback.on_train_begin()
        self.states = {}

    def resume(self, state):
        """Gives the callback the state of a backup."""
        self.callback.set_state(copy.deepcopy(state))
        return self

    def epochs(self, plan, first, last):
        """Runs epochs; the state before each, and after the last, is kept."""
        for epoch in range(first, last):
            self.callback.on_epoch_begin(epoch)
            self.states.setdefault(epoch, self.callback.get_state())
            self.callback.on_epoch_end(epoch, dict(plan[epoch]))
            self.states[epoch + 1] = self.callback.get_state()
        return self

    def end(self):
        """Ends the fit."""
        self.callback.on_train_end()


def written(name="log.csv"):
    """The bytes of a file; `None` if there is none."""
    path = Path(name)
    return path.read_bytes() if path.exists() else None


def put(content, name="log.csv"):
    """Makes a file what it was."""
    if content is None:
        Path(name).unlink(missing_ok=True)
    else:
        Path(name).write_bytes(content)


@pytest.fixture(autouse=True)
def _none_begun():
    """Forgets the fits of other tests."""
    Run.begun.clear()


@pytest.mark.usefixtures("warned")
class TestCsvLogger:
    @pytest.mark.parametrize("append", [False, True])
    @pytest.mark.parametrize("earlier", EARLIER)
    @pytest.mark.parametrize("plan", PLANS)
    @pytest.mark.parametrize("backup", range(5))
    def test_is_the_file_of_an_uninterrupted_run(
        self, plan, earlier, append, backup
    ):
        """Whenever it was backed up and killed, in the midst of a row too."""
        logs = PLANS[plan]

        def make():
            return CSVLogger("log.csv", append=append)

        put(EARLIER[earlier])
        Run(make).epochs(logs, 0, 5).end()
        expected = written()

        for killed, torn in itertools.product(range(backup, 6), (0, 1, 4)):
            put(EARLIER[earlier])
            run = Run(make).epochs(logs, 0, max(min(killed, 5), 1))
            if killed > backup and torn:
                put(written()[:-torn])
            Run(make).resume(run.states[backup]).epochs(logs, backup, 5).end()

            assert written() == expected

    @pytest.mark.parametrize("seed", range(10))
    def test_after_many_kills(self, seed):
        """Also those that hit a resumed run before its first backup."""
        dice = np.random.default_rng(seed)
        Run(lambda: CSVLogger("log.csv")).epochs(LATE, 0, 5).end()
        expected = written()
        put(b"epoch,old\r\n0,1\r\n")

        state, epoch = None, 0
        while epoch < 5:
            run = Run(lambda: CSVLogger("log.csv"))
            if state is not None:
                run.resume(state)
            last = dice.integers(epoch, 5, endpoint=True)
            run.epochs(LATE, epoch, last)
            if run.states and dice.random() < 0.7:
                epoch = int(dice.choice(sorted(run.states)))
                state = run.states[epoch]

        run = Run(lambda: CSVLogger("log.csv")).resume(state)
        run.end()
        assert written() == expected

    def test_every_cut_of_a_file_that_cannot_be_replaced(self, monkeypatch):
        """Wider headers in its midst are those of an uninterrupted run."""

        def refuse(source, target):
            raise OSError(16, "busy", source, 0, target)

        monkeypatch.setattr(os, "replace", refuse)
        whole = Run(lambda: CSVLogger("log.csv")).epochs(WIDER, 0, 5)
        expected = written()

        for epoch, state in whole.states.items():
            put(expected)
            run = Run(lambda: CSVLogger("log.csv")).resume(state)
            run.epochs(WIDER, epoch, 5).end()

            assert written() == expected

    def test_attributes_are_those_of_an_uninterrupted_run(self):
        """Columns that were chosen hold, and the header is not due again."""
        first = Run(lambda: CSVLogger("log.csv"))
        first.callback.keys = ["loss"]
        first.epochs(PLAIN, 0, 2)
        resumed = Run(lambda: CSVLogger("log.csv")).resume(first.states[1])
        before = resumed.callback.keys, resumed.callback.writer is None
        resumed.epochs(PLAIN, 1, 2)

        assert before == (["loss"], False)
        assert resumed.callback.append_header is True
        assert written() == b"epoch,loss\r\n0,1.0\r\n1,0.5\r\n"

    def test_a_fresh_fit_of_a_used_instance_begins_anew(self):
        """Only a state makes a fit a resumed one."""
        logger = CSVLogger("log.csv")
        drive([logger], epochs=PLAIN[:3])
        drive([logger], epochs=PLAIN[:1])

        assert written() == b"epoch,accuracy,loss\r\n0,0.0,1.0\r\n"

    def test_rows_of_an_earlier_run_stay_until_an_epoch_begins(self):
        """Only then is it known that they are not to be continued."""
        put(b"epoch,old\r\n0,1\r\n")
        run = Run(lambda: CSVLogger("log.csv"))
        begun = written()
        run.callback.on_epoch_begin(0)

        assert begun == b"epoch,old\r\n0,1\r\n"
        assert written() == b""

    def test_rows_of_an_earlier_run_go_in_a_fit_without_epochs(self):
        """As in Keras."""
        put(b"epoch,old\r\n0,1\r\n")
        drive([CSVLogger("log.csv")], epochs=[])

        assert written() == b""

    @pytest.mark.parametrize(
        ("found", "reason"),
        [
            (None, "is gone"),
            (b"", "is gone"),
            (b"epoch,accuracy,loss\r\n0,0.0,1.0\r\n", "does not hold"),
            (b"epoch,accuracy,loss\r\n0,0.0,1.0\r\n1,9,9\r\n", "does not hold"),
            (b"mine,alone\r\n", "does not hold"),
        ],
    )
    def test_a_file_that_is_another_is_warned_of(self, found, reason, warned):
        """Nothing is taken out of it; the rows to come follow."""
        first = Run(lambda: CSVLogger("log.csv")).epochs(PLAIN, 0, 3)
        put(found)

        run = Run(lambda: CSVLogger("log.csv")).resume(first.states[2])
        run.epochs(PLAIN, 2, 3).end()

        assert written().startswith(found or b"epoch,accuracy,loss\r\n")
        assert b"\n2," in written()
        assert len(warned) == 1
        assert warned[0].startswith(f"CSVLogger: 'log.csv' {reason}")

    @pytest.mark.parametrize(
        "foreign", [b"# a remark\r\n", b"0,0.5,0.5\r\n", b"x\r\n"]
    )
    def test_lines_of_others_below_stay(self, foreign, warned):
        """Even where rows of ours then stand there twice."""
        first = Run(lambda: CSVLogger("log.csv")).epochs(PLAIN, 0, 3)
        put(written() + foreign)

        run = Run(lambda: CSVLogger("log.csv")).resume(first.states[2])
        run.epochs(PLAIN, 2, 3).end()

        assert foreign in written()
        assert len(warned) == 1
        assert "has lines below its rows that are not of this run" in warned[0]

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a pipe")
    def test_a_pipe_gets_the_rows_to_come(self, warned):
        """What has been read cannot be taken back."""
        first = Run(lambda: CSVLogger("log.csv")).epochs(PLAIN, 0, 2)
        os.mkfifo("pipe")
        reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)

        run = Run(lambda: CSVLogger("pipe")).resume(first.states[1])
        run.epochs(PLAIN, 1, 2).end()

        received = os.read(reader, 1000)
        os.close(reader)
        assert received == written().splitlines(keepends=True)[-1]
        assert warned == []

    def test_remote_files_are_cut_back_too(self, tensorflow):
        """Through TensorFlow's file systems."""
        path = "ram://kerascb-resumed/log.csv"
        tensorflow.io.gfile.makedirs("ram://kerascb-resumed")
        Run(lambda: CSVLogger("log.csv")).epochs(LATE, 0, 5).end()
        killed = Run(lambda: CSVLogger(path)).epochs(LATE, 0, 4)

        run = Run(lambda: CSVLogger(path)).resume(killed.states[2])
        run.epochs(LATE, 2, 5).end()

        with tensorflow.io.gfile.GFile(path, "rb") as file:
            assert file.read() == written()

    def test_state_of_a_callback_that_has_done_nothing(self):
        """There is none, and it changes nothing."""
        logger = CSVLogger("log.csv")
        state = logger.get_state()
        logger.set_state(state)

        assert state == {}
        assert written() is None

    def test_an_exception_in_the_fit_before(self):
        """The same instance can be resumed in the same process."""
        logger = CSVLogger("log.csv")
        states = []
        fail = LambdaCallback(
            on_epoch_end=lambda epoch, logs: (
                1 / (1 - epoch) and states.append(logger.get_state())
            )
        )
        with pytest.raises(ZeroDivisionError):
            drive([logger, fail], epochs=PLAIN)

        run = Run(lambda: logger).resume(states[0])
        run.epochs(PLAIN, 1, 2).end()

        assert written().count(b"\n1,") == 1


@pytest.fixture
def make_board():
    """Makes a TensorBoard that writes all that needs no real model."""

    def make(**named):
        given = {
            "update_freq": 2,
            "write_learning_rate": "batch",
            "notes": "what it is about",
        }
        return TensorBoard("logs", **{**given, **named})

    return make


@pytest.fixture
def _no_writer_left():
    """Takes back TensorFlow's default writers, as the end of a process does."""
    yield
    while Run.begun:
        Run.begun.pop().callback._close_summaries()


class BoardRun(Run):
    """A fit of three batches an epoch, with a backup after every batch."""

    def __init__(self, make, model=None):
        model = model or FakeModel()
        model.optimizer.iterations = 0
        super().__init__(make, model)
        self.callback.set_params({"epochs": 4, "steps": 3, "verbose": 0})
        self.model = model

    def resume(self, state):
        """Gives back the state, of the model's double too."""
        steps, state = state
        super().resume(state)
        self.model.optimizer.iterations = steps
        return self

    def back_up(self, epoch, batch):
        """Keeps what a backup would at this position."""
        self.states[epoch, batch] = (
            self.model.optimizer.iterations,
            copy.deepcopy(self.callback.get_state()),
        )

    def batches(self, first, last=(4, 0)):
        """Goes from one position to another."""
        board = self.callback
        for epoch in range(first[0], 4):
            if (epoch, 0) >= last:
                return self
            board.on_epoch_begin(epoch)
            for batch in range(first[1] if epoch == first[0] else 0, 3):
                if (epoch, batch) >= last:
                    return self
                board.on_train_batch_begin(batch)
                self.model.optimizer.iterations += 1
                board.on_train_batch_end(batch, {"loss": epoch + batch / 4})
                self.back_up(epoch, batch + 1)
            board.on_test_begin()
            board.on_test_batch_begin(0)
            board.on_test_end({"loss": epoch / 2})
            board.on_epoch_end(epoch, {"loss": epoch, "val_loss": epoch / 2})
            self.back_up(epoch + 1, 0)
        return self


CUTS = [*itertools.product(range(4), range(1, 4)), (1, 0), (2, 0), (4, 0)]


def shown(log_dir="logs"):
    """What TensorBoard loads: run, tag and plugin → the step of each point.

    Through the multiplexer, which looks for runs itself, and through one
    accumulator a directory; they must agree.
    """
    plugins = ("scalars", "text", "graph_keras_model")
    multiplexer = event_multiplexer.EventMultiplexer(
        tensor_size_guidance=dict.fromkeys(plugins, 0)
    )
    multiplexer.AddRunsFromDirectory(log_dir)
    multiplexer.Reload()
    found, alone = {}, {}
    for run, tags in multiplexer.Runs().items():
        for tag in tags["tensors"]:
            found[run, tag] = [
                (one.step, one.tensor_proto.SerializeToString())
                for one in multiplexer.Tensors(run, tag)
            ]
        reading = read(Path(log_dir, run))
        for tag in reading.accumulator.Tags()["tensors"]:
            alone[run, tag] = [
                (one.step, one.tensor_proto.SerializeToString())
                for one in reading.accumulator.Tensors(tag)
            ]
    assert found == alone
    return found


@pytest.mark.usefixtures("warned", "_no_writer_left")
class TestTensorBoard:
    @pytest.fixture
    def uninterrupted(self, make_board):
        """What is shown of a run that nobody killed."""
        BoardRun(make_board).batches((0, 0)).end()
        expected = shown()
        shutil.rmtree("logs")
        return expected

    @pytest.mark.parametrize("backup", CUTS)
    def test_shows_what_it_shows_of_an_uninterrupted_run(
        self, make_board, uninterrupted, backup
    ):
        """Each point once, at its step, whenever it was killed."""
        for killed in [*CUTS, (4, 1)]:
            if killed < backup:
                continue
            run = BoardRun(make_board).batches((0, 0), killed)
            run.callback._flush()
            resumed = BoardRun(make_board).resume(run.states[backup])
            resumed.batches(backup).end()

            assert shown() == uninterrupted
            shutil.rmtree("logs")

    @pytest.mark.parametrize("seed", range(5))
    def test_after_many_kills(self, make_board, uninterrupted, seed):
        """Also those that hit a resumed run before its first backup."""
        dice = np.random.default_rng(seed)
        run = BoardRun(make_board).batches((0, 0), (1, 1))
        at, state = (1, 0), run.states[1, 0]
        for _ in range(12):
            run = BoardRun(make_board)  # Killed in the restore, maybe.
            if dice.random() < 0.8:
                last = tuple(int(one) for one in dice.integers(0, 4, 2))
                run.resume(state).batches(at, last)
                run.callback._flush()
            if run.states and dice.random() < 0.5:
                at = max(run.states)
                state = run.states[at]
        BoardRun(make_board).resume(state).batches(at).end()

        assert shown() == uninterrupted

    def test_only_files_of_this_training_are_cut(self, make_board):
        """Others may write into the same directory."""
        drive([TensorBoard("logs")], epochs=[{"loss": 7.0}])
        run = BoardRun(make_board).batches((0, 0), (2, 0))
        EventFile("logs/train").close()
        drive([TensorBoard("logs")], epochs=[{"loss": 8.0}])
        resumed = BoardRun(make_board).resume(run.states[1, 0])
        resumed.batches((1, 0)).end()

        values = [value for _, value in read("logs/train").series("epoch_loss")]
        assert sorted(map(float, values)) == [0, 1, 2, 3, 7, 8]

    def test_in_another_directory_all_is_written_again(self, make_board):
        """`log_dir` often has the time of the start in its name."""
        run = BoardRun(make_board).batches((0, 0), (2, 0))
        before = sorted(Path("logs").rglob("*"))
        resumed = BoardRun(lambda: _moved(make_board()))
        resumed.resume(run.states[1, 0]).batches((1, 0)).end()

        assert sorted(Path("logs").rglob("*")) == before
        assert [step for step, _ in shown("other")["train", "notes"]] == [0]
        assert [step for step, _ in shown("other")["train", "epoch_loss"]] == [
            1,
            2,
            3,
        ]

    def test_files_that_have_shrunk_are_warned_of(self, make_board, warned):
        """Training goes on, and its curves have a gap."""
        run = BoardRun(make_board).batches((0, 0), (2, 0))
        run.callback._flush()
        [path] = Path("logs/train").glob("*.k*")
        os.truncate(path, 200)
        resumed = BoardRun(make_board).resume(run.states[1, 0])
        resumed.batches((1, 0)).end()

        told = [text for text in warned if "lost events" in text]
        assert len(told) == 1
        assert path.name in told[0]

    def test_new_names_sort_last_whatever_the_clock(
        self, make_board, monkeypatch
    ):
        """A viewer reads the files by their names, another host wrote some."""
        run = BoardRun(make_board).batches((0, 0), (1, 0))
        old = set(Path("logs/train").iterdir())
        now_s = time.time()
        monkeypatch.setattr(time, "time", lambda: now_s - 5000)
        resumed = BoardRun(make_board).resume(run.states[1, 0])
        resumed.batches((1, 0)).end()

        new = {
            path for path in Path("logs/train").glob("*.k*") if path not in old
        }
        assert min(new) > max(path for path in old if ".k" in path.name)

    def test_graphs_are_not_repeated(self, make_board, make_model):
        """The graph of layers of the killed process is the one there is."""
        run = Run(make_board, make_model()).epochs([{"loss": 1.0}], 0, 1)
        files = set(Path("logs/train").iterdir())
        resumed = Run(make_board, make_model())
        resumed.resume(run.states[1])
        gc.collect()

        assert set(Path("logs/train").iterdir()) == files
        assert len(read("logs/train").series("keras")) == 1

    def test_a_fresh_fit_of_a_used_instance_cuts_nothing(self):
        """Only a state makes a fit a resumed one."""
        board = TensorBoard("logs")
        drive([board], epochs=[{"loss": 1.0}])
        drive([board], epochs=[{"loss": 2.0}])

        assert len(read("logs/train").series("epoch_loss")) == 2

    def test_an_exception_in_the_fit_before(self, make_board, uninterrupted):
        """The same instance can be resumed in the same process."""
        run = BoardRun(make_board).batches((0, 0), (3, 1))
        resumed = BoardRun(lambda: run.callback).resume(run.states[2, 2])
        resumed.batches((2, 2)).end()

        assert shown() == uninterrupted

    def test_what_was_profiled_is_not_profiled_again(self, runtime):
        """Batches are counted from the start of the run."""
        board = TensorBoard("logs")
        board.on_train_begin()
        board._profile._is_over = True
        other = TensorBoard("logs")
        other.on_train_begin()
        other.set_state(board.get_state())

        assert other._profile.is_over

    def test_speed_of_an_epoch_counts_its_first_part(self, make_board):
        """The time between the kill and the resume does not count."""
        run = BoardRun(lambda: make_board(write_steps_per_second=True))
        run.batches((0, 0), (0, 2))
        before, state = run.states[0, 2]
        state["epoch_begin"][1] = 1000.0
        resumed = BoardRun(lambda: make_board(write_steps_per_second=True))
        resumed.resume((before, state)).batches((0, 2)).end()

        speed = read("logs/train").curve("epoch_steps_per_second")
        assert speed[0] == pytest.approx(3 / 1000, rel=0.1)
        assert speed[1] > 1

    def test_state_can_be_asked_for_at_any_time(self):
        """A callback that has not been used has one that says nothing."""
        board = TensorBoard("logs")
        other = TensorBoard("logs")
        other.set_state(board.get_state())
        other.set_state({})
        drive([other], epochs=[{"loss": 1.0}])

        assert read("logs/train").curve("epoch_loss") == {0: 1.0}

    def test_remote_files_are_cut_back_too(self, tensorflow):
        """Without any call that only this disk has."""
        root = "ram://kerascb-board"

        def make():
            board = TensorBoard("logs", notes="note")
            board.log_dir = root
            return board

        run = BoardRun(make).batches((0, 0), (3, 0))
        BoardRun(make).resume(run.states[2, 0]).batches((2, 0)).end()

        found = read(f"{root}/train")
        assert len(found.series("epoch_loss")) == 4
        assert len(found.series("notes")) == 1

    @pytest.mark.fit
    def test_what_the_model_writes_itself_is_cut_too(self, keras, tensorflow):
        """In the files that TensorFlow writes."""
        x = np.zeros((6, 1))

        def fit(states, state=None, initial_epoch=0, epochs=3):
            class Writer(keras.layers.Layer):
                def call(self, x):
                    tensorflow.summary.scalar("mine", tensorflow.reduce_sum(x))
                    return x

            model = keras.Sequential(
                [
                    keras.layers.Input((1,)),
                    Writer(name="writer"),
                    keras.layers.Dense(1),
                ],
                name="model",
            )
            model.compile("sgd", "mse", jit_compile=False)
            board = TensorBoard("logs", update_freq=1)
            backup = LambdaCallback(
                on_train_begin=lambda logs: state and board.set_state(state),
                on_epoch_end=lambda epoch, logs: states.append(
                    board.get_state()
                ),
            )
            model.fit(
                *(x, x),
                batch_size=2,
                verbose=0,
                initial_epoch=initial_epoch,
                epochs=epochs,
                callbacks=[board, backup],
            )

        states = []
        fit(states, epochs=2)
        fit([], states[0], initial_epoch=1)

        reading = read("logs/train")
        [tag] = [t for t in reading.tags("scalars") if t.endswith("mine")]
        assert [step for step, _ in reading.series(tag)] == [*range(1, 10)]


def _moved(board):
    board.log_dir = "other"
    return board


class TestProgbarLogger:
    """It needs the length of an epoch; the rest comes with the batches."""

    @pytest.mark.parametrize("verbose", [1, 2])
    def test_length_of_an_epoch_is_known_after_a_resume(self, verbose, capsys):
        """The second epoch's bar has an end, as without the kill."""
        printed = []
        for kill in (False, True):
            logger = _logger(verbose)
            _bar(logger, 0)
            if kill:
                state = logger.get_state()
                logger = _logger(verbose)
                logger.set_state(state)
            capsys.readouterr()
            _bar(logger, 1)
            printed.append(untimed(capsys.readouterr().out))

        assert printed[0] == printed[1]
        assert "3/3" in printed[0]

    def test_length_is_that_of_the_whole_epoch_resumed_in_its_midst(self):
        """Where the model counts the steps, from where the epoch began."""
        logger = _logger(2)
        logger._model._train_counter = 10
        logger.on_epoch_begin(0)
        logger._model._train_counter = 12
        state = logger.get_state()

        resumed = _logger(2)
        resumed.set_state(state)
        resumed._model._train_counter = 12
        _bar(resumed, 0, first=2)

        assert resumed.target == 3

    def test_a_fresh_fit_of_a_used_instance_knows_no_length(self):
        """Its data may be others."""
        logger = _logger(2)
        _bar(logger, 0)
        logger.set_params({"epochs": 2, "steps": None, "verbose": 2})

        assert logger.target is None

    def test_what_fit_says_of_the_length_holds(self):
        """Not what the interrupted fit had found out."""
        logger = ProgbarLogger()
        logger.set_params({"epochs": 2, "steps": 5, "verbose": 2})
        logger.on_train_begin()
        logger.set_state({"target": 3, "counter": None})

        assert logger.target == 5


def _logger(verbose):
    logger = ProgbarLogger()
    logger.set_model(FakeModel())
    logger.set_params({"epochs": 2, "steps": None, "verbose": verbose})
    logger.on_train_begin()
    return logger


def _bar(logger, epoch, first=0):
    model = logger._model
    logger.on_epoch_begin(epoch)
    for batch in range(first, 3):
        if hasattr(model, "_train_counter"):
            model._train_counter += 1
        logger.on_train_batch_end(batch, {"loss": 0.5})
    logger.on_epoch_end(epoch, {"loss": 0.5})
