"""The collector role: its receivers, one admission for all."""

from collector.admission import Admission
from collector.grpc_receiver import GrpcReceiver
from collector.http_receiver import HttpReceiver
from vigla.bus.api import Producer
from vigla.listen import HttpServer, bind
from vigla.settings import CollectorSettings
from vigla.telemetry.metrics import Metrics

DRAIN_S = 5


class Collector:
    """Receives OTLP over gRPC and HTTP.

    Args:
        settings: ports and bounds.
        producer: the bus that payloads are appended to.
        metrics: where accepted and refused are counted.
    """

    def __init__(self, settings: CollectorSettings, producer: Producer, metrics: Metrics) -> None:
        self._settings = settings
        self._admission = Admission(settings, producer, metrics)
        self._grpc = GrpcReceiver(self._admission)
        self.http_app = HttpReceiver(self._admission)
        self._http: HttpServer | None = None
        self.grpc_port = 0
        self.http_port = 0

    async def start(self) -> None:
        """Listen on all ports; ``grpc_port`` and ``http_port`` are set then.

        Raises:
            SettingsError: a port cannot be listened on.
        """
        host = self._settings.host
        listener = bind(host, self._settings.otlp_http_port, "collector.otlp_http_port")
        self._http = HttpServer(self.http_app, listener, drain_s=DRAIN_S)
        self.grpc_port = await self._grpc.start(host, self._settings.otlp_grpc_port)
        await self._http.start()
        self.http_port = self._http.port

    async def stop(self) -> None:
        """Refuse new requests, answer those in flight, close the ports."""
        await self._grpc.stop(DRAIN_S)
        if self._http is not None:
            await self._http.stop()
        await self._admission.close(DRAIN_S)
