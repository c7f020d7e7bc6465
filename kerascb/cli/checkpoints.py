"""`kerascb checkpoints DIR`: which there are, and whether they are whole."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from kerascb.checkpoint.catalog.records import Record

_OK, _DAMAGED, _NO_SUCH_DIRECTORY = 0, 1, 2
_UNITS = ("B", "kB", "MB", "GB", "TB")
_THOUSAND = 1000
_RIGHT = frozenset({"epoch", "batch", "step", "size"})


def add_parser(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser],
) -> argparse.ArgumentParser:
    """Adds `checkpoints` to a command line.

    Args:
        subparsers: What `ArgumentParser.add_subparsers` returns.

    Returns:
        The parser added. Its default `run` takes the arguments parsed and
        returns the exit status.
    """
    parser = subparsers.add_parser(
        "checkpoints",
        help="list the checkpoints of a directory, and check them",
        description=(
            "Lists the checkpoints of a directory, oldest first, with what "
            "was noted of each when it was saved."
        ),
    )
    parser.add_argument("directory", metavar="DIR", help="where to look")
    parser.add_argument(
        "--verify",
        action="store_true",
        help="read them and compare them with their checksums; exit with 1 if "
        "one is damaged",
    )
    parser.set_defaults(
        run=lambda parsed: run(parsed.directory, verify=parsed.verify)
    )
    return parser


def run(
    directory: str, *, verify: bool = False, out: TextIO | None = None
) -> int:
    """Prints the checkpoints of a directory as a table.

    Args:
        directory: Where to look.
        verify: Read each and say whether it is whole.
        out: Where to print; standard output by default.

    Returns:
        The exit status: 0; 1 if a checkpoint is damaged or missing, which
        only `verify` finds out; 2 if there is no such directory.
    """
    # Here, so that the other commands do without NumPy and h5py.
    from kerascb.checkpoint.catalog.records import survey  # noqa: PLC0415

    out = out or sys.stdout
    try:
        found = survey(directory)
    except (FileNotFoundError, NotADirectoryError) as error:
        sys.stderr.write(f"{error}\n")
        return _NO_SUCH_DIRECTORY
    records = [one for one in found.records if verify or not one.is_missing]
    damage = [one.verify() if verify else [] for one in records]
    _print_table(records, damage if verify else None, out)
    for sentence in (sentence for one in damage for sentence in one):
        out.write(f"{sentence}\n")
    if found.unreadable:
        out.write(
            f"The manifest has damaged lines ({found.unreadable}), as a kill "
            "may leave; a checkpoint that only they list is unverified.\n"
        )
    return _DAMAGED if any(damage) else _OK


def _print_table(
    records: Sequence[Record],
    damage: Sequence[Sequence[str]] | None,
    out: TextIO,
) -> None:
    if not records:
        out.write("No checkpoints.\n")
        return
    rows = [_row(record) for record in records]
    if damage is not None:
        for row, record, found in zip(rows, records, damage, strict=True):
            row["whole"] = _verdict(record, found)
    names = [name for name in rows[0] if any(row[name] for row in rows)]
    widths = {
        name: max(len(name), *(len(row[name]) for row in rows))
        for name in names
    }
    _write_line(dict(zip(names, names, strict=True)), widths, out)
    for row in rows:
        _write_line(row, widths, out)


def _write_line(
    row: dict[str, str], widths: dict[str, int], out: TextIO
) -> None:
    cells = (
        row[name].rjust(width) if name in _RIGHT else row[name].ljust(width)
        for name, width in widths.items()
    )
    line = "  ".join(cells).rstrip()
    encoding = out.encoding or "utf-8"
    out.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def _row(record: Record) -> dict[str, str]:
    return {
        "path": record.path,
        "epoch": _text(record.epoch),
        "batch": _text(record.batch),
        "step": _text(record.step),
        "metrics": _metrics(record.metrics.items()),
        "size": _size(record.size),
        "written": time.strftime(
            "%Y-%m-%d %H:%M:%S", time.localtime(record.time)
        ),
    }


def _verdict(record: Record, damage: Sequence[str]) -> str:
    if record.is_missing:
        return "missing"
    if damage:
        return "DAMAGED"
    return "yes" if record.has_checksums else "no checksum; opens"


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


def _metrics(metrics: Iterable[tuple[str, float]]) -> str:
    return " ".join(f"{name}={value:.4g}" for name, value in metrics)


def _size(size: float) -> str:
    """Bytes in the largest unit that keeps three digits before the point.

    Example:
        >>> _size(999), _size(18_393), _size(403e6)
        ('999 B', '18.4 kB', '403 MB')
    """
    unit = 0
    # What would be rounded to 1000 of a unit is 1 of the next.
    while size >= _THOUSAND - 0.5 and unit < len(_UNITS) - 1:
        size /= _THOUSAND
        unit += 1
    digits = 0 if unit == 0 or size >= 99.95 else 1  # noqa: PLR2004
    return f"{size:.{digits}f} {_UNITS[unit]}"
