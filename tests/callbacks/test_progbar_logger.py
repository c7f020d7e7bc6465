"""The bar on a terminal, and the lines in a log file."""

import contextlib
import copy
import importlib.util
import io
import os
import pickle
import re
import sys
import threading
from types import SimpleNamespace

import pytest

from kerascb import Callback, ProgbarLogger
from kerascb.callbacks.callback import is_default
from kerascb.errors import InvalidArgument, MissingDependency
from kerascb.runtime.lazy_logs import LazyLogs
from kerascb.testing import FakeModel, drive
from tests.parity import assert_equal_runs, compare, untimed

CONTROL = re.compile(r"[\x08\r\x1b]")
EPOCHS = [
    {"loss": 0.5, "accuracy": 0.25, "val_loss": 0.75},
    {"loss": 0.0001, "accuracy": 1.0, "val_loss": 2.0},
]


class Model(FakeModel):
    """A model whose values are metrics, which no Keras averages."""

    metrics = (SimpleNamespace(name="loss"), SimpleNamespace(name="accuracy"))


class Screen(io.StringIO):
    """A stream that claims to be a terminal, and keeps each write."""

    encoding = "utf-8"

    def __init__(self):
        super().__init__()
        self.writes = []

    def isatty(self):
        """It is none."""
        return True

    def write(self, text):
        """Keeps what is written."""
        self.writes.append(text)
        return super().write(text)


@pytest.fixture
def on_screen(monkeypatch):
    """Lets streams that claim to be terminals be taken for one."""
    monkeypatch.setenv("TERM", "xterm")


@contextlib.contextmanager
def _terminal(encoding="utf-8"):
    """Lends a stdout that is a terminal; yields what reads its screen."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    received = []

    def receive():
        # Linux reports the end of a terminal as an error.
        with contextlib.suppress(OSError):
            while chunk := os.read(ours, 4096):
                received.append(chunk)

    reader = threading.Thread(target=receive)
    reader.start()
    usual = sys.stdout
    sys.stdout = os.fdopen(theirs, "w", encoding=encoding)
    try:
        yield lambda: b"".join(received).decode(encoding)
    finally:
        sys.stdout.close()
        sys.stdout = usual
        reader.join(30)
        os.close(ours)


@pytest.fixture
def on_terminal(monkeypatch):
    """Runs a function with a terminal for stdout; returns all it received."""
    monkeypatch.setenv("TERM", "xterm")

    def run(act, encoding="utf-8"):
        with _terminal(encoding) as received:
            act()
        return received()

    return run


class Clock:
    """A clock that moves when a batch has been played."""

    now = 1000.0

    def tick(self):
        """Lets 0.1 seconds pass."""
        self.now += 0.1


CLOCK = Clock()


@pytest.fixture
def clock(keras, monkeypatch):
    """Lets stock's bars and ours read `CLOCK`; returns its reset."""
    stopped = SimpleNamespace(
        time=lambda: CLOCK.now, monotonic=lambda: CLOCK.now
    )
    modules = (keras.utils.Progbar.__module__, ProgbarLogger.__module__)

    def reset():
        CLOCK.now = 1000.0

    for module in modules:
        monkeypatch.setattr(sys.modules[module], "time", stopped)
    reset()
    return reset


@pytest.fixture
def stock_logger(stock, is_keras3):
    """Builds the logger that this Keras adds to a fit."""
    kind = stock("ProgbarLogger")
    return kind if is_keras3 else lambda: kind("steps")


def play_fit(logger, *, verbose=1, steps=3, batches=3, model=None):
    """Two epochs with validation, as a list calls the hooks."""
    logger.set_model(model or Model())
    logger.set_params({"verbose": verbose, "epochs": 2, "steps": steps})
    logger.on_train_begin({})
    for epoch, logs in enumerate(EPOCHS):
        logger.on_epoch_begin(epoch, {})
        for batch in range(batches):
            logger.on_train_batch_begin(batch, {})
            running = {
                "loss": logs["loss"] / (batch + 1),
                "accuracy": 2.0 * batch,
            }
            CLOCK.tick()
            logger.on_train_batch_end(batch, running)
        logger.on_test_begin({})
        logger.on_test_batch_begin(0, {})
        logger.on_test_batch_end(0, {"loss": 0.75})
        logger.on_test_end({"loss": 0.75})
        logger.on_epoch_end(epoch, logs)
    logger.on_train_end(EPOCHS[-1])


