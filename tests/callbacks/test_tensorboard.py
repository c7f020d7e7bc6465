"""Events of a training, as TensorBoard reads them."""

import copy
import gc
import inspect
import io
import json
import os
import pickle
import threading
import time
import weakref
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from kerascb import (
    CallbackList,
    LambdaCallback,
    LearningRateScheduler,
    TensorBoard,
)
from kerascb.callbacks.callback import is_default
from kerascb.errors import (
    InvalidArgument,
    MissingDependency,
    UnknownArgument,
    UnwritablePath,
)
from kerascb.events import storage, summaries
from kerascb.events.event_file import EventFile
from kerascb.runtime import LazyLogs
from kerascb.testing import FakeModel, drive
from tests.events.reading import read, runs
from tests.parity import compare

LOSS = {"loss": 0.5}
BOTH = {"loss": 0.5, "val_loss": 0.75}
METADATA = {"words": "words.tsv", "nested": "nested.tsv"}
BATCH_HOOKS = (
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_batch_begin",
    "on_test_batch_end",
)


@pytest.fixture
def counting_model():
    """A double whose optimizer has made 100 steps."""
    model = FakeModel()
    model.optimizer.iterations = 100
    return model


@pytest.fixture
def embedding_model(keras):
    """Three embeddings: one at the input, one beside it, one nested."""
    keras.utils.set_random_seed(1)
    first, second = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    inner_input = keras.Input((3,))
    inner = keras.Model(
        inner_input,
        keras.layers.Embedding(7, 2, name="nested")(inner_input),
        name="inner",
    )
    joined = keras.layers.Concatenate()(
        [
            keras.layers.Embedding(5, 2, name="words")(first),
            keras.layers.Embedding(6, 2, name="places")(second),
            inner(first),
        ]
    )
    output = keras.layers.Dense(1)(keras.layers.Flatten()(joined))
    model = keras.Model([first, second], output)
    model.compile("sgd", "mse")
    return model


@pytest.fixture
def embedding_data():
    """Something to look up in every embedding."""
    numbers = np.arange(12).reshape(4, 3) % 5
    return [numbers, numbers], np.ones((4, 1), "float32")


class TestArguments:
    def test_signature_is_that_of_both_keras(self, stock):
        """What code passes by position or by name lands where it did."""
        theirs = inspect.signature(stock("TensorBoard").__init__).parameters
        ours = inspect.signature(TensorBoard.__init__).parameters

        positional = [
            (one.name, one.default)
            for one in theirs.values()
            if one.kind is one.POSITIONAL_OR_KEYWORD
        ]
        assert positional == [
            (one.name, one.default)
            for one in ours.values()
            if one.kind is one.POSITIONAL_OR_KEYWORD
        ]

    @pytest.mark.parametrize(
        ("given", "named", "expected"),
        [
            (("batch",), {}, (1, (0, 0), 0, None)),
            ((500,), {}, (500, (0, 0), 0, None)),
            ((500, 0), {}, (500, (0, 0), 0, None)),
            (("batch", (2, 4)), {}, (1, (2, 4), 0, None)),
            (("batch", 2, 3), {}, (1, (2, 2), 3, None)),
            (("batch", 2, 3, "m.tsv"), {}, (1, (2, 2), 3, "m.tsv")),
            (("batch",), {"profile_batch": 3}, (1, (3, 3), 0, None)),
            (("batch", 2), {"embeddings_freq": 4}, (1, (2, 2), 4, None)),
        ],
    )
    def test_the_order_of_2020_is_understood(
        self, given, named, expected, warned, tensorflow
    ):
        """update_freq stood fifth in TF 2.3; one warning says what is done."""
        board = TensorBoard("logs", 1, False, True, *given, **named)

        assert board.write_steps_per_second is False
        assert expected == (
            board.update_freq,
            board.profile_batch,
            board.embeddings_freq,
            board.embeddings_metadata,
        )
        assert len(warned) == 1
        assert "Give them by name" in warned[0]

    @pytest.mark.parametrize("fifth", [True, False, 0, None])
    def test_a_truth_value_stays_where_it_is(self, fifth, warned):
        """Today's fifth argument is write_steps_per_second."""
        board = TensorBoard("logs", 0, True, False, fifth, 10)

        assert board.write_steps_per_second is fifth
        assert board.update_freq == 10
        assert warned == []

    @pytest.mark.parametrize(
        "name",
        [
            "write_grads",
            "batch_size",
            "embeddings_layer_names",
            "embeddings_data",
        ],
    )
    def test_arguments_of_tensorflow_1_are_warned_of(self, name, warned):
        """They are accepted, and have no effect."""
        TensorBoard("logs", **{name: ["something"]})

        assert len(warned) == 1
        assert f"`{name}`" in warned[0]

    def test_a_legacy_argument_at_its_default_is_no_matter(self, warned):
        """Nothing was asked for, so nothing is said."""
        TensorBoard("logs", write_grads=False)

        assert warned == []

    @pytest.mark.parametrize("kind", [TypeError, ValueError, UnknownArgument])
    def test_an_unknown_argument_is_refused(self, kind):
        """As a TypeError, and as the ValueError that Keras 2 raises."""
        with pytest.raises(kind, match=r"Unrecognized arguments.*wwrite"):
            TensorBoard("logs", wwrite_images=True)

    @pytest.mark.parametrize(
        ("named", "text"),
        [
            ({"update_freq": 0}, r"update_freq=0\. Expected 'epoch'"),
            ({"update_freq": -5}, "update_freq=-5"),
            ({"update_freq": True}, "update_freq=True"),
            ({"update_freq": 1.5}, "update_freq=1.5"),
            ({"update_freq": None}, "update_freq=None"),
            ({"update_freq": "epochs"}, "Did you mean 'epoch'"),
            ({"histogram_freq": -1}, "histogram_freq=-1"),
            ({"histogram_freq": "epoch"}, "histogram_freq='epoch'"),
            ({"histogram_freq": True}, "histogram_freq=True"),
            ({"histogram_freq": 0.5}, "histogram_freq=0.5"),
            ({"embeddings_freq": -1}, "embeddings_freq=-1"),
            ({"embeddings_freq": True}, "embeddings_freq=True"),
            ({"embeddings_metadata": 3}, "embeddings_metadata=3"),
            ({"notes": 3}, "notes=3"),
            ({"write_learning_rate": "bach"}, "Did you mean 'batch'"),
            ({"write_learning_rate": True}, "write_learning_rate=True"),
        ],
    )
    def test_nonsense_is_refused_at_once(self, named, text):
        """The error names the value and what would do."""
        with pytest.raises(InvalidArgument, match=text):
            TensorBoard("logs", **named)

    @pytest.mark.parametrize(
        "bad",
        [-1, (3, 2), (1, 2, 3), (1,), "1,", "-1,3", "1,None", "6,5", 1.5, None],
    )
    def test_a_bad_range_of_batches_is_refused(self, bad):
        """The text is Keras's."""
        with pytest.raises(
            InvalidArgument,
            match="profile_batch must be a non-negative integer or 2-tuple",
        ):
            TensorBoard("logs", profile_batch=bad)

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (0, (0, 0)),
            (False, (0, 0)),
            (5, (5, 5)),
            ("5", (5, 5)),
            ("5,7", (5, 7)),
            ((5, 7), (5, 7)),
            ([5, 7], (5, 7)),
            (np.int64(5), (5, 5)),
        ],
    )
    def test_every_form_of_a_range_is_read(self, given, expected, tensorflow):
        """Integers, pairs, and both as strings."""
        board = TensorBoard("logs", profile_batch=given)

        assert board.profile_batch == expected

    def test_profiling_where_there_is_no_profiler_is_refused(
        self, runtime, monkeypatch
    ):
        """Torch has none that Keras knows."""
        monkeypatch.setattr(runtime, "backend", "torch")

        with pytest.raises(
            InvalidArgument,
            match=r"not yet available with the torch backend.*must be 0",
        ):
            TensorBoard("logs", profile_batch=2)

    @pytest.mark.parametrize(
        ("version", "expected"), [((3, 11), (0, 0)), ((3, 12), (2, 2))]
    )
    def test_old_pythons_do_not_profile_jax(
        self, runtime, monkeypatch, warned, version, expected
    ):
        """It would crash the process, so it is turned off with a warning."""
        monkeypatch.setattr(runtime, "backend", "jax")
        monkeypatch.setattr("sys.version_info", version)

        assert TensorBoard("logs", profile_batch=2).profile_batch == expected
        assert ["requires python >= 3.12" in text for text in warned] == (
            [True] if expected == (0, 0) else []
        )

    def test_a_file_in_the_way_of_log_dir_is_told_at_once(self):
        """Not after the first epoch."""
        Path("file").write_text("")

        with pytest.raises(UnwritablePath, match="log_dir"):
            TensorBoard("file/logs")

    def test_a_missing_package_is_told_at_once(self, monkeypatch):
        """With the command that brings it."""
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

        with pytest.raises(MissingDependency, match=r"kerascb\[tensorboard\]"):
            TensorBoard("logs")

    def test_a_path_may_be_an_object(self):
        """`log_dir` is kept as a string."""
        assert TensorBoard(Path("logs") / "a").log_dir == str(
            Path("logs") / "a"
        )

    def test_nothing_is_written_before_there_is_a_model(self):
        """Making the callback makes no directory."""
        TensorBoard("logs")

        assert not Path("logs").exists()


