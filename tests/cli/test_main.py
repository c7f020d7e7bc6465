"""`python -m kerascb`, before any command."""

import re

import pytest

import kerascb
from kerascb.cli import main


@pytest.mark.parametrize("command", ["run", "swap", "checkpoints"])
def test_help_names_every_command(command, capsys):
    """What there is can be found without the documents."""
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])

    assert re.search(rf"\n    {command}\s", capsys.readouterr().out)


@pytest.mark.parametrize("arguments", [[], ["swop"], ["--swap"]])
def test_refuses_what_is_no_command(arguments, capsys):
    """The usage is shown, and the exit status is 2."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)

    assert "usage: python -m kerascb" in capsys.readouterr().err


def test_tells_its_version(capsys):
    """What to name in a report."""
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])

    assert capsys.readouterr().out == f"kerascb {kerascb.__version__}\n"
