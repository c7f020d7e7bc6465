"""Bars that packages draw."""

import importlib.util
import io
import threading

import pytest

from kerascb import progress
from kerascb.errors import InvalidArgument, MissingDependency
from kerascb.progress import Reading

LIBRARIES = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            importlib.util.find_spec(name) is None, reason=f"needs {name}"
        ),
    )
    for name in ("rich", "tqdm")
]


class Screen(io.StringIO):
    """A stream that claims to be a terminal, and keeps each write."""

    def __init__(self, encoding="utf-8"):
        super().__init__()
        self.writes = []
        self._encoding = encoding

    @property
    def encoding(self):
        """What it takes."""
        return self._encoding

    def isatty(self):
        """It is none."""
        return True

    def write(self, text):
        """Keeps what is written."""
        if text:
            self.writes.append(text)
        return super().write(text)


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch):
    """A terminal that is wide enough."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "150")


def reading(seen, target=10, *, is_last=False, loss=0.25):
    """A reading with one value."""
    values = (("loss", loss), ("[red]odd", 0.0001))
    return Reading(seen, target, 0.1, 0.02, values, is_last)


@pytest.mark.parametrize("style", LIBRARIES)
class TestLibraries:
    def test_shows_title_count_and_values(self, style):
        """With the numbers as Keras writes them."""
        screen = Screen()
        bar = progress.library_bar(style, "Epoch 1/2", 10, screen)
        bar.show(reading(5))
        bar.show(reading(10, is_last=True))

        shown = screen.getvalue()
        assert "Epoch 1/2" in shown
        assert "10/10" in shown
        assert "loss=0.2500" in shown
        assert "[red]odd=1.0000e-04" in shown
        assert shown.endswith("\n")

    def test_unknown_length_shows_the_count(self, style):
        """And how long it was, in the end."""
        screen = Screen()
        bar = progress.library_bar(style, "Epoch 1/2", None, screen)
        bar.show(reading(5, None))

        assert "5" in screen.getvalue()
        bar.show(reading(7, 7, is_last=True))
        assert "7/7" in screen.getvalue()

    def test_values_that_end_an_epoch_are_never_cut(self, style, monkeypatch):
        """However narrow the terminal."""
        monkeypatch.setenv("COLUMNS", "40")
        screen = Screen()
        bar = progress.library_bar(style, "Epoch 1/2", 10, screen)
        bar.show(reading(5, loss=0.5))
        bar.show(reading(10, is_last=True))

        assert "loss=0.2500" in screen.getvalue()
        assert "odd=1.0000e-04" in screen.getvalue()

    def test_one_write_a_drawing(self, style):
        """A bar that is drawn bit by bit flickers."""
        screen = Screen()
        bar = progress.library_bar(style, "", 10, screen)
        bar.show(reading(1))
        before = len(screen.writes)
        bar.show(reading(2))
        after = len(screen.writes)
        bar.close()

        assert after - before == 1

    def test_ascii_where_the_encoding_cannot_do_better(self, style):
        """The library knows how."""
        screen = Screen("ascii")
        bar = progress.library_bar(style, "", 10, screen)
        bar.show(reading(5))
        bar.show(reading(10, is_last=True))

        assert screen.getvalue().isascii()

    def test_leaves_no_thread_and_no_hidden_cursor(self, style):
        """A fit that fails never comes to the end of its bar."""
        screen, before = Screen(), threading.active_count()
        bar = progress.library_bar(style, "", 10, screen)
        bar.show(reading(5))

        assert threading.active_count() == before
        assert "\x1b[?25l" not in screen.getvalue()
        bar.close()
        bar.close()


class TestRequire:
    @pytest.mark.parametrize("style", ["auto", "keras"])
    def test_styles_of_keras_need_nothing(self, style):
        """They are drawn here."""
        progress.require(style)

        assert not progress.is_drawn_by_a_library(style)

    @pytest.mark.parametrize("style", ["", "Rich", None, 3])
    def test_unknown_style(self, style):
        """Told with what there is."""
        with pytest.raises(InvalidArgument, match=r"tqdm.*got style="):
            progress.require(style)

    @pytest.mark.parametrize("style", ["rich", "tqdm"])
    def test_missing_package(self, style, monkeypatch):
        """Told with the line that brings it."""
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

        with pytest.raises(MissingDependency) as told:
            progress.require(style)

        assert str(told.value) == (
            f'ProgbarLogger(style="{style}") requires the `{style}` library. '
            "pip install 'kerascb[progress]'"
        )