class TestCurves:
    def test_training_and_validation_are_two_runs(self):
        """The same tag stands in both, so that TensorBoard overlays them."""
        drive([TensorBoard("logs")], epochs=[BOTH, BOTH])

        assert read("logs/train").curve("epoch_loss") == {0: 0.5, 1: 0.5}
        assert read("logs/validation").curve("epoch_loss") == {0: 0.75, 1: 0.75}

    def test_a_run_without_validation_has_no_validation_directory(self):
        """An empty run would show up in TensorBoard."""
        drive([TensorBoard("logs")], epochs=[LOSS])

        assert runs("logs") == {"train"}

    def test_epoch_numbers_are_those_of_the_fit(self):
        """A fit that begins at epoch 3 continues the curve."""
        drive([TensorBoard("logs")], epochs=[LOSS], initial_epoch=3)

        assert read("logs/train").curve("epoch_loss") == {3: 0.5}

    def test_what_is_no_number_is_left_out(self):
        """A confusion matrix in the logs does not end the fit."""
        logs = {"loss": 0.5, "matrix": np.eye(2), "note": "text"}
        drive([TensorBoard("logs")], epochs=[logs])

        assert set(read("logs/train").curves()) == {"epoch_loss"}

    def test_epochs_can_be_read_while_training_goes_on(self):
        """Nothing waits for the end of the fit."""
        board = TensorBoard("logs")
        board.set_model(FakeModel())
        board.on_train_begin()
        board.on_epoch_end(0, LOSS)

        assert read("logs/train").curve("epoch_loss") == {0: 0.5}
        board.on_train_end()

    @pytest.mark.parametrize("logs", [None, {}])
    def test_hooks_without_logs_write_nothing(self, logs):
        """Hooks driven by hand need not have any."""
        board = TensorBoard("logs", update_freq=1)
        board.on_train_begin(logs)
        board.on_epoch_begin(0, logs)
        board.on_train_batch_begin(0, logs)
        board.on_train_batch_end(0, logs)
        board.on_test_begin(logs)
        board.on_test_batch_begin(0, logs)
        board.on_test_end(logs)
        board.on_epoch_end(0, logs)
        board.on_train_end(logs)

        assert not Path("logs").exists() or not read("logs/train").curves()

    def test_results_of_evaluate_stand_against_the_optimizers_steps(
        self, counting_model
    ):
        """They are readable at once, without a fit around them."""
        board = TensorBoard("logs")
        board.set_model(counting_model)
        board.on_test_begin()
        board.on_test_end(LOSS)

        assert read("logs/validation").curve(
            "evaluation_loss_vs_iterations"
        ) == {100: 0.5}

    def test_notes_are_shown_among_the_texts(self):
        """What the run was about stands beside its curves."""
        drive([TensorBoard("logs", notes="**warm-up** 5")], epochs=[LOSS])

        [(step, text)] = read("logs/train").series("notes")
        assert (step, text.item()) == (0, b"**warm-up** 5")


