"""`python -m benchmarks`: measures, and reports what was measured."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from benchmarks import backends, machine, report, tables
from benchmarks.results import Run, write

CASES = (
    "full_stack",
    "step_overhead",
    "hooks",
    "scaling",
    "tensorboard",
    "progress_bar",
    "remote_monitor",
    "early_stopping",
    "import_time",
    "growth_steps",
    "growth_list",
    "growth_epochs",
    "checkpoints",
    "memory",
    "many_checkpoints",
    "backups",
    "backups_auto",
)


def main(arguments: list[str]) -> int:
    """Runs what the command line asks for; returns the exit status."""
    if arguments[:1] == ["report"]:
        return report.main(arguments[1:])
    parser = _parser()
    wanted = parser.parse_args(arguments)
    unknown = sorted(set(wanted.cases) - set(CASES))
    if unknown:
        parser.error(f"no such case: {', '.join(unknown)}")
    try:
        backends.choose(wanted.backend, wanted.device)
    except backends.Unavailable as error:
        parser.error(str(error))
    run = _measure(wanted.cases or list(CASES), is_quick=wanted.quick)
    if wanted.json:
        write(wanted.json, run)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures stock's callbacks and kerascb's in one run.",
        epilog="`python -m benchmarks report FILE…` makes tables and a "
        "picture of what was measured.",
    )
    parser.add_argument(
        "cases",
        nargs="*",
        metavar="CASE",
        help=f"{', '.join(CASES)}; all of them, if none is named",
    )
    parser.add_argument(
        "--backend",
        choices=backends.BACKENDS,
        help="the engine below Keras 3, or tf_keras; by default what the "
        "environment says",
    )
    parser.add_argument(
        "--device",
        choices=backends.DEVICES,
        default="cpu",
        help="where to train; `gpu` is whichever the backend sees",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="only see it run: no figure counts",
    )
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="write every measurement there, for `report`",
    )
    return parser


def _measure(cases: list[str], *, is_quick: bool) -> Run:
    stamp = machine.stamp()
    print(machine.in_words(stamp), flush=True)
    print(tables.HEADING)
    done = []
    for case in cases:
        # Not before `backends.choose`: cases import the Keras that is chosen.
        module = importlib.import_module(f"benchmarks.{case}")
        for result in module.run(quick=is_quick):
            print(tables.as_text(result, is_quick=is_quick), flush=True)
            done.append(result)
    return Run(stamp, is_quick, tuple(done))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
