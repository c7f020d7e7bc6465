"""What the issues ask of a case, in the words of the table."""

from __future__ import annotations

from benchmarks.results import WALL, Budget, Clock


def ratio(row: str, of: str, limit: float, clock: Clock = WALL) -> Budget:
    """One row takes at most so much of another's time, pair by pair."""
    return Budget(
        f"{row} / {of}, {clock}",
        limit,
        lambda result: result.ratio(row, of, clock),
        (row, of),
    )


def added_share(row: str, of: str, limit: float, clock: Clock) -> Budget:
    """One row adds at most so much of what another adds to the first."""
    return Budget(
        f"{row} adds / {of} adds, {clock}",
        limit,
        lambda result: result.added_share(row, of, clock),
        (row, of),
    )


def added_us(row: str, limit_us: float, clock: Clock) -> Budget:
    """One row adds at most so many microseconds to the first."""
    return Budget(
        f"{row} adds, {clock}",
        limit_us,
        lambda result: result.added_us(row, clock),
        (row,),
        "µs",
    )


def added_memory(row: str, of: str, limit_bytes: float) -> Budget:
    """One row needs at most so much more memory than another."""
    return Budget(
        f"memory of {row} above that of {of}",
        limit_bytes / 1e6,
        lambda result: (
            (result.row(row).memory_bytes - result.row(of).memory_bytes) / 1e6
        ),
        (row, of),
        "MB",
    )
