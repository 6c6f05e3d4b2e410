"""Jaeger's Thrift over UDP: a datagram is one batch of one process.

Source: Jaeger, "Client libraries to agent". Nothing is answered, so what cannot be kept is counted.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Literal

from collector.admission import Admission
from vigla.errors import BadInput, Overloaded, SettingsError
from vigla.telemetry.metrics import Metrics
from vigla.wire.jaeger_thrift import binary, compact
from vigla.wire.jaeger_thrift.batch import otlp_request
from vigla.wire.jaeger_thrift.values import Call

log = logging.getLogger(__name__)

Protocol = Literal["compact", "binary"]
READERS: dict[Protocol, Callable[[bytes], Call]] = {"compact": compact.message, "binary": binary.message}
BUFFER_BYTES = 4 * 1024 * 1024
"""Asked of the kernel for datagrams that come while the loop is busy; it may give less."""


class JaegerUdp(asyncio.DatagramProtocol):
    """Receives on one port.

    Args:
        protocol: of the datagrams.
        admission: where batches go.
        metrics: counts what is dropped.

    Attributes:
        port: as bound; 0 before ``start``.
    """

    def __init__(self, protocol: Protocol, admission: Admission, metrics: Metrics) -> None:
        self._protocol: Protocol = protocol
        self._admission = admission
        self._metrics = metrics
        self._running: set[asyncio.Task[None]] = set()
        self._transport: asyncio.DatagramTransport | None = None
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            SettingsError: the address cannot be listened on.
        """
        listener = _bind(host, port, f"agent.jaeger_{self._protocol}_port")
        self.port = listener.getsockname()[1]
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=listener)

    async def stop(self) -> None:
        """Close the port and keep what was received."""
        if self._transport is not None:
            self._transport.close()
        if self._running:
            await asyncio.wait(self._running)

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002  asyncio's signature
        """Take one datagram; called by the event loop."""
        task = asyncio.get_running_loop().create_task(self._keep(data))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _keep(self, data: bytes) -> None:
        try:
            with self._admission.lease() as lease:
                lease.grow(len(data))
                request = otlp_request(READERS[self._protocol](data))
                await self._admission.accept_protobuf("traces", "udp", request)
        except BadInput as error:
            log.debug("datagram dropped: %s", error)
            self._dropped("invalid")
        except Overloaded:
            self._dropped("overload")

    def _dropped(self, reason: str) -> None:
        self._metrics.add("vigla_agent_datagrams_dropped_total", protocol=self._protocol, reason=reason)


def _bind(host: str, port: int, setting: str) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        reason = error.strerror
        raise SettingsError(
            f"cannot listen on {host}:{port}/udp ({reason}): stop what uses it or change {setting}"
        ) from error
    listener.setblocking(False)
    return listener