def play_evaluate(logger, *, verbose=1, model=None):
    """An evaluation of two batches."""
    logger.set_model(model or Model())
    logger.set_params({"verbose": verbose, "epochs": 1, "steps": 2})
    logger.on_test_begin({})
    for batch in range(2):
        logger.on_test_batch_begin(batch, {})
        CLOCK.tick()
        logger.on_test_batch_end(batch, {"loss": 0.5})
    logger.on_test_end({"loss": 0.5})


def play_predict(logger, *, verbose=1, model=None):
    """A prediction of two batches."""
    logger.set_model(model or Model())
    logger.set_params({"verbose": verbose, "epochs": 1, "steps": 2})
    logger.on_predict_begin({})
    for batch in range(2):
        logger.on_predict_batch_begin(batch, {})
        CLOCK.tick()
        logger.on_predict_batch_end(batch, {"outputs": [1, 2]})
    logger.on_predict_end({})


class TestOnATerminal:
    @pytest.mark.parametrize("verbose", [0, 1, 2])
    @pytest.mark.parametrize("play", [play_fit, play_evaluate, play_predict])
    @pytest.mark.usefixtures("newest_keras3")
    def test_prints_what_stock_prints(
        self, play, verbose, on_terminal, clock, stock_logger
    ):
        """Character by character, control characters included."""
        theirs = on_terminal(lambda: play(stock_logger(), verbose=verbose))
        clock()
        ours = on_terminal(lambda: play(ProgbarLogger(), verbose=verbose))

        assert ours == theirs
        assert bool(ours) == bool(verbose)

    @pytest.mark.usefixtures("newest_keras3")
    def test_prints_what_stock_prints_of_an_unknown_length(
        self, on_terminal, clock, stock_logger
    ):
        """The target is learned at the end of the first epoch."""
        theirs = on_terminal(lambda: play_fit(stock_logger(), steps=None))
        clock()
        ours = on_terminal(lambda: play_fit(ProgbarLogger(), steps=None))

        assert ours == theirs
        assert "Unknown" in ours

    def test_names_the_epochs(self, on_terminal):
        """One line before each bar."""
        shown = on_terminal(lambda: play_fit(ProgbarLogger()))

        assert re.findall(r"Epoch \d/\d", shown) == ["Epoch 1/2", "Epoch 2/2"]

    def test_terminal_without_unicode(self, on_terminal):
        """Bars and names that its encoding lacks are drawn otherwise."""
        logger = ProgbarLogger()

        def act():
            drive([logger], epochs=[{"é→": 0.5}], verbose=1)

        assert "\\u2192" in on_terminal(act, encoding="latin-1")


class TestInALogFile:
    def test_log_files_are_not_flooded(self, capsys):
        """Two lines an epoch, however many batches; no control characters."""
        play_fit(ProgbarLogger(), steps=200, batches=200)

        printed = capsys.readouterr().out
        assert len(printed.splitlines()) == 4
        assert not CONTROL.search(printed)

    @pytest.mark.parametrize("play", [play_evaluate, play_predict])
    def test_one_line_an_evaluation_or_prediction(self, play, capsys):
        """With the number of steps, without control characters."""
        play(ProgbarLogger())

        printed = capsys.readouterr().out
        assert re.fullmatch(r"2/2 - .*\n", printed)
        assert not CONTROL.search(printed)

    def test_numbers_are_those_of_history(self, capsys):
        """Nothing is averaged a second time."""
        play_fit(ProgbarLogger())

        lines = capsys.readouterr().out.splitlines()
        for name, shown in (("loss", "1.0000e-04"), ("accuracy", "1.0000")):
            assert f" {name}: {shown}" in lines[3]

    def test_verbose_2_prints_what_stock_prints(
        self, capsys, clock, stock_logger
    ):
        """Stock's line for `verbose=2` is fit for files as it is."""
        play_fit(stock_logger(), verbose=2)
        theirs = capsys.readouterr().out
        clock()
        play_fit(ProgbarLogger(), verbose=2)

        assert untimed(capsys.readouterr().out) == untimed(theirs)

    def test_names_beyond_the_encoding_do_not_end_training(self, monkeypatch):
        """A cp1252 log gets them escaped."""
        written = io.BytesIO()
        stream = io.TextIOWrapper(written, encoding="cp1252")
        monkeypatch.setattr(sys, "stdout", stream)

        drive([ProgbarLogger()], epochs=[{"é→": 0.5}], verbose=1)

        assert b"\xe9\\u2192: 0.5000" in written.getvalue()
        stream.detach()

    def test_silence(self, capsys):
        """`verbose=0` prints nothing."""
        play_fit(ProgbarLogger(), verbose=0)

        assert capsys.readouterr().out == ""


