"""`python -m benchmarks [CASE…] [--quick] [--json FILE]`."""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

from benchmarks.measure import machine, table, write_json
from kerascb import runtime

CASES = (
    "step_overhead",
    "checkpoints",
    "memory",
    "many_checkpoints",
    "backups",
)


def main() -> int:
    """Runs the cases asked for and prints one table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__
    )
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help=", ".join(CASES)
    )
    parser.add_argument("--quick", action="store_true", help="only see it run")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.cases) - set(CASES))
    if unknown:
        parser.error(f"no such case: {', '.join(unknown)}")
    results = []
    for case in arguments.cases or CASES:
        module = importlib.import_module(f"benchmarks.{case}")
        results += module.run(quick=arguments.quick)
    in_force = runtime.in_force()
    stamp = machine(in_force.backend)
    print(f"{in_force.package} {in_force.version} on {stamp['cpu']}")
    print(table(results))
    if arguments.json:
        write_json(arguments.json, results, stamp)
    return 0


if __name__ == "__main__":
    sys.exit(main())
