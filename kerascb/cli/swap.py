"""`kerascb swap PATH…`: turn the imports of existing code to kerascb.

Says what it would do, as a diff, and what it leaves to its user; does it
with `--write`. The rewriting is in `_rewrite` and `_notebook`, which need
libcst; this module imports them when it runs.
"""

from __future__ import annotations

import dataclasses
import difflib
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from kerascb.cli._draft import SourceError
from kerascb.cli._files import (
    NOTEBOOK,
    SourceFile,
    find_sources,
    read_source,
    write_source,
)
from kerascb.errors import MissingDependency

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from kerascb.cli._rewrite import Rewritten

    Rewriter = Callable[[SourceFile], Rewritten]

_OK, _FAILED, _NO_SUCH_PATH = 0, 1, 2


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Adds `swap` to a command line.

    Args:
        subparsers: What `ArgumentParser.add_subparsers` returns.

    Returns:
        The parser added. Its default `run` takes the arguments parsed and
        returns the exit status.
    """
    parser = subparsers.add_parser(
        "swap",
        help="turn the imports of existing code to kerascb",
        description=(
            "Shows how the files would have to change to use kerascb in the "
            "place of tf.keras.callbacks, and what it cannot decide."
        ),
    )
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="+",
        help="a Python file, a notebook, or a directory of them",
    )
    parser.add_argument("--write", action="store_true", help="change the files")
    parser.set_defaults(run=_run_parsed)
    return parser


def _run_parsed(parsed: argparse.Namespace) -> int:
    try:
        return run(parsed.paths, write=parsed.write)
    except MissingDependency as error:
        sys.stderr.write(f"{error}\n")
        return _FAILED


def run(
    paths: Sequence[str], *, write: bool = False, out: TextIO | None = None
) -> int:
    """Swaps the imports of files.

    Args:
        paths: Python files, notebooks, and directories to search for them.
        write: Change the files; otherwise only show how.
        out: Where diffs and notes go; standard output by default.

    Returns:
        The exit status: 0 if all went well, also if nothing was to do; 1 if
        a file could not be read, understood or written, whatever became of
        the others; 2, and nothing done, if a path does not exist.

    Raises:
        MissingDependency: If libcst is not installed.
    """
    rewrite = _load_rewriter()
    report = _Report(out or sys.stdout)
    absent = [path for path in paths if not Path(path).exists()]
    if absent:
        report.say(*(f"{path}: no such file or directory\n" for path in absent))
        return _NO_SUCH_PATH
    for path in find_sources(paths):
        try:
            file = read_source(path)
            rewritten = rewrite(file)
            if write and rewritten.source != file.text:
                write_source(file, rewritten.source)
        except (OSError, SourceError) as error:  # noqa: PERF203 - one file
            report.add_failure(path, error)
        else:
            report.add(file, rewritten)
    report.conclude(is_written=write)
    return _FAILED if report.failures else _OK


def _load_rewriter() -> Rewriter:
    try:
        # Here, so that the other commands do without libcst.
        from kerascb.cli._notebook import rewrite_notebook  # noqa: PLC0415
        from kerascb.cli._rewrite import rewrite  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "libcst":
            raise
        raise MissingDependency("kerascb swap", "libcst", "swap") from error

    def rewriter(file: SourceFile) -> Rewritten:
        is_notebook = file.path.suffix == NOTEBOOK
        return (rewrite_notebook if is_notebook else rewrite)(file.text)

    return rewriter


@dataclasses.dataclass
class _Report:
    """What is told of a run: diffs at once, the rest at its end."""

    out: TextIO
    swapped: int = 0
    notes: list[str] = dataclasses.field(default_factory=list)
    failures: list[str] = dataclasses.field(default_factory=list)

    def add(self, file: SourceFile, rewritten: Rewritten) -> None:
        for note in rewritten.notes:
            cell = f"cell {note.cell}:" if note.cell else ""
            place = f"{file.path}:{cell}{note.line}"
            self.notes.append(f"{place}: {note.reason}\n")
        if rewritten.source != file.text:
            self.swapped += 1
            self.say(*_diff(file, rewritten.source))

    def add_failure(self, path: Path, error: Exception) -> None:
        self.failures.append(f"{path}: {error}\n")

    def conclude(self, *, is_written: bool) -> None:
        if self.notes:
            self.say("\nFor you to look at:\n", *self.notes)
        if self.failures:
            self.say("\nNot handled:\n", *self.failures)
        if not self.swapped:
            self.say("Nothing to swap.\n")
            return
        files = "1 file" if self.swapped == 1 else f"{self.swapped} files"
        if is_written:
            self.say(f"\n{files} swapped.\n")
        else:
            self.say(f"\n{files} to swap; --write does it.\n")

    def say(self, *texts: str) -> None:
        # A terminal that cannot show a letter of a diff is no reason to
        # stop between two files.
        encoding = self.out.encoding or "utf-8"
        for text in texts:
            data = text.encode(encoding, "backslashreplace")
            self.out.write(data.decode(encoding))


def _diff(file: SourceFile, new: str) -> Iterator[str]:
    """Yields a unified diff that `patch -p1` and `git apply` accept."""
    path = file.path.as_posix()
    is_local = not file.path.is_absolute()
    names = (f"a/{path}", f"b/{path}") if is_local else (path, path)
    for line in difflib.unified_diff(_lines(file.text), _lines(new), *names):
        yield line
        if not line.endswith("\n"):
            yield "\n\\ No newline at end of file\n"


def _lines(text: str) -> list[str]:
    # `splitlines` also splits at form feeds, which patch does not.
    return list(io.StringIO(text, newline="\n"))