class TestBatchHooks:
    @pytest.mark.parametrize("verbose", [0, 1, 2, "auto"])
    def test_no_batch_is_looked_at_that_nobody_sees(self, verbose):
        """Off a terminal, known steps need no hook at all."""
        logger = ProgbarLogger()
        logger.set_params({"verbose": verbose, "epochs": 1, "steps": 9})

        assert is_default(logger.on_train_batch_end)
        assert is_default(logger.on_test_batch_end)
        assert is_default(logger.on_predict_batch_end)

    @pytest.mark.parametrize(
        ("verbose", "needed"), [(0, False), (1, True), (2, False)]
    )
    def test_drawing_needs_batches(self, verbose, needed, on_terminal):
        """A bar on a terminal has to move."""
        logger = ProgbarLogger()
        found = []

        def act():
            logger.set_params({"verbose": verbose, "epochs": 1, "steps": 9})
            found.append(is_default(logger.on_train_batch_end))

        on_terminal(act)

        assert found == [not needed]

    def test_counting_needs_batches(self):
        """Until the number of steps is known they are counted."""
        logger = ProgbarLogger()
        logger.set_params({"verbose": 2, "epochs": 1, "steps": None})

        assert not is_default(logger.on_train_batch_end)

    def test_validation_in_a_fit_needs_none(self):
        """There is no bar to move."""
        logger = ProgbarLogger()
        logger.on_train_begin()

        assert is_default(logger.on_test_batch_end)

    def test_keras_2_counts_the_steps_itself(self, keras2_only, make_model):
        """Its counters make the hooks unnecessary."""
        logger = ProgbarLogger()
        logger.set_model(make_model())
        logger.set_params({"verbose": 2, "epochs": 1, "steps": None})

        assert not logger._implements_train_batch_hooks()

    def test_tensors_are_left_alone_until_shown(self):
        """It does not make a list convert the logs of a batch."""
        assert ProgbarLogger._supports_tf_logs is True


