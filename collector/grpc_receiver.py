"""The gRPC server: OTLP's three Export methods on raw bytes, Envoy's access logs, and the health service.

Source: OTLP specification, section "OTLP/gRPC".
"""

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from collector import answers
from collector.access_logs import SERVICE as ACCESS_LOGS
from collector.access_logs import AccessLogStreams
from collector.admission import Admission
from vigla.errors import BadInput, Overloaded, SettingsError
from vigla.listen import MIN_PING_INTERVAL_MS
from vigla.wire.otlp.descriptors import Signal

SERVICES: dict[Signal, str] = {
    "traces": "opentelemetry.proto.collector.trace.v1.TraceService",
    "metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService",
    "logs": "opentelemetry.proto.collector.logs.v1.LogsService",
}
STATUS_DETAILS = "grpc-status-details-bin"

Context = grpc.aio.ServicerContext[bytes, bytes]


class GrpcReceiver:
    """The gRPC server of the collector."""

    def __init__(self, admission: Admission, *, access_log_service: bool) -> None:
        # gRPC applies the limit to a message as sent and again while it inflates it
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", admission.settings.max_body_bytes),
                ("grpc.so_reuseport", 0),  # a second process on our port is a mistake that must be seen
                ("grpc.http2.min_ping_interval_without_data_ms", MIN_PING_INTERVAL_MS),
            ]
        )
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._server.add_generic_rpc_handlers([_service(signal, admission) for signal in SERVICES])
        self._streams = AccessLogStreams(admission)
        self._services = list(SERVICES.values())
        if access_log_service:
            self._server.add_generic_rpc_handlers([self._streams.handler()])
            self._services.append(ACCESS_LOGS)

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port.

        Raises:
            SettingsError: the address cannot be listened on.
        """
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            bound = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise SettingsError(
                f"cannot listen on {address}: stop what uses it or change collector.otlp_grpc_port"
            ) from error
        await self._server.start()
        for name in ("", *self._services):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        return bound

    async def stop(self, grace_s: float) -> None:
        """Refuse new calls and let running ones end within ``grace_s`` seconds."""
        await self._health.enter_graceful_shutdown()
        self._streams.stop()
        await self._server.stop(grace_s)


def _service(signal: Signal, admission: Admission) -> grpc.GenericRpcHandler:
    async def export(request: bytes, context: Context) -> bytes:
        try:
            with admission.lease() as lease:
                lease.grow(len(request))
                return answers.success(signal, await admission.accept_protobuf(signal, "grpc", request))
        except BadInput as error:
            admission.refused(signal, "grpc", "invalid")
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except Overloaded as error:
            admission.refused(signal, "grpc", "overload")
            details = answers.retry_status(str(error), error.retry_after_s)
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error), ((STATUS_DETAILS, details),))

    # without serializers gRPC hands the bytes through
    method: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(export)
    return grpc.method_handlers_generic_handler(SERVICES[signal], {"Export": method})
