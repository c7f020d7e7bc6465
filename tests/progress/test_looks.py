"""What a bar and a line look like."""

import re

import numpy as np
import pytest

from kerascb.progress import Keras2Look, Keras3Look, Reading
from kerascb.progress.looks import can_encode, clock, number, per

LOOKS = [Keras3Look(), Keras2Look()]


def reading(seen=5, target=10, **rest):
    """Half of ten steps of 20 ms, if nothing else is said."""
    return Reading(
        seen,
        target,
        elapsed_s=rest.pop("elapsed_s", 0.1),
        step_s=rest.pop("step_s", 0.02),
        **rest,
    )


def plain(bar):
    """A bar without its colours."""
    head, width, values = bar
    seen = re.sub("\x1b\\[[0-9;]*m", "", head)
    assert len(seen) == width
    return seen + values


class TestBars:
    @pytest.mark.parametrize(
        ("look", "shown"),
        [
            (
                Keras3Look(),
                " 5/10 ━━━━━━━━━━━━━━━━━━━━ 0s 20ms/step - a: 1.0000",
            ),
            (
                Keras3Look(done="=", to_come="."),
                " 5/10 ==========.......... 0s 20ms/step - a: 1.0000",
            ),
            (
                Keras2Look(),
                " 5/10 [==============>...............] - ETA: 0s - a: 1.0000",
            ),
        ],
    )
    def test_half_way(self, look, shown):
        """Steps, sign of what is done, time to come, values."""
        assert plain(look.bar(reading(values=(("a", 1.0),)))) == shown

    @pytest.mark.parametrize(
        ("look", "shown"),
        [
            (Keras3Look(), "      5/Unknown 0s 20ms/step"),
            (Keras2Look(), "      5/Unknown - 0s 20ms/step"),
        ],
    )
    def test_unknown_length_shows_count_and_pace(self, look, shown):
        """What can be said without an end in sight."""
        assert plain(look.bar(reading(target=None))) == shown

    @pytest.mark.parametrize("look", LOOKS)
    @pytest.mark.parametrize("seen", [0, 1, 9, 10, 11])
    def test_bar_keeps_its_width(self, look, seen):
        """From the first step to beyond the last."""
        (_, one, _), (_, other, _) = (look.bar(reading(s)) for s in (5, seen))

        assert one == other

    def test_green_is_what_is_done(self):
        """Keras 3 tells it by the colour alone."""
        head, *_ = Keras3Look().bar(reading(seen=1))

        assert "\x1b[32m━━\x1b[0m\x1b[37m━━━━━━━━━━━━━━━━━━\x1b[0m" in head

    @pytest.mark.parametrize(
        ("encoding", "signs"),
        [("utf-8", "━━"), (None, "━━"), ("latin-1", "=."), ("ascii", "=.")],
    )
    def test_ascii_where_the_encoding_cannot_do_better(self, encoding, signs):
        """What is done can be told from the rest without a colour."""
        look = Keras3Look.for_encoding(encoding)

        assert look.done + look.to_come == signs


class TestLines:
    @pytest.mark.parametrize(
        ("look", "shown"),
        [
            (Keras3Look(), "10/10 - 0s - 20ms/step - a: 1.0000"),
            (
                Keras2Look(),
                "10/10 - 0s - a: 1.0000 - 200ms/epoch - 20ms/step",
            ),
        ],
    )
    def test_end_of_an_epoch(self, look, shown):
        """The form of `verbose=2`."""
        end = reading(10, values=(("a", 1.0),), elapsed_s=0.2, is_last=True)

        assert look.line(end) == shown

    @pytest.mark.parametrize("look", LOOKS)
    def test_within_an_epoch_of_unknown_length(self, look):
        """Count and pace, no word of an epoch's time."""
        line = look.line(reading(target=None))

        assert line.startswith("      5/Unknown - 0s")
        assert line.endswith("20ms/step")
        assert "epoch" not in line


class TestNumbers:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            (0.5, "0.5000"),
            (-0.5, "-0.5000"),
            (0.001, "1.0000e-03"),
            (float("nan"), "nan"),
            (float("inf"), "inf"),
            (3, "3.0000"),
            (np.float32(0.25), "0.2500"),
            (np.array([1.0, 2.0]), "1.5000"),
            ("best", "best"),
            (None, "None"),
        ],
    )
    def test_value(self, value, shown):
        """Whatever a callback has put into the logs ends no training."""
        assert number(value) == shown

    def test_in_a_line_negative_ones_have_an_exponent(self):
        """As both Keras have it in lines."""
        assert number(-0.5, in_line=True) == "-5.0000e-01"

    @pytest.mark.parametrize(
        ("seconds", "shown"),
        [
            (0, "0s/step"),
            (1e-6, "1us/step"),
            (0.0015, "2ms/step"),
            (61.7, "62s/step"),
        ],
    )
    def test_pace(self, seconds, shown):
        """In the unit that suits."""
        assert per(seconds, "step") == shown

    @pytest.mark.parametrize(
        ("seconds", "shown"),
        [(59.9, "59s"), (60, "60s"), (90, "1:30"), (7322, "2:02:02")],
    )
    def test_time_to_come(self, seconds, shown):
        """Hours and minutes only where there are some."""
        assert clock(seconds) == shown


@pytest.mark.parametrize(
    ("encoding", "can"), [("utf-8", True), ("cp1252", False), (None, True)]
)
def test_can_encode(encoding, can):
    """A stream without an encoding takes any text."""
    assert can_encode("━", encoding) is can