class TestState:
    def test_attributes_before_any_fit(self):
        """What readers of the stock logger find."""
        logger = ProgbarLogger(stateful_metrics=["a"])

        assert vars(logger) | {
            "seen": 0,
            "progbar": None,
            "target": None,
            "verbose": 1,
            "epochs": 1,
            "use_steps": False,
            "stateful_metrics": {"a"},
            "_called_in_fit": False,
        } == vars(logger)

    def test_attributes_after_a_fit(self):
        """Seen and target are the steps of the last epoch."""
        logger = ProgbarLogger()

        play_fit(logger, verbose="auto", steps=7, batches=7)

        assert (logger.verbose, logger.epochs) == (1, 2)
        assert (logger.seen, logger.target) == (7, 7)
        assert logger.params == {"verbose": "auto", "epochs": 2, "steps": 7}

    @pytest.mark.parametrize("verbose", [0, 1, 2])
    def test_target_is_learned(self, verbose, capsys):
        """The end of the first epoch tells how long the next ones are."""
        logger = ProgbarLogger()

        play_fit(logger, verbose=verbose, steps=None, batches=5)

        assert logger.target == logger.progbar.target == 5

    def test_evaluation_after_a_fit_has_its_bar(self, capsys):
        """An instance that was in a fit is not silent for ever."""
        logger = ProgbarLogger()
        play_fit(logger, verbose=0)

        play_evaluate(logger)

        assert "2/2" in capsys.readouterr().out

    def test_evaluation_after_a_fit_that_failed_has_its_bar(self, capsys):
        """Nobody told the instance that the fit was over."""
        logger = ProgbarLogger()
        logger.set_params({"verbose": 0, "epochs": 2, "steps": 3})
        logger.on_train_begin({})
        logger.on_epoch_begin(0, {})

        play_evaluate(logger)

        assert "2/2" in capsys.readouterr().out

    def test_batch_hook_is_back_after_a_fit_that_failed(self, on_terminal):
        """The bar of an evaluation moves again."""
        logger = ProgbarLogger()
        logger.on_train_begin()

        def act():
            logger.set_params({"verbose": 1, "epochs": 1, "steps": 9})

        on_terminal(act)

        assert not is_default(logger.on_test_batch_end)

    def test_hooks_by_hand_without_a_beginning(self, capsys):
        """Neither a missing beginning nor missing logs are errors."""
        logger = ProgbarLogger()

        logger.on_train_batch_end(0)
        logger.on_epoch_end(0, None)

        assert "1/1" in capsys.readouterr().out

    def test_epoch_of_which_nothing_is_known(self, capsys):
        """No steps seen and none expected: nothing to show."""
        logger = ProgbarLogger()
        logger.on_epoch_begin(0)

        logger.on_epoch_end(0, {"loss": 1.0})

        assert capsys.readouterr().out == ""

    @pytest.mark.usefixtures("on_screen")
    def test_steps_never_exceed_those_there_are(self):
        """With `steps_per_execution` Keras 3 counts beyond the end."""
        logger = ProgbarLogger(stream=Screen())
        logger.set_params({"verbose": 1, "epochs": 1, "steps": 10})
        logger.on_epoch_begin(0)

        logger.on_train_batch_end(11, {})

        assert logger.seen == 10

    @pytest.mark.parametrize(
        "duplicate",
        [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))],
    )
    def test_copy_after_a_fit(self, duplicate, capsys):
        """The bar of the last epoch comes along; the copy goes on."""
        logger = ProgbarLogger("steps")
        play_fit(logger, verbose=0)

        other = duplicate(logger)
        play_fit(other)

        assert other.use_steps is True
        assert "Epoch 2/2" in capsys.readouterr().out


class TestArguments:
    @pytest.mark.parametrize("count_mode", ["steps", "samples"])
    def test_steps_are_counted_either_way(self, count_mode, capsys):
        """The article's `count_mode='samples'` does not count zeros."""
        play_fit(ProgbarLogger(count_mode=count_mode))

        assert capsys.readouterr().out.count("3/3 - ") == 2

    @pytest.mark.parametrize("count_mode", ["batches", None, 3])
    def test_unknown_count_mode(self, count_mode):
        """Told in stock's words by the constructor."""
        with pytest.raises(InvalidArgument) as told:
            ProgbarLogger(count_mode)

        assert str(told.value) == (
            f"Unknown `count_mode`: {count_mode}. "
            'Expected values are ["samples", "steps"]'
        )

    def test_unknown_keyword(self):
        """Nothing is swallowed."""
        with pytest.raises(TypeError, match="mode"):
            ProgbarLogger(mode="steps")

    @pytest.mark.parametrize("stateful", [None, ["accuracy"]])
    def test_values_are_shown_as_they_come(self, stateful, on_terminal):
        """Named or not, none is averaged over the steps."""
        logger = ProgbarLogger(stateful_metrics=stateful)

        shown = on_terminal(lambda: play_fit(logger, model=FakeModel()))

        assert re.findall(r"accuracy: (\S+)", shown)[-1] == "1.0000"


class Tensor:
    """A value on a device: it is converted when somebody asks for it."""

    def __init__(self, value):
        self.value = value


@pytest.fixture
def on_device(runtime, monkeypatch):
    """Lets the runtime convert `Tensor`; returns the names converted."""
    converted = []

    def to_python(self, logs):
        converted.extend(logs)
        return {
            name: getattr(value, "value", value)
            for name, value in (logs or {}).items()
        }

    monkeypatch.setattr(type(runtime), "to_python", to_python)
    return converted


