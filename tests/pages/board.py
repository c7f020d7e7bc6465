"""TensorBoard's server and its page, as a browser shows it."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

WAIT_MS = 45_000
"""For a machine that has much else to do."""

_SAME_LOOKS, _MOST_LOOKS = 3, 10


@contextlib.contextmanager
def serving(log_dir):
    """TensorBoard over a log directory, in a process that ends with this.

    Yields:
        Its address.
    """
    command = ["-m", "tensorboard.main", "--logdir", str(log_dir)]
    with subprocess.Popen(
        [sys.executable, *command, "--host", "127.0.0.1", "--port", "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    ) as server:
        try:
            yield _address_told_by(server)
        finally:
            server.terminate()


def _address_told_by(server):
    told = []
    for line in server.stderr:
        told.append(line)
        if address := re.search(r"http://127\.0\.0\.1:\d+/", line):
            return address[0]
    raise AssertionError(f"TensorBoard has ended: {''.join(told)}")


class Board:
    """TensorBoard's page.

    Args:
        page: A page of the browser, with nothing on it yet.
        address: The server's.
        pictures: Where screenshots go; the start of their names.

    Attributes:
        page: As given.
        faults: Answers that were errors, and what the page's scripts raised.
    """

    def __init__(self, page, address, pictures):
        self.page = page
        self.faults = []
        self._address = address
        self._pictures = pictures
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("response", self._note)

    def wait_for(self, path, wanted):
        """Waits until the server has read so much.

        Args:
            path: Of an answer in JSON.
            wanted: JavaScript, true of `answer` when it is complete.
        """
        self.page.goto(f"{self._address}data/environment")
        self.page.wait_for_function(
            "async (path) => { const answer = await (await fetch(path)).json();"
            f" return {wanted}; }}",
            arg=f"{self._address}data/{path}",
            polling=200,
        )

    def open(self, dashboard):
        """Shows a dashboard; gives back the page."""
        self.page.goto(f"{self._address}#{dashboard}")
        self.page.reload()  # a new fragment alone loads nothing
        return self.page

    def picture(self, name):
        """Keeps what is to be seen, when it has come to rest.

        Some of it never does: the projector turns.
        """
        seen = [bytes([number]) for number in range(_SAME_LOOKS)]
        while len(set(seen[-_SAME_LOOKS:])) > 1 and len(seen) < _MOST_LOOKS:
            seen.append(self.page.screenshot(animations="disabled"))
        Path(f"{self._pictures}-{name}.png").write_bytes(seen[-1])

    def _note(self, response):
        if not response.ok:
            self.faults.append(f"{response.status} {response.url}")