class TestBatchCurves:
    @pytest.mark.parametrize(
        ("update_freq", "expected"),
        [("batch", {1, 2, 3, 4, 5, 6}), (2, {2, 4, 6}), (4, {4}), (9, set())],
    )
    def test_points_stand_at_the_multiples(self, update_freq, expected):
        """Over the borders of epochs."""
        drive(
            [TensorBoard("logs", update_freq=update_freq)],
            epochs=[LOSS, LOSS],
            steps=3,
        )

        points = read("logs/train").curves().get("batch_loss", {})
        assert set(points) == expected

    def test_steps_continue_those_of_the_optimizer(self, counting_model):
        """Curves of a second or a resumed fit do not lie over the first's."""
        drive(
            [TensorBoard("logs", update_freq=1)],
            epochs=[LOSS],
            steps=2,
            model=counting_model,
        )

        assert set(read("logs/train").curve("batch_loss")) == {101, 102}

    def test_a_callback_that_restores_later_in_the_list_is_waited_for(self):
        """BackupAndRestore may set the optimizer's steps after us."""
        model = FakeModel()
        model.optimizer.iterations = 0
        board = TensorBoard("logs", update_freq=1)
        board.set_model(model)
        board.on_train_begin()
        model.optimizer.iterations = 40
        board.on_epoch_begin(0)
        board.on_train_batch_begin(0)
        board.on_train_batch_end(0, LOSS)
        board.on_train_end()

        assert set(read("logs/train").curve("batch_loss")) == {41}

    def test_logs_are_read_only_when_a_point_is_due(self, runtime):
        """A read makes the device wait; 2 in 6 batches do."""
        reads = []

        class Lazy:
            def __array__(self, dtype=None, copy=None):
                reads.append(1)
                return np.asarray(0.5, dtype)

        board = TensorBoard("logs", update_freq=3)
        board.set_model(FakeModel())
        board.on_train_begin()
        for batch in range(6):
            board.on_train_batch_begin(batch)
            board.on_train_batch_end(batch, {"loss": Lazy()})
        board.on_train_end()

        assert len(reads) == 2
        assert read("logs/train").curve("batch_loss") == {3: 0.5, 6: 0.5}

    @pytest.mark.parametrize(
        "named",
        [
            {},
            {"write_steps_per_second": True},
            {"histogram_freq": 1, "embeddings_freq": 1},
        ],
    )
    def test_nothing_is_asked_at_batches_by_default(self, named):
        """Keras keeps its fast path, and asynchronous dispatch."""
        board = TensorBoard("logs", **named)

        assert all(is_default(getattr(board, hook)) for hook in BATCH_HOOKS)
        assert not board._implements_train_batch_hooks()

    def test_batch_hooks_are_there_when_asked_for(self):
        """Keras 2 asks before every fit."""
        board = TensorBoard("logs", update_freq=10)

        assert board._implements_train_batch_hooks()

    def test_steps_per_second_of_epochs_and_batches(self, counting_model):
        """Both curves are there, and tell a speed."""
        board = TensorBoard("logs", update_freq=1, write_steps_per_second=True)
        drive([board], epochs=[LOSS], steps=2, model=counting_model)

        curves = read("logs/train").curves()
        assert set(curves) >= {
            "epoch_steps_per_second",
            "batch_steps_per_second",
        }
        assert min(curves["batch_steps_per_second"].values()) > 0

    @pytest.mark.fit
    @pytest.mark.parametrize("verbose", [0, 2])
    def test_batch_curves_are_written_at_every_verbosity(
        self, make_model, data, verbose
    ):
        """Keras 2 wrote them only beside a progress bar."""
        make_model().fit(
            *data,
            batch_size=8,
            verbose=verbose,
            callbacks=[TensorBoard("logs", update_freq=1)],
        )

        assert set(read("logs/train").curve("batch_loss")) == {1, 2, 3}

    @pytest.mark.fit
    def test_a_second_fit_carries_the_curve_on(self, make_model, data):
        """The steps do not restart with each fit."""
        model, board = make_model(), TensorBoard("logs", update_freq=1)
        for _ in range(2):
            model.fit(*data, batch_size=8, verbose=0, callbacks=[board])

        assert list(read("logs/train").curve("batch_loss")) == [*range(1, 7)]

    @pytest.mark.fit
    def test_several_batches_an_execution_are_all_counted(
        self, make_model, data, runtime
    ):
        """An execution beyond the end of the epoch is not believed."""
        if runtime.backend == "torch":
            pytest.skip("torch runs one batch an execution")
        model = make_model(steps_per_execution=2)
        model.fit(
            *data,
            batch_size=8,
            epochs=2,
            verbose=0,
            callbacks=[TensorBoard("logs", update_freq=1)],
        )

        assert list(read("logs/train").curve("batch_loss")) == [2, 3, 5, 6]