@pytest.mark.usefixtures("on_screen", "clock")
class TestRefresh:
    @pytest.fixture
    def screen(self):
        """A terminal that keeps each write."""
        return Screen()

    def play_batches(self, logger, count, logs, *, step_s=0.001):
        """An epoch of quick steps, up to its end."""
        logger.set_params({"verbose": 1, "epochs": 1, "steps": count})
        logger.on_train_begin()
        logger.on_epoch_begin(0)
        for batch in range(count):
            CLOCK.now += step_s
            logger.on_train_batch_end(batch, logs)

    def test_redraws_by_time(self, screen):
        """A thousand steps in a second: twenty drawings, a write each."""
        logger = ProgbarLogger(stream=screen)

        self.play_batches(logger, 1000, {"loss": 0.5})

        assert 15 <= len(screen.writes) <= 21
        assert logger.seen == 1000

    def test_refresh_s_of_zero_draws_every_step(self, screen):
        """Who wants to see all, sees all."""
        logger = ProgbarLogger(stream=screen, refresh_s=0)

        self.play_batches(logger, 100, {"loss": 0.5})

        assert len(screen.writes) == 100

    def test_logs_are_converted_only_when_drawn(self, screen, on_device):
        """Tensors that nobody sees stay where they are."""
        logger = ProgbarLogger(stream=screen)

        self.play_batches(logger, 1000, {"loss": Tensor(0.5)})

        assert len(on_device) == len(screen.writes) < 22
        assert "loss: 0.5000" in screen.writes[-1]

    def test_logs_of_our_list_are_converted_only_when_drawn(self, screen):
        """They convert themselves when they are looked at."""
        converted = []

        def convert(values):
            converted.append(values)
            return {name: value.value for name, value in values.items()}

        logger = ProgbarLogger(stream=screen, refresh_s=1000)
        logger.set_params({"verbose": 1, "epochs": 1, "steps": 50})
        logger.on_epoch_begin(0)
        for batch in range(50):
            logs = LazyLogs({"loss": Tensor(0.5)}, convert)
            logger.on_train_batch_end(batch, logs)

        assert len(converted) == len(screen.writes) == 1

    def test_batches_that_come_in_another_order_are_counted(self, screen):
        """The threads of a pool do not keep the order."""
        logger = ProgbarLogger(stream=screen)
        logger.set_params({"verbose": 1, "epochs": 1, "steps": None})
        logger.on_epoch_begin(0)
        for batch in (0, 1, 3, 2):
            logger.on_train_batch_end(batch, {})

        assert logger.seen == 4

    def test_lines_within_a_long_epoch(self):
        """Asked for, where there is no terminal."""
        file = io.StringIO()
        logger = ProgbarLogger(stream=file, line_every_s=0.25)

        self.play_batches(logger, 1000, {"loss": 0.5})
        logger.on_epoch_end(0, {"loss": 0.5})

        lines = file.getvalue().splitlines()
        assert len(lines) == 4
        assert re.match(r" *2[56]\d/1000 - 0s ", lines[0])
        assert lines[3].startswith("1000/1000 - 1s ")

    def test_no_lines_within_an_epoch_by_default(self):
        """Log files are not flooded."""
        file = io.StringIO()
        logger = ProgbarLogger(stream=file)

        self.play_batches(logger, 100, {"loss": 0.5}, step_s=100.0)

        assert file.getvalue() == ""
        assert is_default(logger.on_train_batch_end)


@pytest.mark.usefixtures("on_screen")
class TestStream:
    def test_everything_goes_to_the_stream(self, capsys):
        """The names of the epochs too."""
        file = io.StringIO()

        play_fit(ProgbarLogger(stream=file))

        assert capsys.readouterr().out == ""
        assert len(file.getvalue().splitlines()) == 4

    def test_the_stream_decides_whether_a_bar_is_drawn(self):
        """Whatever stdout is."""
        screen = Screen()

        play_fit(ProgbarLogger(stream=screen))

        assert CONTROL.search(screen.getvalue())

    @pytest.mark.usefixtures("keras3_only")
    def test_ascii_where_the_stream_cannot_do_better(self):
        """In signs, not by colour alone, and names escaped."""
        screen = Screen()
        screen.encoding = "latin-1"
        logger = ProgbarLogger(stream=screen, refresh_s=0)

        drive([logger], epochs=[{"é→": 0.5}], verbose=1, steps=2)

        assert "==========\x1b[0m\x1b[37m.........." in screen.getvalue()
        assert "é\\u2192: 0.5000" in screen.getvalue()

    @pytest.mark.parametrize(
        "duplicate",
        [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))],
    )
    def test_stays_behind(self, duplicate, capsys):
        """A copy prints to stdout."""
        logger = ProgbarLogger(stream=sys.stderr, style="keras")
        play_fit(logger)

        other = duplicate(logger)
        play_fit(other)

        assert other.stream is None
        assert "Epoch 2/2" in capsys.readouterr().out

    def test_interactive_logging_does_not_concern_it(self, keras, is_keras3):
        """Who names a stream wants it there."""
        settings = keras.config if is_keras3 else keras.utils
        file = io.StringIO()

        settings.disable_interactive_logging()
        try:
            play_fit(ProgbarLogger(stream=file))
        finally:
            settings.enable_interactive_logging()

        assert "Epoch 2/2" in file.getvalue()


