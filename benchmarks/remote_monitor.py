"""How long does an epoch take whose server is slow to answer?

The server is a process of its own on this machine; it lets every POST wait.
"""

from __future__ import annotations

import contextlib
import http.server
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import kerascb
from benchmarks.fits import Fits, stock
from benchmarks.measure import Rival, measure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.results import Result

_DELAY_S = 0.05
_QUICK_DELAY_S = 0.002


def run(*, quick: bool) -> Iterator[Result]:
    """Measures the ends of epochs, and the end of the training.

    Args:
        quick: A server that is hardly slow, to see that it runs.
    """
    delay_s = _QUICK_DELAY_S if quick else _DELAY_S
    epochs = 2 if quick else 20
    model = Fits(steps=1).model
    with _server(delay_s) as root:

        def rival(kind: Any) -> Rival:
            monitor = kind(root)
            monitor.set_model(model)

            def work() -> int:
                for epoch in range(epochs):
                    monitor.on_epoch_begin(epoch)
                    monitor.on_epoch_end(epoch, {"loss": 0.5})
                return epochs

            return Rival(work, monitor.on_train_begin, monitor.on_train_end)

        yield measure(
            f"RemoteMonitor, answers in {delay_s * 1e3:g} ms: hold",
            "epoch",
            {
                "stock": rival(stock().RemoteMonitor),
                "kerascb": rival(kerascb.RemoteMonitor),
            },
            repeats=1 if quick else 7,
        )


@contextlib.contextmanager
def _server(delay_s: float) -> Iterator[str]:
    """A slow server, by its URL."""
    command = [sys.executable, "-m", "benchmarks.remote_monitor", str(delay_s)]
    with subprocess.Popen(  # noqa: S603 - this very module
        command, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is piped
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def main() -> None:
    """Serves until it is terminated; prints the port."""
    delay_s = float(sys.argv[1])

    class Slow(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Takes what comes, waits, and says that it is well."""
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(delay_s)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