class TestBackground:
    """What the thread that trains does itself, and what it leaves."""

    def test_a_point_leaves_logs_unread(self, runtime):
        """With our list, what is on the device is not waited for."""

        class OnDevice:
            def __array__(self, dtype=None, copy=None):
                assert threading.current_thread() is not threading.main_thread()
                return np.asarray(0.5, dtype)

        logs = LazyLogs({"loss": OnDevice()}, lambda values: 1 / 0)
        board = TensorBoard("logs", update_freq=1)
        board.set_model(FakeModel())
        board.on_train_begin()
        board.on_train_batch_begin(0)
        board.on_train_batch_end(0, logs)
        board._journal._desk.hand_over()
        board.on_train_end()

        assert read("logs/train").curve("batch_loss") == {1: 0.5}

    @pytest.mark.fit
    def test_curves_within_our_list_are_those_of_a_plain_fit(
        self, make_model, data
    ):
        """Values read later are the ones of their batch."""
        for folder, wrap in (("plain", list), ("listed", CallbackList)):
            make_model().fit(
                *data,
                batch_size=4,
                verbose=0,
                shuffle=False,
                callbacks=wrap([TensorBoard(folder, update_freq=1)]),
            )

        plain, listed = (
            read(f"{folder}/train").curve("batch_loss")
            for folder in ("plain", "listed")
        )
        assert listed == plain
        assert len(plain) == 6

    def test_nothing_but_counting_is_done_between_two_points(self, monkeypatch):
        """No clock is read, and no log looked at."""

        class Untouched(dict):
            def __iter__(self):
                raise AssertionError

            keys = items = values = __getitem__ = __len__ = __iter__

        board = TensorBoard("logs", update_freq=1000)
        board.set_model(FakeModel())
        board.on_train_begin()
        board.on_epoch_begin(0)
        monkeypatch.setattr(time, "time", lambda: 1 / 0)
        monkeypatch.setattr(time, "perf_counter", lambda: 1 / 0)
        for batch in range(999):
            board.on_train_batch_begin(batch)
            board.on_train_batch_end(batch, Untouched())
        monkeypatch.undo()
        board.on_train_end()

        assert not Path("logs").exists()

    def test_histograms_do_not_hold_up_an_epoch(self, make_model, monkeypatch):
        """They are counted while training goes on; its end waits for them."""
        may_count = threading.Event()
        count = summaries.histogram

        def count_later(tag, values):
            assert may_count.wait(20)
            return count(tag, values)

        monkeypatch.setattr(summaries, "histogram", count_later)
        board = TensorBoard("logs", histogram_freq=1)
        board.set_model(make_model())
        board.on_train_begin()
        board.on_epoch_end(0, LOSS)
        at_epoch_end = read("logs/train")
        may_count.set()
        board.on_train_end()

        assert at_epoch_end.curve("epoch_loss") == {0: 0.5}
        assert not at_epoch_end.tags("histograms")
        assert len(read("logs/train").tags("histograms")) == 4

    def test_a_histogram_is_of_the_weights_of_its_epoch(
        self, make_model, monkeypatch
    ):
        """Whatever has been trained until it is counted."""
        may_count, count = threading.Event(), summaries.histogram

        def count_later(tag, values):
            assert may_count.wait(20)
            return count(tag, values)

        monkeypatch.setattr(summaries, "histogram", count_later)
        model = make_model()
        expected = sorted(float(weight.max()) for weight in model.get_weights())
        board = TensorBoard("logs", histogram_freq=1)
        board.set_model(model)
        board.on_train_begin()
        board.on_epoch_end(0, LOSS)
        model.set_weights([weight + 7 for weight in model.get_weights()])
        may_count.set()
        board.on_train_end()

        found = read("logs/train")
        highest = [
            float(found.series(tag)[0][1][-1, 1])
            for tag in found.tags("histograms")
        ]
        assert sorted(highest) == pytest.approx(expected)

    def test_a_state_knows_of_histograms_that_are_under_way(self, make_model):
        """A backup's files are as long as it says."""
        board = TensorBoard("logs", histogram_freq=1)
        board.set_model(make_model())
        board.on_train_begin()
        board.on_epoch_end(0, LOSS)
        [files] = board.get_state()["files"].values()
        sizes = {
            path.name: path.stat().st_size
            for path in Path("logs/train").iterdir()
        }
        board.on_train_end()

        assert files == sizes
        assert {
            path.name: path.stat().st_size
            for path in Path("logs/train").iterdir()
        } == sizes

    @pytest.mark.parametrize(
        "hook",
        [
            lambda board: board.on_train_batch_end(1, LOSS),
            lambda board: board.on_test_end(LOSS),
            lambda board: board.on_epoch_end(0, LOSS),
            lambda board: board.on_train_end(),
        ],
        ids=["batch", "test", "epoch", "end"],
    )
    def test_a_full_disk_is_told_by_the_next_hook(self, hook, monkeypatch):
        """At the latest by the last one."""

        def fail(self, points):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(EventFile, "points", fail)
        board = TensorBoard("logs", update_freq=1)
        board.set_model(FakeModel())
        board.on_train_begin()
        board.on_epoch_begin(0)
        board.on_train_batch_begin(0)
        board.on_train_batch_end(0, LOSS)
        board._journal._desk.hand_over()
        board._journal._desk.join()

        with pytest.raises(OSError, match="No space left"):
            hook(board)
        monkeypatch.undo()
        board.on_train_end()

    def test_what_a_failed_fit_could_not_write_does_not_end_the_next(
        self, monkeypatch, caplog
    ):
        """It is a thing of the past, and logged."""

        def fail(self, points):
            raise OSError(28, "No space left on device")

        board = TensorBoard("logs", update_freq=1)
        board.set_model(FakeModel())
        board.on_train_begin()
        board.on_epoch_begin(0)
        board.on_train_batch_begin(0)
        with monkeypatch.context() as patch:
            patch.setattr(EventFile, "points", fail)
            board.on_train_batch_end(0, LOSS)
            board._journal._desk.hand_over()
            board._journal._desk.join()
        drive([board], epochs=[LOSS])

        assert read("logs/train").curve("epoch_loss") == {0: 0.5}
        assert "could not be written" in caplog.text

    def test_a_remote_directory_holds_up_no_epoch(self, monkeypatch):
        """Only the end of training waits for uploads."""
        may_upload, opened = threading.Event(), []

        class Remote(io.BytesIO):
            def flush(self):
                assert may_upload.wait(20)

            def close(self):
                if not self.closed:
                    opened.append(self.getvalue())
                super().close()

        monkeypatch.setattr(
            storage, "open_to_write", lambda path, mode: Remote()
        )
        board = TensorBoard("logs")
        board.log_dir = "gs://bucket/logs"
        board.set_model(FakeModel())
        board.on_train_begin()
        for epoch in range(3):
            board.on_epoch_begin(epoch)
            board.on_epoch_end(epoch, LOSS)
        before = list(opened)
        may_upload.set()
        board.on_train_end()

        assert before == []
        [content] = opened
        assert content.count(b"epoch_loss") == 3


