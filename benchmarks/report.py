"""`python -m benchmarks report FILE…`: tables and a picture of results."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import pictures, results, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

BEGIN = "<!-- what `python -m benchmarks report --into` writes: begin -->"
END = "<!-- what `python -m benchmarks report --into` writes: end -->"


def main(arguments: list[str]) -> int:
    """Prints Markdown, or puts it into a document; draws a picture."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks report", description=__doc__
    )
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="what `python -m benchmarks --json FILE` has written",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="PNG", help="draw a picture"
    )
    parser.add_argument(
        "--into",
        type=Path,
        metavar="MARKDOWN",
        help="replace what stands between the two marks in a document",
    )
    wanted = parser.parse_args(arguments)
    runs = [results.read(file) for file in wanted.files]
    text = markdown(runs)
    if wanted.into is None:
        print(text)
    else:
        document = wanted.into.read_text(encoding="utf-8")
        try:
            document = put_into(document, text)
        except ValueError as error:
            parser.error(f"{wanted.into}: {error}")
        wanted.into.write_text(document, encoding="utf-8")
    if wanted.output is not None:
        try:
            pictures.draw(runs, wanted.output)
        except ValueError as error:
            parser.error(str(error))
    return 0


def markdown(runs: Sequence[results.Run]) -> str:
    """The tables of several runs, one below the other."""
    return "\n\n".join(map(tables.as_markdown, runs))


def put_into(document: str, text: str) -> str:
    """A document with another text between its marks.

    Raises:
        ValueError: If the marks are not there, each once and in order.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"needs the lines {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"
