"""An HTTP server inside a running event loop, for every role that listens."""

import asyncio
import contextlib
import random
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from vigla.errors import SettingsError

ATTEMPTS = 1000
# Above the default ports of vigla; on Linux net.ipv4.ip_local_port_range begins at 32768.
BELOW_EPHEMERAL = 17_000, 32_000
MIN_PING_INTERVAL_MS = 1_000
"""gRPC clients may ping an idle connection this often; by default the third ping in five minutes ends it."""
BACKLOG = 2048  # connections the kernel holds while the loop is busy; uvicorn's own default


def bind(host: str, port: int, setting: str) -> socket.socket:
    """A listening TCP socket.

    Args:
        host: address or name to listen on.
        port: 0 picks a free one.
        setting: the setting that names the port, for the message.

    Raises:
        SettingsError: the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # what follows only repeats the address
        raise SettingsError(
            f"cannot listen on {host}:{port} ({reason}): stop what uses it or change {setting}"
        ) from error


def reserve(host: str = "127.0.0.1") -> socket.socket:
    """A listening socket on a free port, for choosing the port that a child process will listen on.

    The port is below the range that the kernel takes for outgoing connections: so none of these can get it
    between our closing of the socket and the child's start.

    Raises:
        SettingsError: no port is free.
    """
    for _ in range(ATTEMPTS):
        try:
            return socket.create_server((host, random.randrange(*BELOW_EPHEMERAL)))  # noqa: S311  no secret
        except OSError:
            continue
    raise SettingsError(f"no port of {host} is free")


class HttpServer:
    """uvicorn on a socket that we bound, with signals left to the process that embeds it."""

    def __init__(self, app: ASGIApp, listener: socket.socket, *, drain_s: int = 5) -> None:
        """Prepare to serve ``app``.

        Args:
            app: any ASGI application.
            listener: from ``bind``; owned by the server from now on.
            drain_s: seconds that running requests get to finish in ``stop``.
        """
        self.port: int = listener.getsockname()[1]
        self._listener = listener
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=drain_s,
        )
        self._server = _EmbeddedServer(config)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Accept connections; returns once it does."""
        self._task = asyncio.create_task(self._server.serve(sockets=[self._listener]), name="http server")
        await self._server.accepting.wait()

    async def stop(self) -> None:
        """Refuse new connections, let running requests end, close."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
        self._listener.close()


class _EmbeddedServer(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepting = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.accepting.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
