"""The README is true."""

import re
from pathlib import Path

import pytest

from kerascb import _names

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.M | re.S)
PYTHON = [code for language, code in BLOCKS if language == "python"]


def test_begins_with_two_commands():
    """One runs the main job, one passes the tests; CI calls the second."""
    language, code = BLOCKS[0]
    run, test = code.splitlines()

    assert language == "sh"
    assert run.endswith("python examples/quickstart.py")
    assert test.endswith("python -m tests")


@pytest.mark.parametrize("code", PYTHON)
def test_its_code_runs(code):
    """Each Python block, as it stands."""
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102


@pytest.mark.parametrize("name", [*_names.CALLBACKS, *_names.EXPERIMENTAL])
def test_names_every_class(name):
    """Nobody has to guess what there is."""
    assert name in README


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#:]+)\)", README))
def test_its_links_lead_somewhere(link):
    """Each points at a file of the repository."""
    assert (ROOT / link).exists()