class TestLearningRate:
    def test_it_can_be_asked_for_on_every_keras(self):
        """Keras 2 logs it only with a schedule."""
        drive([TensorBoard("logs", write_learning_rate="epoch")], epochs=[LOSS])

        assert read("logs/train").curve("epoch_learning_rate") == {
            0: pytest.approx(0.1)
        }

    @pytest.mark.parametrize("asked", ["epoch", "batch"])
    def test_a_model_without_one_is_refused_before_training(self, asked):
        """Not at the end of the first epoch."""
        model = FakeModel()
        model.optimizer = None
        board = TensorBoard("logs", write_learning_rate=asked)
        board.set_model(model)

        with pytest.raises(InvalidArgument, match="Optimizer must have a"):
            board.on_train_begin()

    def test_it_can_be_asked_for_at_batches(self):
        """With the points of the other batch curves."""
        board = TensorBoard("logs", update_freq=2, write_learning_rate="batch")
        drive([board], epochs=[LOSS], steps=4)

        assert set(read("logs/train").curve("batch_learning_rate")) == {2, 4}

    @pytest.mark.fit
    def test_a_schedule_is_logged_as_it_is_now(self, keras, make_model, data):
        """The value after the steps made, not the first one."""
        schedule = keras.optimizers.schedules.InverseTimeDecay(0.1, 3, 1.0)
        model = make_model(optimizer=keras.optimizers.SGD(schedule))
        model.fit(
            *data,
            batch_size=8,
            epochs=2,
            verbose=0,
            callbacks=[TensorBoard("logs")],
        )

        assert read("logs/train").curve("epoch_learning_rate") == {
            0: pytest.approx(0.05),
            1: pytest.approx(0.1 / 3),
        }

    @pytest.mark.fit
    def test_a_schedule_is_logged_at_every_step(
        self, keras, make_model, data, is_keras3
    ):
        """The rate falls from step to step, with JAX too."""
        schedule = keras.optimizers.schedules.InverseTimeDecay(0.1, 3, 1.0)
        make_model(optimizer=keras.optimizers.SGD(schedule)).fit(
            *data,
            batch_size=8,
            epochs=2,
            verbose=0,
            callbacks=[
                TensorBoard("logs", update_freq=1, write_learning_rate="batch")
            ],
        )

        rates = read("logs/train").curve("batch_learning_rate")
        # Keras 2 shows the rate a step was made with, Keras 3 the next one's.
        made = [step if is_keras3 else step - 1 for step in range(1, 7)]
        assert list(rates) == [1, 2, 3, 4, 5, 6]
        assert list(rates.values()) == pytest.approx(
            [0.1 / (1 + steps / 3) for steps in made]
        )

    @pytest.mark.fit
    def test_a_rate_without_a_schedule_is_logged_at_every_step(
        self, make_model, data
    ):
        """It is one of the variables that a step of JAX takes away."""
        make_model().fit(
            *data,
            batch_size=12,
            verbose=0,
            callbacks=[
                TensorBoard("logs", update_freq=1, write_learning_rate="batch")
            ],
        )

        curves = read("logs/train").curves()
        [rate] = curves["epoch_learning_rate"].values()
        assert curves["batch_learning_rate"] == {1: rate, 2: rate}

    def test_every_optimizer_of_several_has_a_curve(self, keras, make_model):
        """Under its name, as Keras 3 tags them."""
        if not hasattr(keras.optimizers, "MultiOptimizer"):
            pytest.skip("this Keras has no MultiOptimizer")
        model = make_model()
        one, two = (
            keras.optimizers.SGD(rate, name=name)
            for rate, name in ((0.5, "one"), (0.25, "two"))
        )
        model.optimizer = keras.optimizers.MultiOptimizer(
            keras.optimizers.OptimizerMap(one, {".*classes.*": two})
        )
        model.optimizer.build(model.trainable_variables)
        drive([TensorBoard("logs")], epochs=[LOSS], model=model)

        curves = read("logs/train").curves()
        assert curves["epoch_learning_rate_one"] == {0: 0.5}
        assert curves["epoch_learning_rate_two"] == {0: 0.25}


class TestModel:
    def test_graph_of_layers_is_written_with_the_model(self, make_model):
        """`set_model` is enough for it, as loops of one's own rely on."""
        TensorBoard("logs").set_model(make_model())
        gc.collect()

        [(step, content)] = read("logs/train").series("keras")
        config = json.loads(content.item())
        assert step == 0
        assert config["class_name"] == "Sequential"

    def test_graph_of_layers_of_a_functional_subclass(self, keras):
        """A class of its own does not hide how its layers are connected."""

        class Mine(keras.Model):
            pass

        inputs = keras.Input((2,))
        model = Mine(inputs, keras.layers.Dense(1)(inputs))
        TensorBoard("logs").set_model(model)
        gc.collect()

        assert "keras" in read("logs/train").tags("graph_keras_model")

    def test_a_model_without_json_is_warned_of(self, make_model, warned):
        """Training goes on."""
        model = make_model()

        def refuse():
            raise NotImplementedError("no config")

        model.to_json = refuse
        TensorBoard("logs").set_model(model)

        assert warned == [
            "Model failed to serialize as JSON. Ignoring... no config"
        ]

    @pytest.mark.parametrize("named", [{"write_graph": False}, {}])
    def test_no_graph_leaves_no_directory(self, named):
        """A double has no layers to connect."""
        TensorBoard("logs", **named).set_model(FakeModel())

        assert not Path("logs").exists()

    @pytest.mark.fit
    @pytest.mark.parametrize("verbose", [0, 1])
    def test_graph_of_operations_is_written_at_every_verbosity(
        self, make_model, data, verbose, tensorflow
    ):
        """Keras 2 wrote it only beside a progress bar, Keras 3 never."""
        make_model().fit(
            *data, verbose=verbose, callbacks=[TensorBoard("logs")]
        )

        found = read("logs/train")
        assert found.has_graph()
        assert "hidden" in str(found.accumulator.Graph())

    @pytest.mark.fit
    def test_layers_stand_for_operations_without_tensorflow(
        self, make_model, data, runtime
    ):
        """The page would open on an error, were there only layers."""
        if runtime.backend == "tensorflow":
            pytest.skip("has a graph of operations")
        make_model().fit(*data, verbose=0, callbacks=[TensorBoard("logs")])

        graph = read("logs/train").accumulator.Graph()
        names = [node.name.rpartition("/")[2] for node in graph.node]
        assert names[-2:] == ["hidden", "classes"]
        assert list(graph.node[-1].input) == [graph.node[-2].name]

    @pytest.mark.fit
    def test_an_eager_model_has_no_graph_of_operations(
        self, make_model, data, tensorflow
    ):
        """There is none, and nothing is made of that."""
        make_model(run_eagerly=True).fit(
            *data, verbose=0, callbacks=[TensorBoard("logs")]
        )

        assert not read("logs/train").has_graph()

    def test_histograms_stand_at_their_epochs(self, make_model):
        """Epoch 0, and every so many after it."""
        drive(
            [TensorBoard("logs", histogram_freq=2)],
            epochs=[LOSS] * 4,
            model=make_model(),
        )

        found = read("logs/train")
        assert len(found.tags("histograms")) == 4
        assert found.tags("images") == set()
        assert {
            tuple(step for step, _ in found.series(tag))
            for tag in found.tags("histograms")
        } == {(0, 2)}

    def test_weights_can_be_pictures(self, make_model):
        """Beside each histogram, under the same name."""
        drive(
            [TensorBoard("logs", histogram_freq=1, write_images=True)],
            epochs=[LOSS],
            model=make_model(),
        )

        found = read("logs/train")
        assert {tag.rpartition("/")[0] for tag in found.tags("images")} == {
            tag.rpartition("/")[0] for tag in found.tags("histograms")
        }


