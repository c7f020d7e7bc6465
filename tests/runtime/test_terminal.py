"""Which streams can be drawn over, and what the others get."""

import io
import os
import sys
from types import SimpleNamespace

import pytest

from kerascb.runtime import _terminal


class Stream(io.StringIO):
    """A stream that claims what a test wants."""

    def __init__(self, is_terminal=False, descriptor=None):
        super().__init__()
        self._is_terminal = is_terminal
        self._descriptor = descriptor

    def isatty(self):
        """Whether it claims to be a terminal."""
        return self._is_terminal

    def fileno(self):
        """What it claims to be written to."""
        if self._descriptor is None:
            raise io.UnsupportedOperation("fileno")
        return self._descriptor


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    """A plain terminal, no PyCharm."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("PYCHARM_HOSTED", raising=False)


@pytest.fixture
def pipe():
    """The writing end of a pipe."""
    reader, writer = os.pipe()
    yield writer
    os.close(reader)
    os.close(writer)


class TestCanRedraw:
    def test_terminal(self):
        """A line on a terminal can be drawn over."""
        assert _terminal.can_redraw(Stream(is_terminal=True))

    def test_terminal_that_declares_itself_dumb(self, monkeypatch):
        """`TERM=dumb` means that control characters are shown as such."""
        monkeypatch.setenv("TERM", "dumb")

        assert not _terminal.can_redraw(Stream(is_terminal=True))

    @pytest.mark.parametrize("stream", [None, Stream(), object()])
    def test_anything_else(self, stream):
        """A file, no stdout at all, a stand-in without `isatty`."""
        assert not _terminal.can_redraw(stream)

    def test_closed_stream(self):
        """A stream that is gone is no reason to fail."""
        stream = io.StringIO()
        stream.close()

        assert not _terminal.can_redraw(stream)

    def test_notebook(self):
        """A cell of a notebook is drawn over, though it is no terminal."""
        kind = type("OutStream", (), {"__module__": "ipykernel.iostream"})

        assert _terminal.can_redraw(kind())

    def test_console_of_pycharm(self, monkeypatch, pipe):
        """PyCharm's console is a pipe and says who it is."""
        monkeypatch.setenv("PYCHARM_HOSTED", "1")

        assert _terminal.can_redraw(Stream(descriptor=pipe))

    def test_log_file_of_a_program_under_pycharm(self, monkeypatch, tmp_path):
        """A file never is a console, whatever the environment says."""
        monkeypatch.setenv("PYCHARM_HOSTED", "1")

        with (tmp_path / "log").open("w", encoding="utf-8") as file:
            assert not _terminal.can_redraw(file)

    def test_text_in_memory_under_pycharm(self, monkeypatch):
        """Neither is a stream without a file descriptor."""
        monkeypatch.setenv("PYCHARM_HOSTED", "1")

        assert not _terminal.can_redraw(Stream())


class TestPrintable:
    @pytest.mark.parametrize(
        ("encoding", "shown"),
        [
            ("utf-8", "é→"),
            ("cp1252", "é\\u2192"),
            ("ascii", "\\xe9\\u2192"),
            (None, "é→"),
        ],
    )
    def test_what_the_encoding_lacks_is_escaped(self, encoding, shown):
        """The text is still all there."""
        stream = SimpleNamespace(encoding=encoding)

        assert _terminal.printable("é→", stream) == shown

    def test_no_stream(self):
        """Without a stdout nothing has to be escaped."""
        assert _terminal.printable("é", None) == "é"


class TestColumns:
    def test_terminal_tells_its_width(self, monkeypatch):
        """Whenever it is asked: windows change."""
        size = os.terminal_size((132, 40))
        monkeypatch.setattr(os, "get_terminal_size", lambda descriptor: size)

        assert _terminal.columns(Stream(is_terminal=True, descriptor=1)) == 132

    @pytest.mark.parametrize(
        "stream",
        [None, Stream(), object(), Stream(is_terminal=True)],
    )
    def test_what_has_no_width(self, stream):
        """Files, no stdout at all, terminals in name only."""
        assert _terminal.columns(stream) is None

    def test_terminal_that_does_not_know(self, monkeypatch):
        """Some say zero."""
        size = os.terminal_size((0, 0))
        monkeypatch.setattr(os, "get_terminal_size", lambda descriptor: size)

        assert _terminal.columns(Stream(is_terminal=True, descriptor=1)) is None


class TestRuntimesSay:
    def test_unicode_error_on_windows_consoles_does_not_end_training(
        self, runtime, monkeypatch
    ):
        """A path or a name beyond cp1252 is printed escaped."""
        written = io.BytesIO()
        stream = io.TextIOWrapper(written, encoding="cp1252", newline="")
        monkeypatch.setattr(sys, "stdout", stream)

        runtime.say("saving model to →.keras")

        assert written.getvalue() == b"saving model to \\u2192.keras\n"
        stream.detach()

    def test_nothing_is_drawn_into_the_log_of_absl(
        self, runtime, keras, monkeypatch
    ):
        """With interactive logging off, a terminal is of no use."""
        monkeypatch.setattr(sys, "stdout", Stream(is_terminal=True))
        settings = keras.config if runtime.name == "keras3" else keras.utils
        before = runtime.can_redraw()

        settings.disable_interactive_logging()
        try:
            after = runtime.can_redraw()
        finally:
            settings.enable_interactive_logging()

        assert (before, after) == (True, False)
