"""The collector role: its receivers, one admission for all."""

import asyncio

from collector.admission import Admission
from collector.grpc_receiver import GrpcReceiver
from collector.http_receiver import HttpReceiver
from collector.remote_write import RemoteWriteReceiver
from collector.sampling import StrategyFile
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
        admission: where other receivers hand over what they got.
        strategies: what services are told about sampling.
        grpc_port, http_port: as bound; 0 before ``start``.
    """

    def __init__(
        self,
        settings: CollectorSettings,
        producer: Producer,
        metrics: Metrics,
        *,
        access_log_service: bool = True,
    ) -> None:
        """Prepare; nothing listens yet.

        Args:
            settings: ports and bounds.
            producer: the bus that payloads are appended to.
            metrics: where accepted and refused are counted.
            access_log_service: serve Envoy's too, which has no answers that say what is kept.

        Raises:
            SettingsError: the sampling strategies cannot be read.
        """
        self._settings = settings
        self._access_log_service = access_log_service
        self.admission = Admission(settings, producer, metrics)
        self.strategies = StrategyFile(settings.sampling_strategies)
        self.http_app = HttpReceiver(self.admission, self.strategies)
        self.remote_write_app = RemoteWriteReceiver(self.admission)
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
        grpc_receiver = GrpcReceiver(self.admission, access_log_service=self._access_log_service)
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
        await self.admission.accept_remote_write(VERSION, body)

    async def stop(self) -> None:
        """Refuse new requests, answer those in flight within ``DRAIN_S`` seconds, close the ports."""
        if self._grpc is not None and self._http is not None:
            await asyncio.gather(self._grpc.stop(DRAIN_S), self._http.stop())
        self.admission.close()