class TestEmbeddings:
    @pytest.fixture
    def logged(self, embedding_model, embedding_data):
        """Two epochs with metadata; the dictionary that was given."""
        metadata = dict(METADATA)
        x, y = embedding_data
        embedding_model.fit(
            x,
            y,
            epochs=2,
            verbose=0,
            callbacks=[
                TensorBoard(
                    "logs", embeddings_freq=1, embeddings_metadata=metadata
                )
            ],
        )
        return metadata

    @pytest.fixture
    def projector(self, logged):
        """TensorBoard's projector, looking at the log directory."""
        from tensorboard.plugins.projector import projector_plugin

        found = [SimpleNamespace(run_name=run) for run in runs("logs")]
        provider = SimpleNamespace(list_runs=lambda *args, **named: found)
        plugin = projector_plugin.ProjectorPlugin(
            SimpleNamespace(data_provider=provider, logdir="logs")
        )
        plugin._update_configs()
        return plugin

    @pytest.mark.fit
    def test_the_users_dictionary_is_not_emptied(self, logged):
        """Stock leaves nothing in it for a second fit."""
        assert logged == METADATA

    @pytest.mark.fit
    def test_projector_opens_every_table(
        self, projector, embedding_model, tensorflow
    ):
        """Each has its own name, and the values after the last epoch."""
        reader = projector._get_reader_for_run("train")
        tables = {
            one.metadata_path: reader.get_tensor(one.tensor_name)
            for one in projector._configs["train"].embeddings
            if one.metadata_path
        }

        np.testing.assert_array_equal(
            tables["keras_embedding.words.metadata.tsv"],
            embedding_model.get_layer("words").get_weights()[0],
        )
        np.testing.assert_array_equal(
            tables["keras_embedding.nested.metadata.tsv"],
            embedding_model.get_layer("inner").get_weights()[0],
        )

    @pytest.mark.fit
    def test_a_table_without_metadata_is_shown_too(self, projector):
        """All three layers are there, the nested one among them."""
        shapes = {
            tuple(one.tensor_shape)
            for one in projector._configs["train"].embeddings
        }

        assert shapes >= {(5, 2), (6, 2), (7, 2)}

    @pytest.mark.fit
    def test_projector_lists_the_training_run_alone(self, projector):
        """It opens the first it lists, so no other may see the tables."""
        assert list(projector._configs) == ["train"]

    def test_metadata_are_copied_to_where_the_projector_reads(
        self, embedding_model
    ):
        """It refuses what is outside the folder of its configuration."""
        Path("logs/names").mkdir(parents=True)
        Path("logs/names/words.tsv").write_text("a\nb\nc\nd\ne\n")
        metadata = {"words": os.path.join("names", "words.tsv")}
        drive(
            [
                TensorBoard(
                    "logs", embeddings_freq=1, embeddings_metadata=metadata
                )
            ],
            epochs=[LOSS],
            model=embedding_model,
        )

        copied = Path("logs/train/keras_embedding.words.metadata.tsv")
        assert copied.read_text() == "a\nb\nc\nd\ne\n"

    def test_the_log_directory_has_the_configuration_that_stock_writes(
        self, embedding_model
    ):
        """Scripts look for it there."""
        drive(
            [TensorBoard("logs", embeddings_freq=1, embeddings_metadata="m")],
            epochs=[LOSS],
            model=embedding_model,
        )

        config = Path("logs/projector_config.pbtxt").read_text()
        assert config.count('metadata_path: "m"') == 3
        assert "tensor_path" not in config

    @pytest.mark.fit
    def test_without_tensorflow_tables_are_text(
        self, embedding_model, embedding_data, runtime, monkeypatch
    ):
        """The projector reads them without a checkpoint."""
        from tensorboard.plugins.projector import projector_plugin

        monkeypatch.setattr(
            type(runtime.inspection),
            "save_embeddings",
            lambda self, model, path: False,
        )
        x, y = embedding_data
        board = TensorBoard("logs", embeddings_freq=1, embeddings_metadata="m")
        embedding_model.fit(x, y, verbose=0, callbacks=[board])

        config = Path("logs/train/projector_config.pbtxt").read_text()
        table = projector_plugin._read_tensor_tsv_file(
            "logs/train/keras_embedding.ckpt-0.places.tsv"
        )
        assert 'tensor_path: "keras_embedding.ckpt-0.places.tsv"' in config
        assert config.count("metadata_path") == 3
        np.testing.assert_array_equal(
            table, embedding_model.get_layer("places").get_weights()[0]
        )

    def test_unknown_layers_are_told_before_training(self, embedding_model):
        """With the name that was meant."""
        board = TensorBoard(
            "logs", embeddings_freq=1, embeddings_metadata={"wrods": "m.tsv"}
        )

        with pytest.raises(
            InvalidArgument,
            match=r"Unrecognized `Embedding` layer names.*Did you mean 'words'",
        ):
            board.set_model(embedding_model)

    def test_a_model_without_embeddings_leaves_no_files(self, make_model):
        """There is nothing to show."""
        drive(
            [TensorBoard("logs", embeddings_freq=1)],
            epochs=[LOSS],
            model=make_model(),
        )

        assert not Path("logs/projector_config.pbtxt").exists()

    @pytest.mark.fit
    def test_checkpoints_of_somebody_else_stay_findable(
        self, embedding_model, warned, tensorflow, keras3_only
    ):
        """Their pointer is not moved, and that is told.

        On Keras 2 TensorFlow itself moves it when the model is saved.
        """
        Path("logs/train").mkdir(parents=True)
        theirs = Path("logs/train/checkpoint")
        theirs.write_text('model_checkpoint_path: "ckpt-3"\n')
        drive(
            [TensorBoard("logs", embeddings_freq=1)],
            epochs=[LOSS],
            model=embedding_model,
        )

        assert "ckpt-3" in theirs.read_text()
        assert ["not ours" in text for text in warned] == [True]


class TestProfiler:
    @pytest.mark.fit
    def test_a_range_of_batches_is_profiled(
        self, make_model, data, tensorflow, is_keras3
    ):
        """The profile lies where stock has it, the graph in the run."""
        make_model().fit(
            *data,
            batch_size=8,
            verbose=0,
            callbacks=[TensorBoard("logs", profile_batch="1,2")],
        )

        place = Path("logs/train" if is_keras3 else "logs")
        assert list(place.glob("plugins/profile/*/*.xplane.pb"))
        found = read("logs/train")
        assert "batch_2" in found.accumulator.Tags()["run_metadata"] or (
            "batch_2" in found.accumulator.Tags()["tensors"]
        )


