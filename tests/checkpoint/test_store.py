"""Tests of how the store queues what it is asked to save."""

from __future__ import annotations

import threading

from kerascb import runtime
from kerascb.checkpoint import store as store_module
from kerascb.checkpoint.request import Policy, Request
from kerascb.checkpoint.store import CheckpointStore
from kerascb.runtime import Format

TIMEOUT_S = 30


class Recorded:
    """A snapshot that notes what happens to it."""

    def __init__(self, number, events, disk):
        self._number, self._events, self._disk = number, events, disk
        events.append(("taken", number))

    def has_bfloat16(self):
        """All formats give back what it is made of."""
        return False

    def settle(self, arena):
        """Notes that it is no longer what training has to copy."""
        del arena
        self._events.append(("settled", self._number))

    def write(self, staging):
        """Takes as long as the disk does."""
        assert self._disk.wait(TIMEOUT_S)
        staging.write("", [b"weights"])


def test_pain_no_more_than_one_snapshot_waits_for_memory(tmp_path, monkeypatch):
    """A snapshot is taken only when the one before lies in the arena."""
    events, disk = [], threading.Event()

    class Snapshots:
        """Hands out snapshots in the order they are asked for."""

        @staticmethod
        def take(*_, **__):
            """The next one."""
            taken = sum(event == "taken" for event, _ in events)
            return Recorded(taken, events, disk)

    monkeypatch.setattr(store_module, "Snapshot", Snapshots)
    warnings = []

    def warn(text):
        warnings.append(text)
        disk.set()

    store = CheckpointStore(Policy(background=True), warn, "ModelCheckpoint")
    for _ in range(4):
        path = str(tmp_path / "m.weights.h5")
        store.save(None, Request(path, Format.WEIGHTS), runtime.of(None))
    store.close()

    for number in range(3):
        settled = events.index(("settled", number))
        assert settled < events.index(("taken", number + 1))
