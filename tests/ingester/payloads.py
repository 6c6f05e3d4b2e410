"""OTLP payloads with numbered spans."""

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

START_NS = 1_700_000_000 * 10**9
GARBAGE = b"\xff\xff not protobuf"


def payload(first: int, count: int, service: str = "shop") -> bytes:
    """A request with spans ``first``.., one trace for ten."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    attribute = resource_spans.resource.attributes.add()
    attribute.key, attribute.value.string_value = "service.name", service
    resource_spans.scope_spans.add().spans.extend(_span(n) for n in range(first, first + count))
    return request.SerializeToString()


def _span(number: int) -> Span:
    start = START_NS + number
    return Span(
        trace_id=(number // 10 + 1).to_bytes(16, "big"),
        span_id=(number + 1).to_bytes(8, "big"),
        parent_span_id=(number // 10 * 10 + 1).to_bytes(8, "big") if number % 10 else b"",
        name=f"op{number % 10}",
        start_time_unix_nano=start,
        end_time_unix_nano=start + 1000,
    )
