"""The peers' tests that cannot pass with our classes, each with its reason.

Strict both ways: one that passes fails the run, and so does one that is not
there any more.
"""

from __future__ import annotations

_BACKUP = "backup_and_restore_test.py::BackupAndRestoreCallbackTest"
_MULTI_OPTIMIZER = "multi_optimizer_test.py::MultiOptimizerTest"

EXPECTED_FAILURES: dict[str, dict[str, str]] = {
    "keras": {
        f"{_BACKUP}::test_backup_corrupted": (
            "Raises in another callback at the end of an epoch, and wants that "
            "epoch backed up. Ours backs up when all callbacks have done their "
            "part, so that their order makes no difference."
        ),
        f"{_BACKUP}::test_best_case_step": (
            "Wants batches trained twice: the whole epoch again, after a "
            "restore within it. Ours goes on with the next batch."
        ),
        f"{_MULTI_OPTIMIZER}::test_swap_ema_weights_with_multi_optimizer": (
            "Reads the optimizer's private averages during an evaluation, and "
            "wants the weights there. Ours keeps the weights aside, so that "
            "an evaluation that fails spoils neither."
        ),
    },
    "tf_keras": {},
}
"""Package → test → why it fails."""
