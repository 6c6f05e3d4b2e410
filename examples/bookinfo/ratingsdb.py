"""ratingsdb: ratings behind a plain TCP port; a line with a book's id is answered by a line of JSON."""

import json
import signal
import socketserver
import threading

STARS = {"Reviewer1": 5, "Reviewer2": 4}


class _Connection(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while self.rfile.readline():
            self.wfile.write(json.dumps(STARS).encode() + b"\n")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def serve(host: str, port: int) -> None:
    """Answer until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with _Server((host, port), _Connection) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stop.wait()
        server.shutdown()
