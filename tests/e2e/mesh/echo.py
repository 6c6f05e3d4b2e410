"""The application of the mesh tests: tells what it was asked, and fails or waits when it is told to.

Headers: ``x-key`` counts requests under a name, ``x-fail: N`` answers the first N of them with 503,
``x-delay: S`` waits. ``/count/<name>`` tells a count. With ``--tcp`` each line is answered with the version.
"""

import argparse
import json
import os
import socketserver
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar


class Http(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    name: ClassVar[str] = ""
    version: ClassVar[str] = ""
    counts: ClassVar[Counter[str]] = Counter()
    lock: ClassVar[threading.Lock] = threading.Lock()

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.startswith("/count/"):
            return self.answer(200, {"count": self.counts[self.path.removeprefix("/count/")]})
        with self.lock:
            key = self.headers.get("x-key", "")
            self.counts[key] += 1
            count = self.counts[key]
        time.sleep(float(self.headers.get("x-delay", 0)))
        status = 503 if count <= int(self.headers.get("x-fail", 0)) else 200
        headers = {name.lower(): value for name, value in self.headers.items()}
        said = {"name": self.name, "version": self.version, "method": self.command, "path": self.path}
        return self.answer(status, {**said, "headers": headers, "count": count})

    do_POST = do_GET  # noqa: N815  http.server's name
    do_PUT = do_GET  # noqa: N815
    do_OPTIONS = do_GET  # noqa: N815

    def answer(self, status: int, body: object) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.send_header("x-version", self.version)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
        """Quiet."""


class Tcp(socketserver.StreamRequestHandler):
    version: ClassVar[str] = ""

    def handle(self) -> None:
        while self.rfile.readline():
            self.wfile.write(f"{self.version}\n".encode())


class TcpServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("version")
    parser.add_argument("--tcp", action="store_true")
    parser.add_argument("--report", type=Path)
    options = parser.parse_args()
    if options.report:
        options.report.write_text(json.dumps(dict(os.environ)))
    Http.name, Http.version, Tcp.version = options.name, options.version, options.version
    address = os.environ["HOST"], int(os.environ["PORT"])
    kind = TcpServer(address, Tcp) if options.tcp else ThreadingHTTPServer(address, Http)
    with kind as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