class TestStyles:
    @pytest.fixture(params=["rich", "tqdm"])
    def style(self, request):
        """A style of a package that is installed."""
        pytest.importorskip(request.param)
        return request.param

    @pytest.mark.usefixtures("on_screen")
    @pytest.mark.parametrize("steps", [3, None])
    def test_a_bar_an_epoch(self, style, steps, monkeypatch):
        """Named on its own line, with the numbers of History."""
        monkeypatch.setenv("COLUMNS", "150")
        screen = Screen()

        play_fit(ProgbarLogger(style=style, stream=screen), steps=steps)

        ends = screen.getvalue().splitlines()
        assert "Epoch 2/2" in ends[-1]
        assert "3/3" in ends[-1]
        assert "loss=1.0000e-04" in ends[-1]
        assert "val_loss=2.0000" in ends[-1]

    @pytest.mark.usefixtures("on_screen")
    @pytest.mark.parametrize(
        ("play", "title"),
        [(play_evaluate, "Evaluate"), (play_predict, "Predict")],
    )
    def test_an_evaluation_or_prediction(self, style, play, title):
        """Says what it is."""
        screen = Screen()

        play(ProgbarLogger(style=style, stream=screen))

        assert title in screen.getvalue()

    @pytest.mark.parametrize("verbose", [1, 2])
    def test_one_line_an_epoch_where_there_is_no_terminal(
        self, style, verbose, capsys
    ):
        """The same as in the style of Keras."""
        play_fit(ProgbarLogger(), verbose=verbose)
        theirs = capsys.readouterr().out
        play_fit(ProgbarLogger(style=style), verbose=verbose)

        assert untimed(capsys.readouterr().out) == untimed(theirs)

    def test_silence(self, style, capsys):
        """`verbose=0` is that in every style."""
        play_fit(ProgbarLogger(style=style), verbose=0)

        assert capsys.readouterr().out == ""

    @pytest.mark.usefixtures("on_screen")
    def test_fit_that_failed_is_followed_by_a_bar_of_its_own(self, style):
        """What was left open is closed first."""
        screen = Screen()
        logger = ProgbarLogger(style=style, stream=screen)
        logger.set_params({"verbose": 1, "epochs": 2, "steps": 3})
        logger.on_train_begin({})
        logger.on_epoch_begin(0, {})
        logger.on_train_batch_end(0, {"loss": 0.5})

        play_evaluate(logger)

        *_, left, own, _ = screen.getvalue().split("\n")
        assert "Epoch 1/2" in left
        assert "Evaluate" in own

    def test_missing_package(self, monkeypatch):
        """Told by the constructor, with the line that brings it."""
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

        with pytest.raises(
            MissingDependency, match=r"pip install 'kerascb\[progress\]'"
        ):
            ProgbarLogger(style="rich")


class TestNewArguments:
    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ({"style": "fancy"}, "`style`.*'fancy'"),
            ({"stream": "log.txt"}, "text stream.*'log.txt'.*no `write`"),
            ({"refresh_s": -1}, "`refresh_s`.*-1"),
            ({"refresh_s": None}, "`refresh_s`.*None"),
            ({"refresh_s": float("nan")}, "`refresh_s`.*nan"),
            ({"refresh_s": True}, "`refresh_s`.*True"),
            ({"line_every_s": 0}, "`line_every_s`.*=0"),
            ({"line_every_s": "1m"}, "`line_every_s`.*'1m'"),
        ],
    )
    def test_nonsense_is_refused_at_once(self, arguments, told):
        """With what was given, and what can be given."""
        with pytest.raises(InvalidArgument, match=told):
            ProgbarLogger(**arguments)

    def test_only_by_name(self):
        """Positions are upstream's."""
        with pytest.raises(TypeError):
            ProgbarLogger("steps", None, "keras")


