"""Paths with placeholders."""

import pytest

from kerascb.checkpoint.path_template import check, fields_of, fill, pattern_of
from kerascb.errors import InvalidArgument, UnfillablePath


@pytest.mark.parametrize(
    ("template", "values", "path"),
    [
        ("m.keras", {}, "m.keras"),
        ("{epoch:02d}-{loss:.2f}", {"epoch": 3, "loss": 0.126}, "03-0.13"),
        ("{{literal}}-{epoch}", {"epoch": 1}, "{literal}-1"),
        ("{epoch!r}", {"epoch": 1}, "1"),
    ],
)
def test_fills(template, values, path):
    """A template is filled as `str.format` fills it."""
    assert fill(template, values) == (path, [])


@pytest.mark.parametrize(
    "template", ["{a:.2f}", "{a:02d}", "{a}", "{a!s}", "{a.b:.1f}", "{a[0]}"]
)
def test_a_missing_value_stands_by_its_name(template):
    """Whatever format is asked of it, the name takes its place."""
    assert fill(template, {}) == ("a", ["a"])


def test_fields():
    """Names are read off without their formats."""
    assert fields_of("x{epoch:02d}{logs.a}{{no}}") == ["epoch", "logs"]


@pytest.mark.parametrize(
    "template",
    ["{}", "{0}", "{epoch", "epoch}", "{epoch:zz}", "{epoch.x}", "{epoch!x}"],
)
def test_unreadable_templates_are_refused(template):
    """A template that nothing could fill is refused with the reason."""
    with pytest.raises(InvalidArgument, match="Failed to format this callback"):
        check(template, lambda name: True, [])


@pytest.mark.parametrize("template", ["{loss:03d}", "{loss:s}", "{loss.x}"])
def test_formats_that_a_number_does_not_have(template):
    """A metric is a float; what cannot show one is refused."""
    with pytest.raises(InvalidArgument, match="Failed to format this callback"):
        check(template, lambda name: True, ["loss"])


def test_a_name_that_never_comes_is_refused():
    """The error is Keras's, and says what there will be."""
    with pytest.raises(UnfillablePath) as error:
        check(
            "{epoch}-{val_los}", {"epoch"}.__contains__, ["epoch", "val_loss"]
        )

    assert str(error.value) == (
        'Failed to format this callback filepath: "{epoch}-{val_los}". '
        "Reason: no epoch has a value for 'val_los'. Did you mean 'val_loss'? "
        "There will be: epoch, val_loss."
    )


@pytest.mark.parametrize("kind", [KeyError, ValueError])
def test_it_is_caught_as_what_keras_raises(kind):
    """Code that catches Keras's `KeyError` keeps working."""
    with pytest.raises(kind):
        check("{x}", lambda name: False, [])


@pytest.mark.parametrize(
    ("template", "name", "matches"),
    [
        ("w.{epoch:02d}.h5", "w.03.h5", True),
        ("w.{epoch:02d}.h5", "w_03.h5", False),
        ("w.{epoch:02d}-{loss:.2f}.h5", "w.03.h5", False),
        ("w.h5", "w.h5.bak", False),
        ("w{{1}}.h5", "w{1}.h5", True),
    ],
)
def test_pattern(template, name, matches):
    """The text between placeholders is matched as it stands."""
    assert bool(pattern_of(template).fullmatch(name)) is matches


def test_a_value_that_is_no_number_may_be_looked_into():
    """`F1Score` logs a value for each class."""
    check("{f1[0]:.2f}", {"f1"}.__contains__, ["f1"])
