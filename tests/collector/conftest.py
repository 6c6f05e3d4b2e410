"""A collector on free ports with a bus behind it, in the test's own event loop."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
import httpx
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.server import Collector
from vigla.bus.api import Topic
from vigla.bus.local import LocalBus
from vigla.model.partitions import Partition
from vigla.settings import BusSettings, CollectorSettings
from vigla.telemetry.metrics import Metrics

METHODS = {
    signal: f"/opentelemetry.proto.collector.{package}.v1.{service}Service/Export"
    for signal, package, service in (
        ("traces", "trace", "Trace"),
        ("metrics", "metrics", "Metrics"),
        ("logs", "logs", "Logs"),
    )
}


@dataclass
class Running:
    """What a test talks to."""

    collector: Collector
    bus: LocalBus
    metrics: Metrics
    http: httpx.AsyncClient
    channel: grpc.aio.Channel

    def kept(self, topic: Topic = "traces") -> list[bytes]:
        """Payloads on the bus."""
        records = self.bus.poll(topic, {Partition(topic): 0}, max_bytes=2**30, timeout_s=0)
        return [record.payload for record in records]

    def count(self, name: str, **labels: str) -> float:
        """A counter's value."""
        return self.metrics.registry.get_sample_value(f"vigla_collector_{name}", labels) or 0.0

    async def export(self, payload: bytes, signal: str = "traces", **options: object) -> bytes:
        """One call over gRPC."""
        answer: bytes = await self.channel.unary_unary(METHODS[signal])(payload, timeout=60, **options)
        return answer


StartCollector = Callable[..., Awaitable[Running]]


@pytest.fixture
async def start_collector(tmp_path: Path) -> AsyncIterator[StartCollector]:
    """Call with collector settings to change, and ``bus`` with the bus's."""
    async with AsyncExitStack() as stack:

        async def start(bus: dict[str, int] | None = None, **settings: int) -> Running:
            metrics = Metrics()
            log = LocalBus(
                tmp_path / "bus", BusSettings.model_validate({"min_free_bytes": 0, **(bus or {})}), metrics
            )
            stack.callback(log.close)
            ports = {"otlp_grpc_port": 0, "otlp_http_port": 0}
            collector = Collector(CollectorSettings.model_validate({**ports, **settings}), log, metrics)
            await collector.start()
            stack.push_async_callback(collector.stop)
            url = f"http://127.0.0.1:{collector.http_port}"
            http = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=60))
            channel = grpc.aio.insecure_channel(
                f"127.0.0.1:{collector.grpc_port}", options=[("grpc.max_send_message_length", -1)]
            )
            await stack.enter_async_context(channel)
            return Running(collector, log, metrics, http, channel)

        yield start


@pytest.fixture
async def running(start_collector: StartCollector) -> Running:
    """With default settings."""
    return await start_collector()


def _span(number: int = 1, **fields: object) -> Span:
    ids = {"trace_id": number.to_bytes(16, "big"), "span_id": number.to_bytes(8, "big")}
    return Span(**{**ids, "name": "work", "start_time_unix_nano": 1, "end_time_unix_nano": 2, **fields})  # type: ignore[arg-type]


def _traces(*spans: Span) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.extend(spans)
    return request


@pytest.fixture
def requests() -> dict[str, bytes]:
    """A valid request a signal, each with two items."""
    metrics, logs = ExportMetricsServiceRequest(), ExportLogsServiceRequest()
    points = metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="m").gauge.data_points
    points.add(as_int=1)
    points.add(as_int=2)
    records = logs.resource_logs.add().scope_logs.add().log_records
    records.add(severity_text="info")
    records.add(severity_text="warn")
    return {
        "traces": _traces(_span(1), _span(2)).SerializeToString(),
        "metrics": metrics.SerializeToString(),
        "logs": logs.SerializeToString(),
    }


@pytest.fixture
def span() -> Callable[..., Span]:
    """Makes a valid span by its number, with other fields as given."""
    return _span


@pytest.fixture
def traces() -> Callable[..., ExportTraceServiceRequest]:
    """Makes a request of spans."""
    return _traces