class TestOneBar:
    def test_is_stock_s_to_the_keras_in_force(self, stock):
        """So that Keras adds none of its own."""
        assert isinstance(ProgbarLogger(), stock("ProgbarLogger"))

    @pytest.fixture
    def other_keras(self, runtime):
        """The Keras that is not in force."""
        is_legacy = runtime.package == "tf_keras"
        return pytest.importorskip("keras" if is_legacy else "tf_keras")

    @pytest.mark.parametrize("play", [play_fit, play_evaluate, play_predict])
    def test_silent_for_a_model_of_another_keras(
        self, play, other_keras, capsys
    ):
        """That Keras does not know it and draws a bar of its own."""
        home = f"{other_keras.__name__}.models"
        foreign = type("Foreign", (Model,), {"__module__": home})
        logger = ProgbarLogger()

        play(logger, model=foreign())

        assert capsys.readouterr().out == ""
        assert is_default(logger.on_train_batch_end)

    @pytest.mark.fit
    def test_fit_of_another_keras_has_one_bar(self, other_keras, data, capsys):
        """Each epoch is named once."""
        x, _ = data
        model = other_keras.Sequential([other_keras.layers.Dense(4)])
        model.compile("sgd", "mse")

        model.fit(x, x, epochs=2, verbose=2, callbacks=[ProgbarLogger()])

        assert capsys.readouterr().out.count("Epoch 1/2") == 1


def screen(received):
    """What is left to see: of each line its last drawing, without times."""
    lines = [line.rstrip("\r") for line in received.split("\n")]
    return [untimed(line.rpartition("\r")[2]).rstrip() for line in lines]


@pytest.mark.fit
class TestRealFits:
    def test_terminal_shows_the_same(
        self, on_terminal, make_model, data, stock_logger
    ):
        """Fit with validation, evaluate and predict leave stock's lines."""
        x, y = data

        def train(build):
            model = make_model()
            model.fit(
                x,
                y,
                epochs=2,
                batch_size=8,
                validation_data=data,
                verbose=1,
                callbacks=[build()],
            )
            model.evaluate(x, y, verbose=1, callbacks=[build()])
            model.predict(x, verbose=1, callbacks=[build()])

        theirs = screen(on_terminal(lambda: train(stock_logger)))
        ours = screen(on_terminal(lambda: train(ProgbarLogger)))

        assert ours == theirs

    def test_evaluation_after_a_fit_that_failed(self, make_model, data, capsys):
        """Its validation was silent, and `evaluate` has its bar again."""

        class Fail(Callback):
            def on_epoch_end(self, epoch, logs=None):
                raise RuntimeError("full disk")

        x, y = data
        logger, model = ProgbarLogger(), make_model()
        with pytest.raises(RuntimeError, match="full disk"):
            model.fit(
                x,
                y,
                validation_data=data,
                verbose=2,
                callbacks=[Fail(), logger],
            )
        assert capsys.readouterr().out == ""

        model.evaluate(x, y, verbose=2, callbacks=[logger])

        assert "1/1 - " in capsys.readouterr().out

    def test_verbose_2_prints_the_same(
        self, runtime, make_model, data, tmp_path
    ):
        """Lines, History and attributes are stock's."""
        arguments = [] if runtime.name == "keras3" else ["steps"]
        stock, ours = compare(
            runtime,
            lambda classes: [classes.ProgbarLogger(*arguments)],
            make_model,
            data,
            tmp_path,
            verbose=2,
            batch_size=8,
        )

        assert_equal_runs(stock, ours, "target", "verbose", "epochs")
        assert "3/3 - " in ours.printed

    @pytest.mark.filterwarnings("ignore:Your input ran out of data")
    @pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")
    @pytest.mark.parametrize("verbose", [0, 1, 2])
    def test_infers_the_steps_of_a_dataset_of_unknown_size(
        self, tensorflow, make_model, data, verbose, capsys
    ):
        """Five batches that nobody could count beforehand."""
        x, y = data
        batches = tensorflow.data.Dataset.from_tensor_slices((x[:20], y[:20]))
        batches = batches.batch(4).filter(lambda a, b: True)
        logger = ProgbarLogger("steps")

        make_model().fit(batches, epochs=2, verbose=verbose, callbacks=[logger])

        assert (logger.target, logger.seen) == (5, 5)
        assert logger.progbar.target == 5
