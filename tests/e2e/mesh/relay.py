"""A tunnel to this machine's loopback interface, where the control plane takes plain text.

It stands for what a user has between machines while the control plane serves no TLS, as ``ssh -L`` does.
"""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while content := source.recv(65_536):
            target.sendall(content)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


@contextmanager
def relay(host: str, port: int) -> Iterator[int]:
    """Pass connections to a port of ``host`` on to ``port`` of loopback; yields the former."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", port)) as inner:
                threading.Thread(target=_pump, args=(inner, self.request), daemon=True).start()
                _pump(self.request, inner)

    with _Server((host, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
