"""`python -m tests.peers …`: the peers' tests; arguments go to pytest.

Which Keras's tests: those of the Keras in force, so `TF_USE_LEGACY_KERAS=1`
picks tf_keras. Example: `python -m tests.peers -k EarlyStopping -x`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from kerascb import runtime
from tests.peers import harness


def main() -> int:
    """Runs the tests; returns pytest's exit status, or 77 without tests."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            files = (
                harness.keras_tests()
                if runtime.in_force().name == "keras3"
                else harness.tf_keras_tests(Path(folder))
            )
        except harness.Unavailable as reason:
            sys.stdout.write(f"Skipped: {reason}\n")
            return 77
        return harness.run(files, sys.argv[1:], capture=False).returncode


if __name__ == "__main__":
    sys.exit(main())
