"""The collector role: its receivers, one admission for all."""

import asyncio

from collector.admission import Admission
from collector.grpc_receiver import GrpcReceiver
from collector.http_receiver import HttpReceiver
from collector.remote_write import RemoteWriteReceiver
from vigla.bus.api import Producer
from vigla.errors import SettingsError
from vigla.listen import HttpServer, bind
from vigla.settings import CollectorSettings
from vigla.telemetry.metrics import Metrics
from vigla.wire.remote_write.encode import VERSION

DRAIN_S = 5


class Collector:
    """Receives OTLP over gRPC and HTTP.

    Attributes:
        http_app: the HTTP receiver, to be mounted by other servers too.
        remote_write_app: remote write alone, to stand at a path of other servers.
        grpc_port, http_port: as bound; 0 before ``start``.
    """

    def __init__(self, settings: CollectorSettings, producer: Producer, metrics: Metrics) -> None:
        """Prepare; nothing listens yet.

        Args:
            settings: ports and bounds.
            producer: the bus that payloads are appended to.
            metrics: where accepted and refused are counted.
        """
        self._settings = settings
        self._admission = Admission(settings, producer, metrics)
        self.http_app = HttpReceiver(self._admission)
        self.remote_write_app = RemoteWriteReceiver(self._admission)
        self._grpc: GrpcReceiver | None = None
        self._http: HttpServer | None = None
        self.grpc_port = 0
        self.http_port = 0

    async def start(self) -> None:
        """Listen on all ports.

        Raises:
            SettingsError: a port cannot be listened on; nothing listens then.
        """
        host = self._settings.host
        listener = bind(host, self._settings.otlp_http_port, "collector.otlp_http_port")
        grpc_receiver = GrpcReceiver(self._admission)
        try:
            self.grpc_port = await grpc_receiver.start(host, self._settings.otlp_grpc_port)
        except SettingsError:
            listener.close()
            raise
        self._grpc = grpc_receiver
        self._http = HttpServer(self.http_app, listener, drain_s=DRAIN_S)
        await self._http.start()
        self.http_port = self._http.port

    async def write_samples(self, body: bytes) -> None:
        """Take samples that this process made: a compressed remote write request.

        Raises:
            Overloaded: the bus is full.
        """
        await self._admission.accept_remote_write(VERSION, body)

    async def stop(self) -> None:
        """Refuse new requests, answer those in flight within ``DRAIN_S`` seconds, close the ports."""
        if self._grpc is not None and self._http is not None:
            await asyncio.gather(self._grpc.stop(DRAIN_S), self._http.stop())
        self._admission.close()
