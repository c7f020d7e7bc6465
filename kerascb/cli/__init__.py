"""The command line: `python -m kerascb COMMAND …`.

Each command is a module with `add_parser`, which adds it to the command line
and gives its parser a default `run`: the arguments parsed → the exit status.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from kerascb import __version__
from kerascb.cli import checkpoints, run, swap

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        arguments: What follows `python -m kerascb`; `sys.argv` by default.

    Returns:
        The exit status.

    Raises:
        SystemExit: With status 2 if there is no such command, or not with
            such arguments.
    """
    parser = argparse.ArgumentParser(
        prog="python -m kerascb",
        description="tf.keras.callbacks, done again: a drop-in.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--version", action="version", version=f"kerascb {__version__}"
    )
    subparsers = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True
    )
    for command in (run, swap, checkpoints):
        command.add_parser(subparsers)
    parsed = parser.parse_args(arguments)
    status: int = parsed.run(parsed)
    return status
