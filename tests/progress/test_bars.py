"""Where text is seen: over itself, or line by line."""

import pytest

from kerascb.progress import Keras2Look, Lines, Reading, Redrawn


def reading(seen, *values, is_last=False):
    """A reading of ten steps."""
    return Reading(seen, 10, 0.1, 0.02, values, is_last)


@pytest.fixture
def writes():
    """What was written, one entry a write."""
    return []


@pytest.fixture
def make(writes):
    """Makes a bar of a terminal that is so wide."""
    return lambda columns=None: Redrawn(
        writes.append, Keras2Look(), lambda: columns
    )


class TestRedrawn:
    def test_no_flicker(self, make, writes):
        """Each drawing is one write, which begins by going back."""
        bar = make()
        for seen in (1, 2):
            bar.show(reading(seen, ("a", 1.0)))

        assert len(writes) == 2
        width = len(writes[0]) - 1
        assert writes[1].startswith("\b" * width + "\r 2/10 [")

    def test_rest_of_a_longer_drawing_is_erased(self, make, writes):
        """Nothing of it stays behind the new one."""
        bar = make()
        bar.show(reading(1, ("a_long_name", 1.0)))
        bar.show(reading(2))

        assert writes[1].endswith(" " * len(" - a_long_name: 1.0000"))

    def test_last_one_ends_its_line(self, make, writes):
        """What is printed next begins a line."""
        make().show(reading(10, is_last=True))

        assert writes[0].endswith("\n")

    def test_narrow_terminals_are_not_flooded(self, make, writes):
        """A bar that would wrap is cut, so that it can be drawn over."""
        make(columns=60).show(reading(1, ("loss", 1.0), ("accuracy", 1.0)))

        assert len(writes[0].strip("\r\b")) == 59
        assert " - loss" in writes[0]

    def test_what_stays_is_whole(self, make, writes):
        """The end of an epoch wraps, where it has to."""
        make(columns=60).show(
            reading(10, ("loss", 1.0), ("accuracy", 1.0), is_last=True)
        )

        assert writes[0].endswith(" - accuracy: 1.0000\n")

    def test_terminal_narrower_than_the_bar_itself(self, make, writes):
        """Then there are no values."""
        make(columns=20).show(reading(1, ("loss", 1.0)))

        assert "loss" not in writes[0]


class TestLines:
    def test_a_line_each(self, writes):
        """No control characters."""
        lines = Lines(writes.append, Keras2Look())
        lines.show(reading(10, ("a", 1.0), is_last=True))
        lines.close()

        assert writes == ["10/10 - 0s - a: 1.0000 - 100ms/epoch - 10ms/step\n"]
