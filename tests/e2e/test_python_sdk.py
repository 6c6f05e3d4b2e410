"""OpenTelemetry's Python exporters against a running server."""

from collections.abc import Callable

import grpc
import pytest
from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter as JsonExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as ProtobufExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import (
    Link,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from benchmarks.serving import Server

MS = 1_000_000

EXPORTERS: dict[str, Callable[[Server], SpanExporter]] = {
    "grpc": lambda s: GrpcExporter(endpoint=s.grpc_target, insecure=True),
    "grpc-gzip": lambda s: GrpcExporter(
        endpoint=s.grpc_target, insecure=True, compression=grpc.Compression.Gzip
    ),
    "http-protobuf": lambda s: ProtobufExporter(endpoint=f"{s.otlp_url}/v1/traces"),
    "http-protobuf-gzip": lambda s: ProtobufExporter(
        endpoint=f"{s.otlp_url}/v1/traces", compression=Compression.Gzip
    ),
    "http-protobuf-deflate": lambda s: ProtobufExporter(
        endpoint=f"{s.otlp_url}/v1/traces", compression=Compression.Deflate
    ),
    "http-json": lambda s: JsonExporter(endpoint=f"{s.otlp_url}/v1/traces"),
}


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_all_fields_come_back(
    exporter: str, server: Server, base_ns: int, assert_read_back: Callable[..., None]
) -> None:
    service = f"python-{exporter}"
    resource = Resource.create({"service.name": service, "service.version": "1.2", "host.cpus": 4})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(EXPORTERS[exporter](server)))
    ids = _record(provider, base_ns)
    assert provider.force_flush()
    provider.shutdown()
    assert_read_back(service, base_ns, **ids)


def _record(provider: TracerProvider, base_ns: int) -> dict[str, str]:
    tracer = provider.get_tracer("e2e.scope", "0.3")
    root = tracer.start_span(
        "checkout",
        kind=SpanKind.SERVER,
        start_time=base_ns,
        attributes={
            "http.route": "/cart/{id}",
            "http.response.status_code": 500,
            "retry": True,
            "ratio": 0.25,
            "ids": [1, 2],
            "greeting": "grüß dich \U0001f600",
        },
    )
    root.add_event("exception", {"exception.message": "no stock", "attempt": 2}, base_ns + 200 * MS)
    root.set_status(Status(StatusCode.ERROR, "boom"))
    linked = SpanContext(
        0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, is_remote=True, trace_flags=TraceFlags(1)
    )
    child = tracer.start_span(
        "charge",
        context=set_span_in_context(root),
        kind=SpanKind.CLIENT,
        start_time=base_ns + 100 * MS,
        links=[Link(linked, {"link.reason": "retry"})],
    )
    child.end(base_ns + 300 * MS)
    root.end(base_ns + 500 * MS)
    context = root.get_span_context()
    return {
        "trace_id": f"{context.trace_id:032x}",
        "root_id": f"{context.span_id:016x}",
        "child_id": f"{child.get_span_context().span_id:016x}",
    }