class TestCustomSummaries:
    @pytest.fixture
    def build(self, keras, tensorflow):
        """Makes models that write a curve of their own in their step."""

        class Writer(keras.layers.Layer):
            def call(self, x):
                tensorflow.summary.scalar(
                    "mine", tensorflow.reduce_sum(x * 0 + 1)
                )
                return x

        def make():
            model = keras.Sequential(
                [keras.layers.Input((4,)), Writer(), keras.layers.Dense(1)]
            )
            model.compile("sgd", "mse", jit_compile=False)
            return model

        return make

    def steps(self, run):
        """The steps of the model's own curve."""
        [tag] = [
            tag
            for tag in read(f"logs/{run}").tags("scalars")
            if tag.endswith("mine")
        ]
        return list(read(f"logs/{run}").curve(tag))

    @pytest.mark.fit
    def test_they_go_to_the_run_at_the_right_steps(self, build, data):
        """Stock writes them all at one step, or none of them."""
        x, y = data
        build().fit(
            x,
            y,
            batch_size=4,
            verbose=0,
            validation_data=(x, y),
            validation_batch_size=12,
            callbacks=[TensorBoard("logs", update_freq=2)],
        )

        assert self.steps("train") == [2, 4, 6]
        assert self.steps("validation") == [2]

    @pytest.mark.fit
    def test_they_go_on_in_a_second_fit(self, build, data):
        """The traced function keeps a writer that is still open."""
        model, board = build(), TensorBoard("logs", update_freq=1)
        for _ in range(2):
            model.fit(*data, batch_size=12, verbose=0, callbacks=[board])

        assert self.steps("train") == [1, 2, 3, 4]

    @pytest.mark.fit
    def test_they_can_be_read_after_each_epoch(self, build, data):
        """A viewer beside the training sees them as it sees ours."""
        seen = []
        looking = LambdaCallback(
            on_epoch_end=lambda epoch, logs: seen.append(self.steps("train"))
        )
        build().fit(
            *data,
            epochs=2,
            batch_size=12,
            verbose=0,
            callbacks=[TensorBoard("logs", update_freq=1), looking],
        )

        assert seen == [[1, 2], [1, 2, 3, 4]]

    @pytest.mark.fit
    def test_a_step_is_assigned_only_for_those_who_read_it(
        self, make_model, data, monkeypatch, tensorflow
    ):
        """It costs thirty microseconds a batch."""
        from kerascb.runtime import _tensorflow_events

        assigned = []
        catch_up = _tensorflow_events._Step._catch_up
        monkeypatch.setattr(
            _tensorflow_events._Step,
            "_catch_up",
            lambda self: (assigned.append(self._told), catch_up(self)),
        )
        make_model().fit(
            *data,
            batch_size=4,
            verbose=0,
            callbacks=[TensorBoard("logs", update_freq=1)],
        )

        assert assigned == []

    def test_the_step_can_be_asked_for_at_any_batch(self, tensorflow):
        """`tf.summary.experimental.get_step()` in others' callbacks."""
        board = TensorBoard("logs", update_freq=100)
        board.set_model(FakeModel())
        board.on_train_begin()
        board.on_epoch_begin(0)
        seen = []
        for batch in range(3):
            board.on_train_batch_begin(batch)
            seen.append(int(tensorflow.summary.experimental.get_step()))
            board.on_train_batch_end(batch, LOSS)
        board.on_train_end()

        assert seen == [1, 2, 3]

    @pytest.mark.fit
    def test_summaries_of_other_callbacks_work_beside(
        self, make_model, data, tensorflow
    ):
        """They write without a step, as they do beside stock's."""
        writes = LambdaCallback(
            on_train_batch_end=lambda batch, logs: tensorflow.summary.scalar(
                "theirs", batch
            )
        )
        make_model().fit(
            *data,
            batch_size=4,
            verbose=0,
            callbacks=[TensorBoard("logs", update_freq=2), writes],
        )

        assert read("logs/train").curve("theirs") == {2: 1.0, 4: 3.0, 6: 5.0}

    @pytest.mark.fit
    def test_a_fit_leaves_no_default_writer_behind(
        self, build, data, tensorflow
    ):
        """Summaries after the fit go nowhere, as before it."""
        build().fit(
            *data, verbose=0, callbacks=[TensorBoard("logs", update_freq=1)]
        )

        assert not tensorflow.summary.should_record_summaries()

    def test_a_failed_fit_leaves_none_behind_with_its_callback(
        self, tensorflow
    ):
        """Dropping the callback takes TensorFlow's default writer back."""
        board = TensorBoard("logs", update_freq=1)
        board.set_model(FakeModel())
        board.on_train_begin()
        board.on_epoch_begin(0)
        during = bool(tensorflow.summary.should_record_summaries())
        del board
        gc.collect()

        assert during
        assert not tensorflow.summary.should_record_summaries()


class TestSubclasses:
    """What recipes on the web build on, under the names of stock's class."""

    @pytest.mark.fit
    def test_tensorflow_writes_beside_ours(self, make_model, data, tensorflow):
        """`with self._train_writer.as_default(): tf.summary.image(…)`."""

        class Own(TensorBoard):
            def on_epoch_end(self, epoch, logs=None):
                super().on_epoch_end(epoch, logs)
                for writer in (self._train_writer, self._val_writer):
                    with writer.as_default():
                        tensorflow.summary.scalar("mine", 3.0, step=epoch)

        make_model().fit(*data, epochs=2, verbose=0, callbacks=[Own("logs")])

        assert read("logs/train").curve("mine") == {0: 3.0, 1: 3.0}
        assert read("logs/validation").curve("mine") == {0: 3.0, 1: 3.0}

    def test_without_tensorflow_there_is_no_such_writer(self, runtime):
        """`hasattr` tells, as for any attribute."""
        board = TensorBoard("logs")
        board.set_model(FakeModel())

        assert hasattr(board, "_train_writer") == (
            runtime.backend == "tensorflow"
        )

    def test_metrics_of_an_epoch_may_be_added_to(self):
        """Overriding `_log_epoch_metrics` is how people add curves."""

        class Own(TensorBoard):
            def _log_epoch_metrics(self, epoch, logs):
                super()._log_epoch_metrics(
                    epoch, {**logs, "twice": 2 * logs["loss"]}
                )

        drive([Own("logs")], epochs=[{"loss": 0.5}])

        assert read("logs/train").curve("epoch_twice") == {0: 1.0}

    def test_learning_rates_may_be_collected_otherwise(self):
        """Overriding `_collect_learning_rate` is how people log theirs."""

        class Own(TensorBoard):
            def _collect_learning_rate(self, logs):
                return {**logs, "learning_rate": 0.25}

        drive([Own("logs")], epochs=[{"loss": 0.5}])

        assert read("logs/train").curve("epoch_learning_rate") == {0: 0.25}


