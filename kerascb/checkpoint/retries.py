"""Trying again what a busy drive refused."""

from __future__ import annotations

import logging

import tenacity

_SHORTEST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30
_HOPELESS = (FileNotFoundError, IsADirectoryError, NotADirectoryError)
"""Errors that do not go away by waiting."""
_log = logging.getLogger(__name__)


def attempts(retries: int, path: str) -> tenacity.Retrying:
    """The attempts to save something, each of them a context to do it in.

    Between two there is a wait, half a second at first and twice as long every
    time, up to 30 s. Only errors of the operating system are tried again that
    may be gone by then.

    Args:
        retries: How often to try again (≥ 0). The error of the last attempt is
            raised.
        path: What is saved, for the log.
    """

    def tell(state: tenacity.RetryCallState) -> None:
        error = state.outcome and state.outcome.exception()
        _log.warning(
            "Saving to %s is tried again in %g s: %s",
            path,
            state.upcoming_sleep,
            error,
        )

    return tenacity.Retrying(
        stop=tenacity.stop_after_attempt(retries + 1),
        wait=tenacity.wait_exponential(_SHORTEST_WAIT_S, max=_LONGEST_WAIT_S),
        retry=tenacity.retry_if_exception(_may_pass),
        before_sleep=tell,
        reraise=True,
    )


def _may_pass(error: BaseException) -> bool:
    """Whether an error may be gone in a moment: a busy drive, a lock."""
    return isinstance(error, OSError) and not isinstance(error, _HOPELESS)
