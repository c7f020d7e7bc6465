"""RemoteMonitor: tell a server about every epoch.

Expect what a small server in this script receives: three reports, one an
epoch. It listens at port 9000, or at the port given as an argument.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from _digits import build_model, load

from kerascb import RemoteMonitor


class Receiver(BaseHTTPRequestHandler):
    """Prints the JSON that is posted to it."""

    def do_POST(self) -> None:
        """Takes a report."""
        size_bytes = int(self.headers["Content-Length"])
        print(f"{self.path} got {json.loads(self.rfile.read(size_bytes))}")
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Says nothing about the connection."""


def main(port: int = 9000) -> None:
    """Trains, and receives what is reported meanwhile.

    Args:
        port: Where the server listens; 0 for any that is free.
    """
    train, validation = load()
    model = build_model()
    with HTTPServer(("localhost", port), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monitor = RemoteMonitor(
            root=f"http://localhost:{server.server_port}", send_as_json=True
        )
        model.fit(
            *train,
            validation_data=validation,
            epochs=3,
            callbacks=[monitor],
            verbose=0,
        )
        server.shutdown()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