class TestLifetime:
    def test_two_fits_of_one_instance(self):
        """The second adds to the first."""
        board = TensorBoard("logs")
        drive([board], epochs=[LOSS])
        drive([board], epochs=[LOSS], initial_epoch=1)

        assert read("logs/train").curve("epoch_loss") == {0: 0.5, 1: 0.5}

    def test_files_of_a_failed_fit_are_closed_by_the_next(self):
        """No hook tells of an exception; the next fit loses nothing."""
        board = TensorBoard("logs", update_freq=1)
        board.set_model(FakeModel())
        board.on_train_begin()
        board.on_train_batch_begin(0)
        board.on_train_batch_end(0, {"loss": 0.25})
        drive([board], epochs=[LOSS])

        assert "epoch_loss" in read("logs/train").curves()
        assert 0.25 in [
            value for _, value in read("logs/train").series("batch_loss")
        ]

    def test_files_of_a_failed_fit_are_closed_with_the_callback(self):
        """Dropping the callback is enough; it is not kept alive."""
        board = TensorBoard("logs", update_freq=1)
        board.set_model(FakeModel())
        board.on_train_begin()
        board.on_train_batch_begin(0)
        board.on_train_batch_end(0, LOSS)
        gone = weakref.ref(board)
        del board
        gc.collect()

        assert gone() is None
        assert read("logs/train").curve("batch_loss") == {1: 0.5}

    @pytest.mark.parametrize(
        "clone",
        [copy.deepcopy, lambda board: pickle.loads(pickle.dumps(board))],
        ids=["deepcopy", "pickle"],
    )
    def test_it_can_be_copied_in_the_middle_of_a_fit(self, clone):
        """The copy has no model and no file open, and works."""
        board = TensorBoard("logs", update_freq=1)
        board.set_model(FakeModel())
        board.on_train_begin()
        board.on_train_batch_begin(0)
        board.on_train_batch_end(0, LOSS)
        twin = clone(board)
        board.on_train_end()
        drive([twin], epochs=[LOSS], initial_epoch=5)

        assert read("logs/train").curve("epoch_loss") == {5: 0.5}

    def test_hooks_work_without_a_model(self):
        """A loop of one's own may have none."""
        board = TensorBoard("logs")
        board.on_epoch_end(0, BOTH)
        board.on_train_end()

        assert runs("logs") == {"train", "validation"}


@pytest.mark.fit
def test_variables_of_a_strategy_are_read(make_model, data, tensorflow):
    """Steps, rates and weights are variables of every replica then."""
    with tensorflow.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = make_model()
    model.fit(
        *data,
        batch_size=8,
        verbose=0,
        callbacks=[TensorBoard("logs", update_freq=1, histogram_freq=1)],
    )

    found = read("logs/train")
    assert list(found.curve("batch_loss")) == [1, 2, 3]
    assert len(found.tags("histograms")) == 4


@pytest.mark.fit
class TestParity:
    @pytest.fixture
    def both(self, runtime, make_model, data, tmp_path):
        """Fits with stock's class and ours; what each wrote, by run."""
        pytest.importorskip("tensorflow", reason="stock's needs it")

        def fit(others=lambda classes: [], **named):
            outcomes = compare(
                runtime,
                lambda classes: [
                    *others(classes),
                    classes.TensorBoard("logs", **named),
                ],
                make_model,
                data,
                tmp_path,
                epochs=2,
                batch_size=8,
                verbose=1,
            )
            assert [one.error for one in outcomes] == [None, None]
            assert outcomes[0].history == outcomes[1].history
            assert outcomes[0].warned == outcomes[1].warned
            assert runs(tmp_path / "stock/logs") == runs(tmp_path / "ours/logs")
            return [
                {
                    run: read(tmp_path / name / "logs" / run)
                    for run in ("train", "validation")
                }
                for name in ("stock", "ours")
            ]

        return fit

    @pytest.mark.parametrize("run", ["train", "validation"])
    def test_default_curves_are_equal(self, both, run):
        """Tags, steps and values."""
        stock, ours = both()

        assert ours[run].curves() == stock[run].curves()
        assert ours[run].tags("graph_keras_model") == stock[run].tags(
            "graph_keras_model"
        )

    @pytest.mark.parametrize("run", ["train", "validation"])
    @pytest.mark.parametrize("update_freq", ["batch", 3])
    def test_batch_curves_are_equal(self, both, run, update_freq):
        """On Keras 2 beside a progress bar, without which stock has none."""
        stock, ours = both(update_freq=update_freq)

        assert ours[run].curves() == stock[run].curves()

    def test_learning_rate_of_a_callback_is_equal(self, both):
        """Under the name that its Keras gives it."""
        stock, ours = both(
            others=lambda classes: [
                classes.LearningRateScheduler(
                    lambda epoch, rate: 0.5 / (epoch + 1)
                )
            ]
        )

        assert ours["train"].curves() == stock["train"].curves()

    def test_speeds_are_at_the_same_steps(self, both):
        """Their values are times, and differ."""
        stock, ours = both(write_steps_per_second=True, update_freq=1)

        assert {
            tag: set(curve) for tag, curve in ours["train"].curves().items()
        } == {tag: set(curve) for tag, curve in stock["train"].curves().items()}

    @pytest.mark.parametrize("plugin", ["histograms", "images"])
    def test_histograms_and_images_are_equal(self, both, plugin):
        """Tags, steps and content; pictures to the pixel."""
        stock, ours = both(histogram_freq=1, write_images=True)

        assert drawn(ours["train"], plugin) == drawn(stock["train"], plugin)


def drawn(reading, plugin):
    """What the eye sees, by tag without the number of the model."""
    return {
        tag.partition("/")[2] or tag: [
            (step, seen(content)) for step, content in reading.series(tag)
        ]
        for tag in reading.tags(plugin)
    }


def seen(content):
    """Rounded buckets, or pixels."""
    if content.dtype != object:
        return content.round(6).tolist()
    return [
        np.asarray(Image.open(io.BytesIO(png))).tolist()
        for png in content.tolist()[2:]
    ]


def test_scheduler_of_ours_is_logged_too(is_keras3):
    """What a callback earlier in the list adds to the logs is a curve."""
    drive(
        [LearningRateScheduler(lambda epoch: 0.25), TensorBoard("logs")],
        epochs=[LOSS],
    )

    tag = "epoch_learning_rate" if is_keras3 else "epoch_lr"
    assert read("logs/train").curve(tag) == {0: 0.25}
